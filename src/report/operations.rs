//! The record of an action, which `op log` and `op show` print.

use serde::Serialize;

use crate::id::{CommitId, OperationId};
use crate::object::Operation;
use crate::object::operation::{ForgottenCommit, RefEdit};
use crate::serialize::or_empty;
use crate::time::Timestamp;

/// One user action: the operations of one command.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "operation")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct OperationRecord {
    pub id: OperationId,
    pub verb: String,
    pub description: String,
    pub command: Vec<String>,
    pub time: Timestamp,
    /// In milliseconds.
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
    pub forgotten: Vec<CommitId>,
    pub recalled: Vec<CommitId>,
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

/// The relation of an operation to the current state.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperationState {
    /// The current state is the state after the operation.
    pub is_current: bool,
    /// The operation was undone and can be redone.
    pub is_undone: bool,
}

impl OperationRecord {
    /// The record of one action: its last operation, which names it, and the operations `before` it, newest first.
    pub fn new(last: &Operation, before: &[Operation], state: OperationState) -> OperationRecord {
        let oldest_first = || before.iter().rev().chain([last]);
        OperationRecord {
            id: last.id(),
            verb: last.verb.to_string(),
            description: last.description.clone(),
            command: last.arguments.clone(),
            time: before.last().unwrap_or(last).time,
            duration: oldest_first().map(|operation| operation.duration).sum(),
            user: last.user.clone(),
            host: last.host.clone(),
            current: state.is_current,
            taken_back: state.is_undone,
            refs: net_ref_moves(oldest_first().flat_map(|operation| &operation.edits)),
            branch: last.switched.clone().map(|(before, after)| BranchMove { before, after }),
            worktree: last.worktree.map(|(before, after)| CommitMove { before, after }),
            commits: oldest_first().flat_map(|operation| &operation.commits).map(|made| made.id).collect(),
            forgotten: ids(oldest_first().flat_map(|operation| &operation.history.forgets)),
            recalled: ids(oldest_first().flat_map(|operation| &operation.history.recalls)),
            bytes_read: oldest_first().map(|operation| operation.bytes_read).sum(),
            bytes_stored: oldest_first().map(|operation| operation.bytes_stored).sum(),
        }
    }
}

fn ids<'e>(commits: impl Iterator<Item = &'e ForgottenCommit>) -> Vec<CommitId> {
    commits.map(|commit| commit.id).collect()
}

/// Merges the edits of each ref, oldest first, into one move. Drops refs that end where they began.
fn net_ref_moves<'e>(edits: impl Iterator<Item = &'e RefEdit>) -> Vec<RefMove> {
    let mut moves: Vec<RefMove> = Vec::new();
    for edit in edits {
        let (kind, name) = (edit.name.word(), edit.name.short());
        match moves.iter_mut().find(|earlier| earlier.kind == kind && earlier.name == name) {
            Some(earlier) => earlier.new = edit.new,
            None => moves.push(RefMove { kind, name: name.to_owned(), old: edit.old, new: edit.new }),
        }
    }
    moves.retain(|one| one.old != one.new);
    moves
}
