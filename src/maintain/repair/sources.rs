//! Where a repair looks for lost objects.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::{BlobId, PackId};
use crate::path::RepoPathBuf;
use crate::repo::layout::Attachment;
use crate::repo::{Layout, Repository};
use crate::store::{Session, Store};
use crate::worktree::Worktree;

/// Puts files of the worktree into a session. Returns the paths of files that have other content.
pub type StoreFiles =
    for<'s> fn(&'s Store, &'s Session<'s>, &Worktree, &[(RepoPathBuf, BlobId)]) -> Result<Vec<RepoPathBuf>>;

/// Where lost objects may be found.
pub struct Sources<'s> {
    /// Other stores with copies of objects, in this order.
    pub(super) copies: Vec<Store>,
    /// The worktree.
    pub(super) worktree: &'s Worktree,
    /// Stores whole files of the worktree.
    pub(super) store_files: StoreFiles,
}

impl<'s> Sources<'s> {
    /// The worktree, the packs in the repository that the journal does not name, and all packs of other repositories. Each
    /// of `from` is a directory with a repository, or a repository folder. `others` are searched last.
    pub fn open(
        repository: &Repository,
        from: &[impl AsRef<Path>],
        others: Vec<Store>,
        worktree: &'s Worktree,
        store_files: StoreFiles,
    ) -> Result<Sources<'s>> {
        let named = &repository.state().packs;
        let mut copies = vec![open(repository, &repository.layout, |pack| !named.contains(&pack))?];
        for path in from {
            copies.push(open(repository, &layout_of(path.as_ref())?, |_| true)?);
        }
        copies.extend(others);
        Ok(Sources { copies, worktree, store_files })
    }
}

/// Opens packs of a repository, named by its journal or not. Ids verify what is read.
fn open(repository: &Repository, layout: &Layout, is_wanted: impl Fn(PackId) -> bool) -> Result<Store> {
    let packs = layout.pack_files()?.into_iter().map(|(id, _)| id).filter(|&id| is_wanted(id));
    let options = repository.store().options().clone();
    Store::open(&layout.repository, &packs.collect::<Vec<_>>(), None, options)
}

/// The repository in a directory, or in the folder itself.
fn layout_of(path: &Path) -> Result<Layout> {
    if let Some(layout) = Layout::at(path)? {
        return Ok(layout);
    }
    let layout = Layout::new(path, path, Attachment::Own);
    if fs::exists(&layout.packs())? {
        return Ok(layout);
    }
    Err(Error::new(ErrorKind::NoRepository, format!("no repository in `{}`", path.display()))
        .hint("name a directory with a repository, or a copy of the folder `.undo`"))
}
