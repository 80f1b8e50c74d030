//! Records the worktree as a commit: scan → chunk → store → tree → commit → operation.

mod beside;
pub mod blob;
mod commit;
mod commit_tree;
pub mod file;
#[cfg(feature = "targets")]
mod graft;
mod large;
pub mod mktree;
mod operation;
mod prefix;
mod rechunk;
mod record;
mod reflink;
mod reword;
mod scan_tree;
mod side_commit;
#[cfg(test)]
mod tests;
mod twin;
mod write_tree;

use crate::alarm::Findings;
use crate::diff::ChangeCounts;
use crate::id::CommitId;
use crate::object::RunInfo;
use crate::object::commit::{Counts, Totals, Uncovered, unread};
use crate::object::operation::Verb;
use crate::path::RepoPathBuf;
use crate::progress::deadline::Deadline;
use crate::time::Timestamp;
use crate::worktree::scan::PartialIndex;

pub use beside::Beside;
pub(crate) use beside::is_same_content;
pub use blob::{store_again, store_files};
pub use commit::CommitMessage;
pub use commit_tree::{CommitSpec, commit_tree};
#[cfg(feature = "targets")]
pub use graft::graft;
pub use record::{SavedScan, StoredScan, reuse, scan, take};
pub use reword::reword;
pub use side_commit::set_aside;
pub use write_tree::write_tree;

/// What to record, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Commit message.
    pub message: String,
    /// Author; `None` means the one in the settings.
    pub author: Option<String>,
    /// Record only these paths and the other files of their databases; keep the rest as in the parent. Empty means all
    /// paths.
    pub paths: Vec<RepoPathBuf>,
    /// Made by a command before it replaces unsaved content.
    pub automatic: bool,
    /// The operation becomes durable together with the next record of the transaction.
    pub prepares: bool,
    /// Paths to cover although rules ignore them.
    pub despite_rules: Vec<RepoPathBuf>,
    /// The command that is recorded.
    pub verb: Verb,
    /// The command whose changes are recorded.
    pub ran: Option<RunInfo>,
    /// The commit of the worktree before that command.
    pub from: Option<CommitId>,
    /// Commit beside the branch, without changing a ref. `None` commits on the current branch.
    pub beside: Option<Beside>,
    /// Checked until the operation is appended.
    pub deadline: Option<Deadline>,
    /// Receives the index of a scan that was not in time.
    pub partial: PartialIndex,
}

/// Outcome of recording the worktree.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The commit that holds the worktree now: a new one, `@` if nothing has changed, or an older one of the same content.
    pub commit: Option<CommitId>,
    /// Whether a new commit was made.
    pub created: bool,
    /// Differences from the parent, as the commit records them.
    pub changes: Counts,
    /// Changes by status; `changes` is what the commit says of them.
    pub counts: ChangeCounts,
    /// Number and size of all entries.
    pub totals: Totals,
    /// Bytes read from the worktree.
    pub bytes_read: u64,
    /// Bytes added to the store.
    pub bytes_stored: u64,
    /// Allocated bytes by which the repository has grown on disk. Negative if it has shrunk.
    pub disk_growth: i64,
    /// Paths that were not recorded, with reasons.
    pub uncovered: Vec<Uncovered>,
    /// Files that changed while they were read.
    pub torn: Vec<RepoPathBuf>,
    /// Paths that were recorded because they belong to a selected database.
    pub journals: Vec<RepoPathBuf>,
    /// Paths recorded without their extended attributes, which could not be read.
    pub without_attributes: Vec<RepoPathBuf>,
    /// Paths of the previous commit over which something is mounted. They are no longer covered.
    pub mounted_over: Vec<RepoPathBuf>,
    /// Time of the parent commit, if it is in the future.
    pub future_parent: Option<Timestamp>,
    /// Why the parent commit could not be read. Then everything was recorded again, and counts as added.
    pub damage: Option<String>,
    /// Alarms about the changes.
    pub findings: Findings,
}

impl Outcome {
    /// Whether all data is recorded, each file in one state and with its attributes.
    pub fn is_complete(&self) -> bool {
        unread(&self.uncovered).next().is_none() && self.torn.is_empty() && self.without_attributes.is_empty()
    }
}
