//! What the history keeps after operations are reverted.

use std::collections::BTreeMap;

use crate::id::CommitId;
use crate::object::operation::{ForgottenCommit, HistoryEdit};

/// The commits that reverted operations had forgotten or recalled.
#[derive(Debug, Default)]
pub struct RevertedHistory {
    /// For each commit its parents, and whether it was forgotten before the operations.
    commits: BTreeMap<CommitId, (Vec<CommitId>, bool)>,
}

impl RevertedHistory {
    /// Reverts an operation that is older than those before.
    pub fn revert(&mut self, edit: &HistoryEdit) {
        let forgets = edit.forgets.iter().map(|commit| (commit, false));
        let recalls = edit.recalls.iter().map(|commit| (commit, true));
        for (commit, was_forgotten) in forgets.chain(recalls) {
            self.commits.insert(commit.id, (commit.parents.clone(), was_forgotten));
        }
    }

    /// The edit that leads to the state before the operations. Some of its commits may be in that state already.
    pub fn into_edit(self) -> HistoryEdit {
        let mut edit = HistoryEdit::default();
        for (id, (parents, was_forgotten)) in self.commits {
            let commits = if was_forgotten { &mut edit.forgets } else { &mut edit.recalls };
            commits.push(ForgottenCommit { id, parents });
        }
        edit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commits(numbers: &[u8]) -> Vec<ForgottenCommit> {
        numbers.iter().map(|n| ForgottenCommit { id: CommitId([*n; 32]), parents: Vec::new() }).collect()
    }

    #[test]
    fn the_oldest_reverted_operation_decides() {
        let mut reverted = RevertedHistory::default();
        let edit = |forgets, recalls| HistoryEdit {
            forgets: commits(forgets),
            recalls: commits(recalls),
            ..HistoryEdit::default()
        };
        reverted.revert(&edit(&[1], &[2, 3]));
        reverted.revert(&edit(&[2], &[1]));
        reverted.revert(&edit(&[1], &[]));
        assert_eq!(reverted.into_edit(), edit(&[3], &[1, 2]));
    }
}
