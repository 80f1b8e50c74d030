//! Notices: what an operation reports in addition to its outcome, as data.

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::fs::Holder;
use crate::id::BlobId;
use crate::path::RepoPathBuf;
use crate::quote::shell_path;
use crate::repo::Repository;
use crate::repo::layout::{Attachment, Layout};
use crate::time::Timestamp;
use crate::worktree::Scan;
use crate::worktree::ignore::IgnoreWarning;

/// Something that a user should know, although the operation continues.
#[derive(Clone, Debug)]
pub enum Notice {
    /// The current commit is damaged, for this reason, so all files were recorded again.
    DamagedParent(String),
    /// A file of the repository is unusable, for this reason.
    DamagedFile(String),
    /// A setting in the user's file, the whole file, or a setting that a repository must not have is ignored for this reason.
    InvalidSetting(String),
    /// The repository lies inside the directory that it records; `remedy` moves it away.
    RepositoryInside {
        /// Path of the repository.
        repository: PathBuf,
        /// What to do.
        remedy: String,
    },
    /// The repository belongs to another directory, so nothing is recorded.
    UnknownDirectory {
        /// The two directories.
        state: String,
        /// What to do.
        remedy: String,
    },
    /// Another process is performing a checkout.
    RunningCheckout {
        /// Description of the checkout.
        checkout: String,
        /// Id of the process.
        process: u32,
    },
    /// A checkout was interrupted, here or in another directory with the same repository.
    UnfinishedCheckout {
        /// Description of the checkout.
        checkout: String,
        /// Whether it concerns this directory, which is half old, half new.
        is_here: bool,
        /// The command that finishes it.
        finish: String,
        /// The command that undoes it.
        undo: String,
    },
    /// The store is on another file system than the directory, so the first commit copies all files.
    OtherFileSystem {
        /// Path of the store.
        store: PathBuf,
        /// What is copied.
        copy: FirstCopy,
    },
    /// A store has the history of another directory that was at this path.
    FormerHistory {
        /// Path of the directory.
        directory: PathBuf,
        /// Path of the store with the former history.
        store: PathBuf,
    },
    /// The history that a directory continues is older than that of another directory that was at the same path.
    NewerHistory {
        /// Time of the latest record of the history that is continued.
        continued: Timestamp,
        /// Path of the store with the newer history.
        store: PathBuf,
        /// The directory that has the newer history now.
        directory: PathBuf,
    },
    /// A command has deleted the file `.undo`, which was written again.
    DeletedMarker {
        /// Path of the file.
        marker: PathBuf,
        /// Why it could not be written.
        failure: Option<Arc<Error>>,
    },
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

/// Files that the first commit of a directory copies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstCopy {
    /// Number of files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Free space for the copies. `None` if unknown.
    pub free: Option<u64>,
}

/// Unusable files of a repository, and its place.
pub(crate) fn of_repository(repository: &Repository) -> Vec<Notice> {
    let damaged = repository.warnings().iter().map(|error| Notice::DamagedFile(error.to_string()));
    let settings = repository.setting_problems().iter().map(|error| Notice::InvalidSetting(error.to_string()));
    damaged.chain(settings).chain(repository_inside(&repository.layout)).collect()
}

fn repository_inside(layout: &Layout) -> Option<Notice> {
    let (repository, marker) = (layout.inside_worktree()?, layout.marker());
    let remedy = match layout.attachment {
        Attachment::Store(_) => format!("move it elsewhere, then write its new path into {}", shell_path(&marker)),
        _ => format!("move it back: rm {0} && mv {1} {0}", shell_path(&marker), shell_path(&repository)),
    };
    Some(Notice::RepositoryInside { repository, remedy })
}

/// The state of checkouts in the worktree, and in other directories with the same repository.
pub(crate) fn of_checkouts(repository: &mut Repository) -> Result<Vec<Notice>> {
    let mut notices = Vec::new();
    if let Some((state, remedy)) = repository.membership().problem(&repository.layout) {
        notices.push(Notice::UnknownDirectory { state, remedy });
    }
    if repository.state().intent.is_none() {
        return Ok(notices);
    }
    if let Some(running) = running_checkout(repository) {
        notices.push(running);
        return Ok(notices);
    }
    // The checkout may have ended just now.
    repository.reload()?;
    notices.extend(unfinished_checkout(repository));
    Ok(notices)
}

/// The unfinished checkout, if the process that holds the lock is performing it.
fn running_checkout(repository: &Repository) -> Option<Notice> {
    let holder = Holder::of(&repository.layout.lock())?;
    let intent = repository.state().intent.as_ref().filter(|intent| intent.time >= holder.since)?;
    let checkout = repository.foreign().map_or_else(|| intent.describe(), |foreign| foreign.describe());
    Some(Notice::RunningCheckout { checkout, process: holder.pid })
}

fn unfinished_checkout(repository: &Repository) -> Option<Notice> {
    if let Some(foreign) = repository.foreign() {
        let (finish, undo) = (foreign.command("checkout --continue"), foreign.command("undo"));
        return Some(Notice::UnfinishedCheckout { checkout: foreign.describe(), is_here: false, finish, undo });
    }
    let (finish, undo) = ("undo checkout --continue".to_owned(), "undo undo".to_owned());
    let checkout = repository.unfinished()?.describe();
    Some(Notice::UnfinishedCheckout { checkout, is_here: true, finish, undo })
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
