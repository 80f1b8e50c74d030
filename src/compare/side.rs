//! A side of a comparison.

use std::collections::HashMap;

use crate::diff::{LeftOut, trees};
use crate::error::{ErrorKind, Result};
use crate::id::CommitId;
use crate::object::{Commit, Objects};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::Repository;
use crate::store::PurgedBlobs;
use crate::worktree::{HashSink, Index, Scan, Worktree, scan};

/// A side of a comparison.
pub enum Side {
    /// The state before the first commit.
    Nothing,
    /// A recorded commit.
    Commit(Box<Commit>),
    /// A scan of the worktree.
    Live(Box<Scan>),
}

impl Side {
    /// Reads a commit. `None` is the state before the first commit.
    pub fn commit(repository: &Repository, id: Option<CommitId>) -> Result<Side> {
        match id {
            Some(id) => match repository.store().commit(id) {
                Err(error) if error.kind() == ErrorKind::Damaged && repository.view().at() == Some(id) => {
                    Err(error
                        .hint("`undo commit` records the whole directory again; `undo log` lists what can be read"))
                }
                commit => Ok(Side::Commit(Box::new(commit?))),
            },
            None => Ok(Side::Nothing),
        }
    }

    /// Scans the worktree, or only `paths` if there are any.
    pub fn live(
        repository: &Repository,
        worktree: &Worktree,
        paths: &[RepoPathBuf],
        progress: &dyn Progress,
    ) -> Result<Side> {
        Ok(Side::Live(Box::new(scan_worktree(repository, worktree, paths, progress)?)))
    }

    /// The commit, if the side is one.
    pub fn as_commit(&self) -> Option<&Commit> {
        match self {
            Side::Commit(commit) => Some(commit),
            _ => None,
        }
    }

    /// The paths that the side does not cover. A commit does not record which paths were ignored; a worktree may lack files
    /// with purged content.
    pub(super) fn left_out(&self, purged: &PurgedBlobs) -> LeftOut {
        match self {
            Side::Nothing => LeftOut::default(),
            Side::Commit(commit) => LeftOut::seen(&commit.uncovered, &[], &HashMap::new()),
            Side::Live(scan) => LeftOut::seen(&scan.uncovered, &scan.ignored, &scan.uncovered_kinds).or_purged(purged),
        }
    }

    pub(super) fn as_tree(&self) -> trees::Side<'_> {
        let (root, links) = match self {
            Side::Nothing => (None, None),
            Side::Commit(commit) => (Some(&commit.root), commit.links),
            Side::Live(scan) => (Some(&scan.root), scan.links),
        };
        trees::Side { root, links }
    }
}

/// Scans the worktree without storing anything or updating the index.
pub fn scan_worktree(
    repository: &Repository,
    worktree: &Worktree,
    paths: &[RepoPathBuf],
    progress: &dyn Progress,
) -> Result<Scan> {
    let index = Index::open(&repository.layout.index());
    let options = scan::Options {
        paths: paths.to_vec(),
        staged_by: repository.unfinished().map(|intent| intent.token),
        ..scan::Options::default()
    };
    scan::scan(worktree, repository.store(), &index, &options, &HashSink::new, progress)
}
