//! From how many on something is an alarm. The reasons are in `docs/decisions/0008-report-suspicious-changes.md`.

/// Fewer files are never told of, whatever their share: that many are soon changed by hand.
pub const FEWEST: u64 = 10;

/// Below so many files a deletion must be of half of them, from here on of a quarter.
const SMALL: u64 = 100;

/// Emptied and replaced files, of a hundred: emptying is hardly ever meant, and replaced files are looked into first.
const MANY_PERCENT: u64 = 10;

/// So many are many, whatever their share of a large repository.
const MANY: u64 = 1000;

/// Whether it is a large share of the files that there were: for deletions, which are ordinary work up to a point.
pub fn is_large_share(count: u64, of: u64) -> bool {
    let part = if of < SMALL { 2 } else { 4 };
    count >= FEWEST && count.saturating_mul(part) >= of
}

/// Whether it is many of the files that there were: for what is hardly ever meant, and for looking into files at all.
pub fn is_many(count: u64, of: u64) -> bool {
    count >= FEWEST && (count >= MANY || count.saturating_mul(100) >= of.saturating_mul(MANY_PERCENT))
}

/// How many of all are like those that were found among the ones looked at; `None` if too few were found to say so.
pub fn extrapolate(found: usize, looked_at: usize, all: u64) -> Option<u64> {
    if (found as u64) < FEWEST {
        return None;
    }
    Some((u128::from(all) * found as u128 / looked_at as u128) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deletions_must_be_of_a_large_share() {
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
    fn what_is_hardly_ever_meant_needs_less() {
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
    fn a_sample_stands_for_all_if_enough_was_found() {
        assert_eq!(extrapolate(9, 10, 1000), None);
        assert_eq!(extrapolate(10, 10, 10), Some(10));
        assert_eq!(extrapolate(32, 64, 1000), Some(500));
    }
}
