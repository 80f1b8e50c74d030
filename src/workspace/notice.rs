//! Notices: what an operation reports in addition to its outcome, as data.

use std::sync::Arc;

use crate::error::Error;
use crate::id::BlobId;
use crate::path::RepoPathBuf;
use crate::worktree::Scan;
use crate::worktree::ignore::IgnoreWarning;

/// Something that a user should know, although the operation continues.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The current commit is damaged, for this reason, so all files were recorded again.
    DamagedParent(String),
    /// Ignore rules without effect.
    IgnoreRules(Vec<IgnoreWarning>),
    /// The index could not be used, so all files were read.
    IndexFailure(Arc<Error>),
    /// Files that an unfinished checkout has left under staged names, and that no commit holds.
    LeftStaged(Vec<RepoPathBuf>),
    /// Files that a checkout removes, and whose saved copies are damaged: they are saved again first.
    SavedAgain(Vec<RepoPathBuf>),
    /// Why paths that changed during a checkout could not be recorded. They are unchanged.
    SideCommitFailed(Arc<Error>),
}

/// The notices of a scan.
pub(super) fn of_scan(damage: Option<&String>, scan: &Scan) -> Vec<Notice> {
    let mut notices: Vec<Notice> = damage.cloned().map(Notice::DamagedParent).into_iter().collect();
    if !scan.ignore_warnings.is_empty() {
        notices.push(Notice::IgnoreRules(scan.ignore_warnings.clone()));
    }
    notices.extend(scan.index_failure.clone().map(Notice::IndexFailure));
    notices
}

/// The notice about files that are the last copies of what was saved.
pub(super) fn of_last_copies(files: &[(RepoPathBuf, BlobId)]) -> Option<Notice> {
    let paths = files.iter().map(|(path, _)| path.clone()).collect();
    (!files.is_empty()).then_some(Notice::SavedAgain(paths))
}
