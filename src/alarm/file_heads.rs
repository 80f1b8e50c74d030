//! The first bytes of files, from the store or the live directory. What cannot be read says nothing, and is no failure.

use super::content::HEAD;
use crate::error::Result;
use crate::fs::{self, Dir};
use crate::id::BlobId;
use crate::path::RepoPath;
use crate::store::Store;

/// Where to look into files.
pub struct Heads<'a> {
    store: &'a Store,
    live: &'a Dir,
}

impl<'a> Heads<'a> {
    /// In the store, and for what it does not hold in the directory.
    pub fn new(store: &'a Store, live: &'a Dir) -> Heads<'a> {
        Heads { store, live }
    }

    /// The first bytes of what was recorded.
    pub fn before(&self, blob: BlobId) -> Option<Vec<u8>> {
        self.stored(blob).ok()
    }

    /// The first bytes of what a path holds now.
    pub fn now(&self, path: &RepoPath, blob: BlobId) -> Option<Vec<u8>> {
        if self.store.contains_blob(blob) { self.stored(blob).ok() } else { self.live(path).ok() }
    }

    fn stored(&self, blob: BlobId) -> Result<Vec<u8>> {
        let mut reader = self.store.open_blob(blob)?;
        let bytes = reader.bytes_at(0)?;
        Ok(bytes[..bytes.len().min(HEAD)].to_vec())
    }

    fn live(&self, path: &RepoPath) -> Result<Vec<u8>> {
        let directory = self.live.open_below(path.parent().unwrap_or(RepoPath::root()))?;
        let file = directory.open_file(path.name().unwrap_or_default())?;
        let mut head = vec![0; HEAD];
        let length = fs::read_at(&file, &mut head, 0)?;
        head.truncate(length);
        Ok(head)
    }
}
