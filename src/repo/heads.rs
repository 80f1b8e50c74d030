//! Keeps the heads of a history exact when commits are forgotten or recalled.
//!
//! Heads are the commits that no commit of the history continues. The search for a commit reads history newest first, and
//! nothing older than that commit.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use crate::error::{ErrorKind, Result};
use crate::id::CommitId;
use crate::object::operation::{HistoryEdit, View};
use crate::object::{Commit, Objects};
use crate::time::Timestamp;

/// Fills in the heads that an edit adds and removes. `view` is the state before the edit. Unreadable commits are taken for
/// commits without parents.
pub fn complete(objects: &dyn Objects, view: &View, edit: &mut HistoryEdit) -> Result<()> {
    if edit.forgets.is_empty() && edit.recalls.is_empty() {
        return Ok(());
    }
    let mut after = view.clone();
    after.edit_history(edit, Timestamp::default());
    let (mut removed, mut candidates) = (BTreeSet::new(), BTreeSet::new());
    for commit in edit.forgets.iter().filter(|commit| view.heads.contains(&commit.id)) {
        removed.insert(commit.id);
        candidates.extend(after.kept_parents(&commit.parents));
    }
    for commit in &edit.recalls {
        candidates.insert(commit.id);
        removed.extend(after.kept_parents(&commit.parents));
    }
    removed.retain(|id| view.heads.contains(id));
    candidates.retain(|id| !after.forgotten.contains_key(id));
    let heads = view.heads.difference(&removed).chain(&candidates).copied();
    let continued = continued(objects, &after, heads, &candidates)?;
    edit.heads_added =
        candidates.into_iter().filter(|id| !continued.contains(id) && !view.heads.contains(id)).collect();
    edit.heads_removed = removed.into_iter().collect();
    Ok(())
}

/// Those of the heads and these commits that others of them continue.
pub fn continued_among(objects: &dyn Objects, view: &View, commits: &[CommitId]) -> Result<BTreeSet<CommitId>> {
    let all: BTreeSet<CommitId> = view.heads.iter().chain(commits).copied().collect();
    continued(objects, view, all.iter().copied(), &all)
}

/// Those of the `wanted` commits that are ancestors of one of the commits `from`, other than itself.
fn continued(
    objects: &dyn Objects,
    view: &View,
    from: impl Iterator<Item = CommitId>,
    wanted: &BTreeSet<CommitId>,
) -> Result<BTreeSet<CommitId>> {
    let mut orders = BTreeMap::new();
    for &id in wanted {
        orders.insert(id, read(objects, id)?.map_or_else(Timestamp::default, |commit| commit.order()));
    }
    let (mut found, mut seen, mut queue) = (BTreeSet::new(), BTreeSet::new(), BinaryHeap::new());
    for id in from {
        enqueue(objects, view, id, &mut seen, &mut queue)?;
    }
    while found.len() < wanted.len()
        && let Some((order, parents)) = queue.pop()
    {
        // The order of an ancestor is never later.
        if wanted.iter().filter(|id| !found.contains(*id)).all(|id| orders[id] > order) {
            break;
        }
        for parent in parents {
            if wanted.contains(&parent) {
                found.insert(parent);
            }
            enqueue(objects, view, parent, &mut seen, &mut queue)?;
        }
    }
    Ok(found)
}

fn enqueue(
    objects: &dyn Objects,
    view: &View,
    id: CommitId,
    seen: &mut BTreeSet<CommitId>,
    queue: &mut BinaryHeap<(Timestamp, Vec<CommitId>)>,
) -> Result<()> {
    if seen.insert(id)
        && let Some(commit) = read(objects, id)?
    {
        queue.push((commit.order(), view.kept_parents(&commit.parents)));
    }
    Ok(())
}

/// `None` for an unreadable commit, whose ancestors are then unknown.
pub fn read(objects: &dyn Objects, id: CommitId) -> Result<Option<Commit>> {
    match objects.commit(id) {
        Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
        commit => commit.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::error::Error;
    use crate::id::ObjectId;
    use crate::object::operation::ForgottenCommit;
    use crate::object::tests::samples;
    use crate::object::{ObjectKind, id_of};

    /// Commits in memory.
    #[derive(Default)]
    struct Commits(HashMap<ObjectId, Arc<[u8]>>);

    impl Objects for Commits {
        fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
            self.0.get(&id).cloned().ok_or_else(|| Error::damaged(format!("{} `{id}` is missing", kind.word())))
        }
    }

    impl Commits {
        fn add(&mut self, n: usize, parents: Vec<CommitId>) -> CommitId {
            // Some commits have the same time.
            let time = Timestamp { seconds: n as i64 / 2, nanoseconds: 0 };
            let message = n.to_string();
            let commit = Commit { parents, time, message, extras: Default::default(), ..samples::commit() };
            let bytes = commit.encode();
            let id = id_of(ObjectKind::Commit, &bytes);
            self.0.insert(id, bytes.into());
            id.into()
        }

        fn parents(&self, id: CommitId) -> Vec<CommitId> {
            self.commit(id).unwrap().parents
        }
    }

    /// Commits of the history that no other commit of the history continues.
    fn expected_heads(objects: &Commits, view: &View, all: &[CommitId]) -> BTreeSet<CommitId> {
        let kept: BTreeSet<CommitId> = all.iter().copied().filter(|id| !view.forgotten.contains_key(id)).collect();
        let continued: BTreeSet<CommitId> =
            kept.iter().flat_map(|id| view.kept_parents(&objects.parents(*id))).collect();
        &kept - &continued
    }

    proptest! {
        #[test]
        fn heads_stay_exact(
            parents in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 0..3), 1..14),
            steps in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 1..5), 1..12),
        ) {
            let (mut objects, mut all) = (Commits::default(), Vec::<CommitId>::new());
            for (n, parents) in parents.iter().enumerate() {
                let mut parents: Vec<CommitId> =
                    parents.iter().filter(|_| n > 0).map(|index| *index.get(&all)).collect();
                parents.sort_unstable();
                parents.dedup();
                let id = objects.add(n, parents);
                all.push(id);
            }
            let mut view = View::new("main");
            view.heads = expected_heads(&objects, &view, &all);
            for step in steps {
                // Recalls what is forgotten and forgets what is not.
                let named: BTreeSet<CommitId> = step.iter().map(|index| *index.get(&all)).collect();
                let described = |id: CommitId| ForgottenCommit { id, parents: objects.parents(id) };
                let (recalls, forgets) = named.into_iter().partition::<Vec<_>, _>(|id| view.forgotten.contains_key(id));
                let mut edit = HistoryEdit {
                    forgets: forgets.into_iter().map(described).collect(),
                    recalls: recalls.into_iter().map(described).collect(),
                    ..HistoryEdit::default()
                };
                complete(&objects, &view, &mut edit).unwrap();
                view.edit_history(&edit, Timestamp::default());
                prop_assert_eq!(&view.heads, &expected_heads(&objects, &view, &all));
            }
        }
    }
}
