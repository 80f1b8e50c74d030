//! What is usual in a repository: what the last commits on this line did.

use crate::alarm::Kind;
use crate::id::CommitId;
use crate::object::{Commit, Objects};

/// Commits that are looked back at: some weeks of daily commits.
const RECENT: usize = 20;

/// So many commits alike make a habit. Each of them told the user, so an attack cannot make itself usual unseen.
const HABIT: usize = 3;

/// The last commits on a line, read when they are first asked for: only where there would be an alarm.
pub struct Habit<'a> {
    objects: &'a dyn Objects,
    from: &'a Commit,
}

impl<'a> Habit<'a> {
    /// Of the line that ends with this commit.
    pub fn new(objects: &'a dyn Objects, from: &'a Commit) -> Habit<'a> {
        Habit { objects, from }
    }

    /// Whether so many files are usual for an alarm of this kind. Nothing makes it usual that files become unreadable.
    pub fn has(&self, kind: Kind, count: u64) -> bool {
        match kind {
            Kind::Deleted | Kind::Truncated => is_usual(count, self.recent().map(|commit| done(&commit, kind))),
            Kind::Encrypted | Kind::RenamedSuffix | Kind::Type => false,
        }
    }

    fn recent(&self) -> impl Iterator<Item = Commit> {
        let parent = |commit: &Commit| {
            let id: Option<&CommitId> = commit.parents.first();
            id.and_then(|id| self.objects.commit(*id).ok())
        };
        std::iter::successors(Some(self.from.clone()), parent).take(RECENT)
    }
}

/// How much of this a commit did. Of truncations only those that were told are known.
fn done(commit: &Commit, kind: Kind) -> u64 {
    let told = || commit.marks().into_iter().find(|mark| mark.kind == kind.word()).map_or(0, |mark| mark.count);
    // What a first commit has taken over from an import is no habit.
    if commit.parents.is_empty() {
        return 0;
    }
    match kind {
        Kind::Deleted => commit.changes.deleted,
        _ => told(),
    }
}

/// Whether enough commits did at least half as much.
fn is_usual(count: u64, done: impl Iterator<Item = u64>) -> bool {
    done.filter(|done| done.saturating_mul(2) >= count).take(HABIT).count() == HABIT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_commits_that_did_half_as_much_make_it_usual() {
        assert!(is_usual(100, [0, 50, 900, 0, 60].into_iter()));
        assert!(!is_usual(100, [50, 0, 900, 49].into_iter()));
        assert!(!is_usual(100, [].into_iter()));
    }
}
