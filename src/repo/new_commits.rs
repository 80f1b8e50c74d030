//! Which commits are in no history yet: plumbing can make a commit long before a ref leads to it.
//!
//! What a head leads to is known, and what grew from a head is not, since a head has no known child. So both ways are
//! gone at the same time, back from the commit in question and back from the heads, until one of them tells.

use std::collections::hash_map::Entry;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

use crate::error::{ErrorKind, Result};
use crate::id::CommitId;
use crate::object::operation::View;
use crate::object::{Commit, Objects};
use crate::time::Timestamp;

/// The commits that an operation made, and all others that its refs lead to and no head does: parents first. What cannot be
/// read is left out.
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
    /// What refs and heads point to, what the operation made, and what was found on the way back from the heads.
    known: HashSet<CommitId>,
    /// The latter: their parents are looked at too.
    passed: HashSet<CommitId>,
    /// Known commits whose parents have not been looked at, newest first; `None`: not begun.
    queue: Option<BinaryHeap<(Timestamp, CommitId, Vec<CommitId>)>>,
    /// They grew from a head.
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

    /// Looks at the parents of one more known commit; `false` if there is none left.
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

    /// `None` for one that cannot be read: what it grew from is not known, and no reason to stop.
    fn commit(&self, id: CommitId) -> Result<Option<Commit>> {
        match self.objects.commit(id) {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
            commit => commit.map(Some),
        }
    }
}

/// From a commit to the one in question, child by child.
fn line(children: &HashMap<CommitId, CommitId>, from: CommitId) -> Vec<CommitId> {
    let child = |id: &CommitId| children.get(id).copied().filter(|child| child != id);
    std::iter::successors(Some(from), child).collect()
}
