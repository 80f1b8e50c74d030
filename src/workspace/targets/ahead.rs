//! Fetches what an export needs of a target at once, several packs at the same time, instead of one object after the other.

use std::path::Path;

use crate::environment::Durability;
use crate::error::Result;
use crate::fs::{self, Interrupts, ScratchDirectory};
use crate::id::{BlobId, CommitId};
use crate::object::references::{Reference, of_entry};
use crate::object::{Entry, ObjectKind};
use crate::path::RepoPath;
use crate::path::selection::PathSelection;
use crate::progress::Progress;
use crate::store::{Options, Store};
use crate::transfer::fetch::{self, Reading, Totals};
use crate::workspace::Workspace;

use super::cancel::CancelledBySignals;
use super::history::{Fetched, RemoteHistory};

/// Creates an empty store in a directory.
pub(super) fn scratch_store(directory: &Path, like: &Store) -> Result<Store> {
    fs::create_dir_all(&directory.join("packs"))?;
    fs::create_dir_all(&directory.join("tmp"))?;
    let options = Options { durability: Durability::NoSync, reflink: false, ..like.options().clone() };
    Store::open(directory, &[], None, options)
}

/// What to fetch for reading, as in [`Reading`].
pub(super) struct Needs<'n> {
    pub present: Option<&'n Store>,
    pub roots: Vec<Reference>,
    pub is_wanted: &'n dyn Fn(BlobId) -> bool,
    pub space: u64,
}

impl Workspace {
    /// Fetches what an export of a directory of a commit, or of the selected paths in it, reads from a target. `destination` is where
    /// the export goes, if it is a path. Without a target, does nothing.
    pub(in crate::workspace) fn fetch_for_export(
        &self,
        commit: CommitId,
        path: &RepoPath,
        selection: &PathSelection,
        destination: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<()> {
        let Some(history) = &self.remote_history else { return Ok(()) };
        let (mut roots, mut space) = (Vec::new(), 0);
        let mut add = |entry: &Entry| {
            space += entry.size();
            of_entry(entry, &mut |reference| roots.push(reference));
        };
        match selection.is_all() {
            true => add(&self.entry(commit, path)?),
            false => {
                for path in self.paths_in(commit, selection)? {
                    add(&self.entry(commit, &path)?);
                }
            }
        }
        let links = self.read_commit(commit)?.links;
        roots.extend(links.map(|id| Reference::Object(ObjectKind::Links, id.object_id())));
        let interrupts = Interrupts::watch();
        let progress = &CancelledBySignals { progress, left: "nothing was exported" };
        let folder = destination.map_or_else(ScratchDirectory::new, ScratchDirectory::beside)?;
        let here = self.repository.store();
        let mut store = scratch_store(folder.path(), here)?;
        let is_wanted = |blob| !here.is_purged(blob);
        history.fetch(&mut store, Needs { present: Some(here), roots, is_wanted: &is_wanted, space }, progress)?;
        let _ = history.fetched.set(Fetched { store, _folder: folder, _interrupts: interrupts });
        Ok(())
    }
}

impl RemoteHistory {
    /// Fetches what a store needs for reading.
    pub(super) fn fetch(&self, store: &mut Store, needs: Needs<'_>, progress: &dyn Progress) -> Result<Totals> {
        let Needs { present, roots, is_wanted, space } = needs;
        let connections = self.objects.connections();
        self.objects.read(|target| {
            let reading = Reading { target, present, roots: roots.clone(), is_wanted, connections, space };
            fetch::fetch_for_reading(store, reading, progress)
        })
    }
}
