//! Finds commits that are not in the history yet: plumbing can create a commit long before a ref leads to it.
//!
//! The ancestors of a head are known; its descendants are not, because a head has no known child. So the search walks
//! back from the commit in question and from the heads at the same time, until one of the two decides.

use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use crate::error::{ErrorKind, Result};
use crate::id::CommitId;
use crate::object::operation::View;
use crate::object::{Commit, Objects};
use crate::time::Timestamp;

/// The commits that an operation made, and all other commits that its refs lead to and no head does, parents first.
/// Omits unreadable commits.
pub fn with_unknown(
    objects: &dyn Objects,
    view: &View,
    made: Vec<CommitId>,
    targets: impl Iterator<Item = CommitId>,
) -> Result<Vec<CommitId>> {
    let known =
        view.heads.iter().chain(view.branches.values()).chain(view.tags.values()).chain(&made).copied().collect();
    let (passed, unknown) = (HashSet::new(), HashSet::new());
    let mut lineage = Lineage { objects, view, known, passed, queue: None, unknown };
    let (mut commits, mut seen) = (made, HashSet::new());
    for target in targets {
        let mut stack = vec![(target, false)];
        while let Some((id, is_after_parents)) = stack.pop() {
            if is_after_parents {
                commits.push(id);
            } else if seen.insert(id) && !lineage.is_known(id)? {
                let Some(commit) = lineage.commit(id)? else { continue };
                stack.push((id, true));
                stack.extend(commit.parents.into_iter().map(|parent| (parent, false)));
            }
        }
    }
    Ok(commits)
}

struct Lineage<'a> {
    objects: &'a dyn Objects,
    view: &'a View,
    /// Known commits: those that refs and heads lead to, those that the operation made, and those found from the heads.
    known: HashSet<CommitId>,
    /// Commits found from the heads, whose parents are to be read too.
    passed: HashSet<CommitId>,
    /// Known commits whose parents were not read, newest first. `None` before the first call.
    queue: Option<BinaryHeap<(Timestamp, CommitId, Vec<CommitId>)>>,
    /// Descendants of a head.
    unknown: HashSet<CommitId>,
}

impl Lineage<'_> {
    fn is_known(&mut self, id: CommitId) -> Result<bool> {
        let mut children = HashMap::from([(id, id)]);
        let mut frontier = VecDeque::from([id]);
        while !self.known.contains(&id) {
            if let Some(next) = frontier.pop_front() {
                let commit = self.commit(next)?;
                for parent in commit.into_iter().flat_map(|commit| commit.parents) {
                    if self.view.heads.contains(&parent) {
                        self.unknown.extend(line(&children, next));
                    }
                    if let Entry::Vacant(place) = children.entry(parent) {
                        place.insert(next);
                        frontier.push_back(parent);
                    }
                }
            }
            if self.unknown.contains(&id) || !self.step_back()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads the parents of one more known commit. Returns `false` if none is left.
    fn step_back(&mut self) -> Result<bool> {
        let Some(queue) = &mut self.queue else {
            self.queue = Some(BinaryHeap::new());
            let view = self.view;
            view.heads.iter().try_for_each(|head| self.enqueue(*head))?;
            return Ok(true);
        };
        let Some((_, _, parents)) = queue.pop() else { return Ok(false) };
        for parent in parents {
            self.known.insert(parent);
            self.enqueue(parent)?;
        }
        Ok(true)
    }

    fn enqueue(&mut self, id: CommitId) -> Result<()> {
        if !self.passed.insert(id) {
            return Ok(());
        }
        if let (Some(commit), Some(queue)) = (self.commit(id)?, &mut self.queue) {
            queue.push((commit.time, id, commit.parents));
        }
        Ok(())
    }

    /// `None` for an unreadable commit, whose ancestors are then unknown.
    fn commit(&self, id: CommitId) -> Result<Option<Commit>> {
        match self.objects.commit(id) {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
            commit => commit.map(Some),
        }
    }
}

/// The path from a commit to the commit in question, child by child.
fn line(children: &HashMap<CommitId, CommitId>, from: CommitId) -> Vec<CommitId> {
    let child = |id: &CommitId| children.get(id).copied().filter(|child| child != id);
    std::iter::successors(Some(from), child).collect()
}
