//! One side of a comparison.

use std::collections::HashMap;

use crate::diff::{LeftOut, trees};
use crate::error::{ErrorKind, Result};
use crate::id::CommitId;
use crate::object::{Commit, Objects};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::Repository;
use crate::worktree::{HashSink, Index, Scan, Worktree, scan};

/// One side.
pub enum Side {
    /// Before the first commit.
    Nothing,
    /// A recorded state.
    Commit(Box<Commit>),
    /// The worktree as it is now.
    Live(Box<Scan>),
}

impl Side {
    /// A commit; nothing for `None`.
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

    /// The worktree, read now; only `paths` if there are any.
    pub fn live(
        repository: &Repository,
        worktree: &Worktree,
        paths: &[RepoPathBuf],
        progress: &dyn Progress,
    ) -> Result<Side> {
        Ok(Side::Live(Box::new(look(repository, worktree, paths, progress)?)))
    }

    /// The commit that it is.
    pub fn as_commit(&self) -> Option<&Commit> {
        match self {
            Side::Commit(commit) => Some(commit),
            _ => None,
        }
    }

    /// What it leaves out, as far as it says so: a commit does not say what its rules ignored.
    pub(super) fn left_out(&self) -> LeftOut {
        match self {
            Side::Nothing => LeftOut::default(),
            Side::Commit(commit) => LeftOut::seen(&commit.uncovered, &[], &HashMap::new()),
            Side::Live(scan) => LeftOut::seen(&scan.uncovered, &scan.ignored, &scan.uncovered_kinds),
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

/// Reads the worktree without storing anything; refreshes nothing.
pub fn look(
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
