//! Limits an edit of the history to what it can change.

use crate::object::operation::{HistoryEdit, Refs, View};

/// Removes from an edit the commits that stay as they are: those to forget that are forgotten already, or that a ref names
/// after the operation; and those to recall that are in the history, or whose content a sweep has removed. The same for purged
/// content.
pub fn retain_effective(edit: &mut HistoryEdit, view: &View, refs: &Refs) {
    let is_named = |id| refs.branches.values().chain(refs.tags.values()).any(|named| *named == id);
    edit.forgets.retain(|commit| !view.forgotten.contains_key(&commit.id) && !is_named(commit.id));
    edit.recalls.retain(|commit| view.can_recall(commit.id));
    edit.purges.retain(|blob| !view.purged.contains_key(&blob.id));
    edit.unpurges.retain(|id| view.purged.get(id).is_some_and(|purged| purged.time.is_some()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::CommitId;
    use crate::object::operation::{Forgotten, ForgottenCommit};
    use crate::time::Timestamp;

    #[test]
    fn only_commits_that_change_remain() {
        let id = |n: u8| CommitId([n; 32]);
        let commits = |numbers: &[u8]| -> Vec<ForgottenCommit> {
            numbers.iter().map(|n| ForgottenCommit { id: id(*n), parents: Vec::new() }).collect()
        };
        let mut view = View::new("main");
        for (n, time) in [(1, Some(Timestamp::default())), (2, None)] {
            view.forgotten.insert(id(n), Forgotten { parents: Vec::new(), count: 1, time });
        }
        let mut refs = Refs::default();
        refs.branches.insert("main".to_owned(), id(3));
        refs.tags.insert("v1".to_owned(), id(4));
        let all = || commits(&[1, 2, 3, 4, 5]);
        let mut edit = HistoryEdit { forgets: all(), recalls: all(), ..HistoryEdit::default() };
        retain_effective(&mut edit, &view, &refs);
        assert_eq!((edit.forgets, edit.recalls), (commits(&[5]), commits(&[1])));
    }
}
