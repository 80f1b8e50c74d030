//! Recording: the worktree becomes a commit. Up the front stairs: scan → chunk → store → tree → commit → operation.

pub mod blob;
mod chunker;
mod commit;
mod commit_tree;
pub mod file;
mod large;
pub mod mktree;
mod rechunk;
mod record;
mod reflink;
mod restore_copy;
mod scan_tree;
mod side_commit;
#[cfg(test)]
mod tests;
mod write_tree;

use crate::alarm::Findings;
use crate::diff::ChangeCounts;
use crate::id::CommitId;
use crate::object::Ran;
use crate::object::commit::{Counts, Totals, Uncovered};
use crate::object::operation::Verb;
use crate::path::RepoPathBuf;
use crate::time::Timestamp;

pub use commit_tree::{CommitSpec, commit_tree};
pub use record::{SavedScan, Scanned, StoredScan, scan, take};
pub use restore_copy::store_again;
pub use scan_tree::with_database_files;
pub use side_commit::set_aside;
pub use write_tree::write_tree;

/// ScanOptions a commit is made.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Why.
    pub message: String,
    /// Record only these paths and the other files of their databases; keep the rest as in the parent. Empty means all
    /// paths.
    pub paths: Vec<RepoPathBuf>,
    /// Made by a command that is about to replace unsaved content.
    pub automatic: bool,
    /// It becomes part of the repository with what the transaction records next, and not before.
    pub prepares: bool,
    /// Cover these although rules ignore them.
    pub despite_rules: Vec<RepoPathBuf>,
    /// The command that is recorded.
    pub verb: Verb,
    /// The command that made what is recorded.
    pub ran: Option<Ran>,
    /// The commit that holds the directory as it was before that command: the operation has changed it since.
    pub from: Option<CommitId>,
}

/// What was recorded.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The commit that now holds the worktree: the new one, `@` if there was nothing new, or one that was made before of
    /// the same.
    pub commit: Option<CommitId>,
    /// Whether a commit was made.
    pub created: bool,
    /// What differs from the parent.
    pub changes: Counts,
    /// Changes by status; `changes` is what the commit says of them.
    pub counts: ChangeCounts,
    /// What there is.
    pub totals: Totals,
    /// Bytes read from the worktree.
    pub bytes_read: u64,
    /// Bytes that the store grew by.
    pub bytes_stored: u64,
    /// Not recorded, with reasons.
    pub uncovered: Vec<Uncovered>,
    /// Changed while they were read.
    pub torn: Vec<RepoPathBuf>,
    /// Paths that were not named, and were recorded because they belong to a named database.
    pub journals: Vec<RepoPathBuf>,
    /// Paths recorded without their extended attributes, which could not be read.
    pub without_attributes: Vec<RepoPathBuf>,
    /// Paths of the previous commit over which something is mounted. They are no longer covered.
    pub mounted_over: Vec<RepoPathBuf>,
    /// Time of the parent commit, if it is in the future.
    pub future_parent: Option<Timestamp>,
    /// Why the last commit could not be read, so that all was recorded anew and counts as added.
    pub damage: Option<String>,
    /// What the changes look like.
    pub findings: Findings,
}
