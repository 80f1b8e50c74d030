//! The two sides of a comparison: nothing, a commit, or the live worktree.

use crate::diff::{self, Change, trees};
use crate::error::{ErrorKind, Result};
use crate::id::{CommitId, LinksId};
use crate::object::{Commit, Entry, Objects};
use crate::path::RepoPathBuf;
use crate::repo::Repository;
use crate::snapshot;
use crate::ui::Ui;
use crate::worktree::{Index, Overlay, Scan, Worktree};

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
                    Err(error.hint("`undo commit` records all that is here anew; `undo log` lists what can be read"))
                }
                commit => Ok(Side::Commit(Box::new(commit?))),
            },
            None => Ok(Side::Nothing),
        }
    }

    /// The worktree, read now; only `paths` if there are any.
    pub fn live(ui: &Ui, repository: &Repository, worktree: &Worktree, paths: &[RepoPathBuf]) -> Result<Side> {
        let index = Index::open(&repository.layout.index())?;
        Ok(Side::Live(Box::new(snapshot::look(repository, worktree, &index, paths, ui.progress())?)))
    }

    /// Its root directory.
    pub fn root(&self) -> Option<&Entry> {
        match self {
            Side::Nothing => None,
            Side::Commit(commit) => Some(&commit.root),
            Side::Live(scan) => Some(&scan.root),
        }
    }

    /// The commit that it is.
    pub fn as_commit(&self) -> Option<&Commit> {
        match self {
            Side::Commit(commit) => Some(commit),
            _ => None,
        }
    }

    fn links(&self) -> Option<LinksId> {
        match self {
            Side::Nothing => None,
            Side::Commit(commit) => commit.links,
            Side::Live(scan) => scan.links,
        }
    }

    fn scan(&self) -> Option<&Scan> {
        match self {
            Side::Live(scan) => Some(scan),
            _ => None,
        }
    }
}

/// Calls `each` with every path that differs, in path order.
pub fn compare(
    repository: &Repository,
    (old, new): (&Side, &Side),
    options: &diff::Options,
    each: &mut dyn FnMut(Change) -> Result<()>,
) -> Result<()> {
    let sides =
        (trees::Side { root: old.root(), links: old.links() }, trees::Side { root: new.root(), links: new.links() });
    match new.scan() {
        Some(scan) => {
            let objects = Overlay { below: repository.store(), objects: &scan.objects };
            diff::compare(&objects, sides.0, sides.1, options, each)
        }
        None => diff::compare(repository.store(), sides.0, sides.1, options, each),
    }
}
