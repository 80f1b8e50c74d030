//! Operations, as `op log` and `op show` list them.

use serde::Serialize;

use crate::id::{CommitId, OperationId};
use crate::object::Operation;
use crate::object::operation::RefEdit;
use crate::serialize::or_empty;
use crate::time::Timestamp;

/// One user action.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "operation")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct OperationRecord {
    pub id: OperationId,
    pub verb: String,
    pub description: String,
    pub command: Vec<String>,
    pub time: Timestamp,
    /// Milliseconds.
    pub duration: u64,
    pub user: String,
    pub host: String,
    pub current: bool,
    /// Whether the operation was undone and can be redone.
    pub taken_back: bool,
    pub refs: Vec<RefMove>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<BranchMove>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worktree: Option<CommitMove>,
    pub commits: Vec<CommitId>,
    pub bytes_read: u64,
    pub bytes_stored: u64,
}

/// A ref, before and after.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct RefMove {
    pub kind: &'static str,
    pub name: String,
    #[serde(serialize_with = "or_empty")]
    pub old: Option<CommitId>,
    #[serde(serialize_with = "or_empty")]
    pub new: Option<CommitId>,
}

/// The current branch, before and after.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct BranchMove {
    pub before: String,
    pub after: String,
}

/// The commit in the worktree, before and after.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "the fields say it")]
pub struct CommitMove {
    #[serde(serialize_with = "or_empty")]
    pub before: Option<CommitId>,
    pub after: CommitId,
}

/// An operation's position relative to the current state.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing {
    /// The current state is the one after it.
    pub is_current: bool,
    /// It was undone and can be redone.
    pub is_taken_back: bool,
}

impl OperationRecord {
    /// The operations of one action, newest first; the newest one names the action.
    pub fn new(operations: &[&Operation], standing: Standing) -> Option<OperationRecord> {
        let (last, oldest) = (operations.first()?, operations.last()?);
        let oldest_first = || operations.iter().rev();
        Some(OperationRecord {
            id: last.id(),
            verb: last.verb.to_string(),
            description: last.description.clone(),
            command: last.arguments.clone(),
            time: oldest.time,
            duration: operations.iter().map(|operation| operation.duration).sum(),
            user: last.user.clone(),
            host: last.host.clone(),
            current: standing.is_current,
            taken_back: standing.is_taken_back,
            refs: joined(oldest_first().flat_map(|operation| &operation.edits)),
            branch: last.switched.clone().map(|(before, after)| BranchMove { before, after }),
            worktree: last.worktree.map(|(before, after)| CommitMove { before, after }),
            commits: oldest_first().flat_map(|operation| &operation.commits).map(|made| made.id).collect(),
            bytes_read: operations.iter().map(|operation| operation.bytes_read).sum(),
            bytes_stored: operations.iter().map(|operation| operation.bytes_stored).sum(),
        })
    }
}

/// Each ref once, from before its first change to after its last one.
fn joined<'e>(edits: impl Iterator<Item = &'e RefEdit>) -> Vec<RefMove> {
    let mut all: Vec<RefMove> = Vec::new();
    for edit in edits {
        let (kind, name) = (edit.name.word(), edit.name.short());
        match all.iter_mut().find(|known| known.kind == kind && known.name == name) {
            Some(known) => known.new = edit.new,
            None => all.push(RefMove { kind, name: name.to_owned(), old: edit.old, new: edit.new }),
        }
    }
    all.retain(|edit| edit.old != edit.new);
    all
}
