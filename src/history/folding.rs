//! Folds automatic commits: a log counts those that lie beside the branches instead of listing them.

use std::collections::HashSet;

use crate::history::walk::WalkedCommit;
use crate::id::CommitId;
use crate::object::operation::View;
use crate::time::Timestamp;

/// Decides which commits of a walk are folded, children before parents.
pub struct Folding {
    /// Commits that are listed in any case: refs, starting points, and parents of commits that were listed.
    listed: HashSet<CommitId>,
    folded: Option<Folded>,
}

/// Consecutive commits of a walk that were folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Folded {
    /// Number of commits.
    pub count: u64,
    /// The first of them.
    pub newest: CommitId,
    /// The last of them.
    pub oldest: CommitId,
    /// Time of the oldest one.
    pub since: Timestamp,
    /// Time of the newest one.
    pub until: Timestamp,
}

impl Folding {
    /// Folds nothing of what refs or these starting points name.
    pub fn new(view: &View, from: &[CommitId]) -> Folding {
        let refs = view.branches.values().chain(view.tags.values());
        Folding { listed: refs.chain(from).copied().collect(), folded: None }
    }

    /// Takes the next commit of the walk. Returns whether it is folded.
    pub fn folds(&mut self, walked: &WalkedCommit) -> bool {
        let (id, time) = (walked.id, walked.commit.time);
        if !walked.commit.is_beside() || self.listed.contains(&id) {
            self.listed.extend(&walked.parents);
            return false;
        }
        let folded = self.folded.get_or_insert(Folded { count: 0, newest: id, oldest: id, since: time, until: time });
        folded.count += 1;
        (folded.oldest, folded.since) = (id, time);
        true
    }

    /// The commits that were folded since the last call.
    pub fn take(&mut self) -> Option<Folded> {
        self.folded.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::tests::samples;
    use crate::object::{Commit, automatic_mark};

    fn walked(n: u8, parents: &[u8], is_beside: bool) -> WalkedCommit {
        let mut commit = Commit { extras: Default::default(), ..samples::commit() };
        commit.time.seconds = n.into();
        if is_beside {
            automatic_mark::put(None, &mut commit.extras);
        }
        WalkedCommit { id: CommitId([n; 32]), commit, parents: parents.iter().map(|n| CommitId([*n; 32])).collect() }
    }

    #[test]
    fn automatic_commits_are_folded_unless_something_builds_on_them() {
        let mut folding = Folding::new(&View::new("main"), &[CommitId([7; 32])]);
        let walk = [
            (walked(9, &[8], true), true),
            (walked(8, &[1], true), true),
            (walked(7, &[6], true), false),
            (walked(6, &[5], true), false),
            (walked(5, &[1], false), false),
            (walked(4, &[1], true), true),
        ];
        let mut runs = Vec::new();
        for (walked, is_folded) in &walk {
            assert_eq!(folding.folds(walked), *is_folded, "{}", walked.id);
            if !is_folded {
                runs.extend(folding.take());
            }
        }
        let (time, id) = (|n: u8| walked(n, &[], false).commit.time, |n: u8| CommitId([n; 32]));
        assert_eq!(runs, [Folded { count: 2, newest: id(9), oldest: id(8), since: time(8), until: time(9) }]);
        assert_eq!(folding.take().map(|run| run.count), Some(1));
    }
}
