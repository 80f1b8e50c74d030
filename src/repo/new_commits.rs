//! Finds commits that are not in the history yet: plumbing can create a commit long before a ref leads to it, and a
//! forgotten commit can be named again.
//!
//! The ancestors of the heads are known. They are read newest first, only as far back as the commit in question.

use std::collections::{BinaryHeap, HashSet};

use crate::error::Result;
use crate::id::CommitId;
use crate::object::operation::{ForgottenCommit, View};
use crate::object::{Commit, Objects};
use crate::repo::heads::read;
use crate::time::Timestamp;

/// The commits that an operation made, and all other commits that its refs lead to and no head does, parents first; and
/// the forgotten commits that it names, by a ref or as a parent. Omits unreadable commits.
pub fn with_unknown(
    objects: &dyn Objects,
    view: &View,
    made: Vec<CommitId>,
    targets: impl Iterator<Item = CommitId>,
) -> Result<(Vec<CommitId>, Vec<ForgottenCommit>)> {
    let mut named: Vec<CommitId> = targets.collect();
    for &id in made.iter().filter(|_| !view.forgotten.is_empty()) {
        named.extend(read(objects, id)?.into_iter().flat_map(|commit| commit.parents));
    }
    let mut recalls = Vec::new();
    let known = view.starting_points().chain(made.iter().copied());
    let mut history = History { objects, known: known.collect(), read: HashSet::new(), queue: None };
    let (mut commits, mut seen) = (made, HashSet::new());
    for target in named {
        let mut stack = vec![(target, false)];
        while let Some((id, is_after_parents)) = stack.pop() {
            if is_after_parents {
                commits.push(id);
            } else if let Some(forgotten) = view.forgotten.get(&id).filter(|_| view.can_recall(id)) {
                if seen.insert(id) {
                    recalls.push(ForgottenCommit { id, parents: forgotten.parents.clone() });
                }
            } else if seen.insert(id) && !history.known.contains(&id) {
                let Some(commit) = read(objects, id)? else { continue };
                if !history.contains(view, id, &commit)? {
                    stack.push((id, true));
                    stack.extend(commit.parents.into_iter().map(|parent| (parent, false)));
                }
            }
        }
    }
    Ok((commits, recalls))
}

/// The ancestors of the heads that were read so far.
struct History<'a> {
    objects: &'a dyn Objects,
    /// Commits that refs and heads lead to, that the operation made, or that were found from the heads.
    known: HashSet<CommitId>,
    /// Commits found from the heads.
    read: HashSet<CommitId>,
    /// Order and parents of commits whose parents were not read, newest first. `None` before the first call.
    queue: Option<BinaryHeap<(Timestamp, Vec<CommitId>)>>,
}

impl History<'_> {
    /// Whether a commit is an ancestor of a head. Reads no commit that is older than this one.
    fn contains(&mut self, view: &View, id: CommitId, commit: &Commit) -> Result<bool> {
        if self.queue.is_none() {
            self.enqueue(view.heads.iter().copied())?;
        }
        // The order of an ancestor is never later.
        let is_newer = |(order, _): &(Timestamp, Vec<CommitId>)| *order >= commit.order();
        while !self.known.contains(&id) {
            let next = self.queue.as_mut().and_then(|queue| queue.peek().is_some_and(is_newer).then(|| queue.pop())?);
            let Some((_, parents)) = next else { return Ok(false) };
            let parents = view.kept_parents(&parents);
            self.known.extend(&parents);
            self.enqueue(parents.into_iter())?;
        }
        Ok(true)
    }

    fn enqueue(&mut self, ids: impl Iterator<Item = CommitId>) -> Result<()> {
        let queue = self.queue.get_or_insert_default();
        for id in ids.filter(|id| self.read.insert(*id)) {
            if let Some(commit) = read(self.objects, id)? {
                queue.push((commit.order(), commit.parents));
            }
        }
        Ok(())
    }
}
