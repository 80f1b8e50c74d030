//! Checkouts, steps through operations, and exports: the plan and the outcome.

use serde::Serialize;

use crate::id::{CommitId, ObjectId, OperationId};
use crate::object::commit::Uncovered;
use crate::path::RepoPathBuf;
use crate::report::values::{or_empty, reasons};

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

/// A file or database that programs are using.
#[derive(Clone, Debug, Serialize)]
pub struct InUseRecord {
    /// Path of the file; for a database, of its main file or directory.
    #[serde(flatten)]
    pub path: RepoPathBuf,
    /// The visible programs.
    pub programs: Vec<ProgramRecord>,
}

/// A program that is using a file.
#[derive(Clone, Debug, Serialize)]
pub struct ProgramRecord {
    /// Process id.
    pub pid: u32,
    /// Program name, up to 15 bytes.
    pub name: String,
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
    pub in_use: Vec<InUseRecord>,
    /// Directories that would be made accessible to their owner first. The plan does not cover their content.
    pub closed: Vec<RepoPathBuf>,
    /// Whether only branches and tags would change.
    #[serde(skip)]
    pub refs_only: bool,
}

/// The outcome of a checkout. Ids are empty for none.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(tag = "type", rename = "checkout")]
pub struct CheckoutRecord {
    /// Commit before.
    #[serde(serialize_with = "or_empty")]
    pub from: Option<CommitId>,
    /// Commit after.
    #[serde(serialize_with = "or_empty")]
    pub to: Option<CommitId>,
    /// Commit of the unsaved changes.
    #[serde(serialize_with = "or_empty")]
    pub saved: Option<CommitId>,
    /// Current branch.
    pub branch: String,
    /// Entries written or changed.
    pub written: u64,
    /// Entries removed.
    pub deleted: u64,
    /// Entries that stayed as they were.
    pub unchanged: u64,
    /// Paths not restored exactly.
    #[serde(serialize_with = "reasons")]
    pub inexact: Vec<(RepoPathBuf, String)>,
    /// Paths damaged in the store, which stayed as they were.
    #[serde(serialize_with = "reasons")]
    pub damaged: Vec<(RepoPathBuf, String)>,
    /// Paths that changed during the checkout, which stayed as they were.
    pub changed: Vec<RepoPathBuf>,
    /// Paths in use, which stayed as they were.
    pub in_use: Vec<InUseRecord>,
    /// Commit of the paths that changed during the checkout.
    #[serde(serialize_with = "or_empty")]
    pub aside: Option<CommitId>,
    /// Paths that the commit does not cover, which stayed as they were.
    pub uncovered: Vec<Uncovered>,
    /// Directories kept because they contain something that is not recorded.
    pub kept: Vec<RepoPathBuf>,
    /// Restored files that had changed while they were recorded.
    pub torn: Vec<RepoPathBuf>,
    /// Journals restored together with their database file.
    pub journals: Vec<RepoPathBuf>,
    /// Journals left unchanged because the target does not cover their database file.
    pub left_journals: Vec<RepoPathBuf>,
    /// Unselected hard links to a selected file, which got its time.
    pub other_names: Vec<RepoPathBuf>,
    /// Whether the whole worktree was checked out, not only some paths.
    #[serde(skip)]
    pub whole: bool,
}

/// The outcome of `undo`, `redo` or `op restore`.
#[derive(Clone, Debug, Serialize)]
pub struct SteppedRecord {
    /// The checkout part.
    #[serde(flatten)]
    pub checkout: CheckoutRecord,
    /// Current commit.
    #[serde(serialize_with = "or_empty")]
    pub id: Option<CommitId>,
    /// The operations undone or redone, in this order.
    pub operations: Vec<CrossedRecord>,
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
}

/// The outcome of an export.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "export")]
pub struct ExportRecord {
    /// The exported commit or tree.
    pub id: ObjectId,
    /// Destination as the user wrote it.
    pub destination: String,
    /// Number of entries, without the root.
    pub entries: u64,
    /// Total size of the files, in bytes.
    pub bytes: u64,
    /// Paths not exported exactly.
    #[serde(serialize_with = "reasons")]
    pub inexact: Vec<(RepoPathBuf, String)>,
    /// Paths damaged in the store and not exported.
    #[serde(serialize_with = "reasons")]
    pub damaged: Vec<(RepoPathBuf, String)>,
    /// Exported files that had changed while they were recorded.
    pub torn: Vec<RepoPathBuf>,
}
