//! Automatic commits and their events: one operation for each event, found again in the journal.
//!
//! Each event records the state of the directory, in a commit beside the branch or, if nothing is new, in an older one.

use crate::error::{ErrorKind, Result};
use crate::id::{CommitId, OperationId};
use crate::object::operation::RefName;
use crate::object::{Commit, Extras, ObjectKind, Objects, Operation};
use crate::repo::Repository;
use crate::time::Timestamp;

/// An event that recorded the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Id of its operation.
    pub operation: OperationId,
    /// Time of the event.
    pub time: Timestamp,
    /// The last known state before the event. The same as `commit` if nothing changed, or if no state was known.
    pub before: CommitId,
    /// The state at the event.
    pub commit: CommitId,
    /// Whether the event made that commit.
    pub created: bool,
    /// Fields that the caller recorded.
    pub extras: Extras,
}

impl Event {
    /// The event that an operation records, if it records one.
    pub fn of(id: OperationId, operation: &Operation) -> Option<Event> {
        let (before, commit) = operation.worktree.filter(|_| operation.is_automatic())?;
        Some(Event {
            operation: id,
            time: operation.time,
            before: before.unwrap_or(commit),
            commit,
            created: !operation.commits.is_empty(),
            extras: operation.extras.clone(),
        })
    }

    /// A field as text. `None` if the event does not have it.
    pub fn text(&self, key: &str) -> Option<String> {
        self.extras.get(key).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

/// Events of the repository's directory, newest first.
pub fn events(repository: &Repository) -> impl Iterator<Item = Result<Event>> + '_ {
    repository.own_operations().filter_map(|item| item.map(|(id, operation)| Event::of(id, &operation)).transpose())
}

/// What the next automatic commit builds upon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base {
    /// Its parents.
    pub parents: Vec<CommitId>,
    /// The last known state of the directory.
    pub before: Option<CommitId>,
}

/// Finds what the next automatic commit builds upon: the previous one of this directory or, if the branch has moved since,
/// `@`. Then the previous one is the second parent, so that a directory never has more than one head beside its branches.
pub fn base(repository: &Repository) -> Result<Base> {
    let view = repository.view();
    let current = RefName::Branch(view.current.clone());
    let (mut first, mut before) = (None, None);
    for item in repository.own_operations() {
        let (id, operation) = item?;
        if let Some(event) = Event::of(id, &operation) {
            first = Some(event.commit);
            before = before.or(first);
            break;
        }
        before = before.or_else(|| operation.state_after());
        let has_moved = operation.switched.is_some() || operation.edits.iter().any(|edit| edit.name == current);
        if has_moved {
            break;
        }
    }
    let exists = |id: &CommitId| {
        !view.forgotten.contains_key(id) && repository.store().contains(ObjectKind::Commit, id.object_id())
    };
    let first = first.filter(exists).or(view.at());
    let side = side_head(repository, first)?;
    Ok(Base { parents: first.into_iter().chain(side).collect(), before: before.filter(exists).or(first) })
}

/// The automatic commit of this directory that no other commit continues, unless it is the first parent.
fn side_head(repository: &Repository, first: Option<CommitId>) -> Result<Option<CommitId>> {
    let (view, directory) = (repository.view(), repository.state().directory());
    let is_named = |id: CommitId| view.branches.values().chain(view.tags.values()).any(|named| *named == id);
    for &id in view.heads.iter().filter(|id| Some(**id) != first && !is_named(**id)) {
        match repository.store().commit(id) {
            Ok(commit) if Commit::is_beside_in(&commit, directory) => return Ok(Some(id)),
            Err(error) if error.kind() != ErrorKind::Damaged => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}
