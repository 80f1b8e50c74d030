//! Thresholds of the alarms. `docs/decisions/0008-report-suspicious-changes.md` has the reasons.

use crate::alarm::Kind;
use crate::object::{Commit, Objects};

/// Fewer files never raise an alarm, because that many are easily changed by hand.
const MIN_FILES: u64 = 10;

/// Below this number of files, a deletion must affect half of them; from here on, a quarter.
const SMALL: u64 = 100;

/// Percentage of emptied or replaced files that raises an alarm.
const MANY_PERCENT: u64 = 10;

/// Number of emptied or replaced files that raises an alarm whatever their percentage.
const MANY: u64 = 1000;

/// Number of previous commits to compare with: some weeks of daily commits.
const RECENT: usize = 20;

/// Number of recent commits with similar changes that make a change usual. Each of them was reported when it was made, so an
/// attack cannot make itself usual unnoticed.
const USUAL: usize = 3;

/// Whether this is a large share of the files. Used for deletions, which are ordinary up to a point.
pub(super) fn is_large_share(count: u64, of: u64) -> bool {
    let part = if of < SMALL { 2 } else { 4 };
    count >= MIN_FILES && count.saturating_mul(part) >= of
}

/// Whether these are many of the files. Used for changes that are rarely intended, and to decide whether to read files.
pub(super) fn is_many(count: u64, of: u64) -> bool {
    count >= MIN_FILES && (count >= MANY || count.saturating_mul(100) >= of.saturating_mul(MANY_PERCENT))
}

/// Extrapolates from a sample to all files; `None` if too few files of the sample were found.
pub(super) fn extrapolate(found: usize, sampled: usize, all: u64) -> Option<u64> {
    let is_enough = found as u64 >= MIN_FILES;
    is_enough.then(|| (u128::from(all) * found as u128 / sampled as u128) as u64)
}

/// Whether recent commits changed a similar number of files in the same way. Only deletions and truncations can be usual.
/// Reads the commits from `last` back.
pub(super) fn is_usual(objects: &dyn Objects, last: &Commit, kind: Kind, count: u64) -> bool {
    let parent = |commit: &Commit| objects.commit(*commit.parents.first()?).ok();
    let recent = std::iter::successors(Some(last.clone()), parent).take(RECENT);
    is_usual_among(count, recent.map(|commit| affected(&commit, kind)))
}

/// Number of files that a commit deleted or truncated. Only truncations that raised an alarm are recorded.
fn affected(commit: &Commit, kind: Kind) -> u64 {
    match kind {
        // The first commit may have taken its counts from an import.
        _ if commit.parents.is_empty() => 0,
        Kind::Deleted => commit.changes.deleted,
        _ => commit.marks().into_iter().find(|mark| mark.kind == kind.word()).map_or(0, |mark| mark.count),
    }
}

/// Whether enough of the commits affected at least half as many files.
fn is_usual_among(count: u64, affected: impl Iterator<Item = u64>) -> bool {
    affected.filter(|affected| affected.saturating_mul(2) >= count).take(USUAL).count() == USUAL
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_must_affect_a_large_share() {
        for (count, of, expected) in [
            (9, 9, false),
            (10, 10, true),
            (10, 20, true),
            (10, 21, false),
            (40, 99, false),
            (25, 100, true),
            (24, 100, false),
            (250_000, 1_000_000, true),
            (5000, 1_000_000, false),
        ] {
            assert_eq!(is_large_share(count, of), expected, "{count} of {of}");
        }
    }

    #[test]
    fn rarely_intended_changes_have_a_lower_threshold() {
        for (count, of, expected) in [
            (9, 9, false),
            (10, 100, true),
            (10, 101, false),
            (999, 1_000_000, false),
            (1000, 1_000_000, true),
            (u64::MAX, u64::MAX, true),
        ] {
            assert_eq!(is_many(count, of), expected, "{count} of {of}");
        }
    }

    #[test]
    fn extrapolates_from_large_enough_findings() {
        assert_eq!(extrapolate(9, 10, 1000), None);
        assert_eq!(extrapolate(10, 10, 10), Some(10));
        assert_eq!(extrapolate(32, 64, 1000), Some(500));
    }

    #[test]
    fn three_commits_with_half_as_many_files_make_a_change_usual() {
        assert!(is_usual_among(100, [0, 50, 900, 0, 60].into_iter()));
        assert!(!is_usual_among(100, [50, 0, 900, 49].into_iter()));
        assert!(!is_usual_among(100, [].into_iter()));
    }
}
