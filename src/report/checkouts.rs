//! Checkouts, steps through operations, and exports: the plan and the outcome.

use serde::Serialize;

use crate::id::{CommitId, ObjectId, OperationId};
use crate::path::RepoPathBuf;
use crate::serialize::or_empty;
use crate::workspace::{CheckoutOutcome, Exported, InUse};

/// A step of a plan.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "action")]
pub struct StepRecord {
    /// `create`, `replace`, `link`, `touch` or `remove`.
    pub action: &'static str,
    /// Affected path.
    #[serde(flatten)]
    pub path: RepoPathBuf,
    /// Whether a directory is created or changed.
    #[serde(skip)]
    pub is_directory: bool,
}

/// The end of a plan.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct PlanRecord {
    /// Number of steps.
    pub actions: u64,
    /// Entries that stay as they are.
    pub unchanged: u64,
    /// Whether unsaved changes would be recorded first.
    pub unsaved: bool,
    /// Unsaved paths in the way.
    pub conflicts: Vec<RepoPathBuf>,
    /// Paths in use that would stay unchanged.
    pub in_use: Vec<InUse>,
    /// Directories that would be made accessible to their owner first. The plan does not cover their content.
    pub closed: Vec<RepoPathBuf>,
    /// Whether only branches and tags would change.
    #[serde(skip)]
    pub refs_only: bool,
}

/// A checkout.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "checkout")]
pub struct CheckoutRecord<'o> {
    /// The outcome, in which ids are empty for none.
    #[serde(flatten)]
    pub outcome: &'o CheckoutOutcome,
    /// Whether the whole worktree was checked out, not only some paths.
    #[serde(skip)]
    pub whole: bool,
}

/// The outcome of `undo`, `redo` or `op restore`.
#[derive(Clone, Debug, Serialize)]
pub struct SteppedRecord<'o> {
    /// The checkout part.
    #[serde(flatten)]
    pub checkout: CheckoutRecord<'o>,
    /// Current commit.
    #[serde(serialize_with = "or_empty")]
    pub id: Option<CommitId>,
    /// The operations undone or redone, in this order.
    pub operations: Vec<CrossedRecord>,
    /// Operations that were passed over: purges, and those that did nothing but forget commits that no longer exist.
    pub passed: Vec<CrossedRecord>,
    /// Number of states that were passed over, because they need a commit that no longer exists.
    pub skipped: u64,
    /// Number of forgotten commits that no longer exist.
    pub gone: u64,
    /// `undid`, `redid`, or empty for `op restore`.
    #[serde(skip)]
    pub action: &'static str,
    /// Verb of the interrupted operation that was undone; empty for none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub interrupted: String,
    /// Whether only branches and tags changed.
    #[serde(skip)]
    pub refs_only: bool,
}

/// An operation that was undone or redone.
#[derive(Clone, Debug, Serialize)]
pub struct CrossedRecord {
    /// Its id.
    pub id: OperationId,
    /// Its verb.
    pub verb: String,
    /// Its description.
    pub description: String,
    /// Whether it is an event, and the changes after its automatic commit were undone or redone.
    #[serde(skip)]
    pub is_event: bool,
}

/// An export.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "export")]
pub struct ExportRecord<'o> {
    /// The exported commit or tree.
    pub id: ObjectId,
    /// Destination as the user wrote it.
    pub destination: String,
    /// Exported entries, and paths that are not exact.
    #[serde(flatten)]
    pub exported: &'o Exported,
}
