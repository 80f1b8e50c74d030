//! Reads the first bytes of files. Unreadable files are skipped, because alarms must not make a command fail.

use super::Evidence;
use super::content::HEAD;
use crate::error::Result;
use crate::fs;
use crate::id::BlobId;
use crate::path::RepoPath;

impl Evidence<'_> {
    /// The first bytes of a recorded blob.
    pub(super) fn old_head(&self, blob: BlobId) -> Option<Vec<u8>> {
        self.stored(blob).ok()
    }

    /// The first bytes of the blob at a path, read from the worktree if the blob is not stored.
    pub(super) fn new_head(&self, path: &RepoPath, blob: BlobId) -> Option<Vec<u8>> {
        if self.store.contains_blob(blob) { self.stored(blob).ok() } else { self.live(path).ok() }
    }

    fn stored(&self, blob: BlobId) -> Result<Vec<u8>> {
        let mut reader = self.store.open_blob(blob)?;
        let bytes = reader.bytes_at(0)?;
        Ok(bytes[..bytes.len().min(HEAD)].to_vec())
    }

    fn live(&self, path: &RepoPath) -> Result<Vec<u8>> {
        let file = self.live.open_file_below(path)?;
        let mut head = vec![0; HEAD];
        let length = fs::read_at(&file, &mut head, 0)?;
        head.truncate(length);
        Ok(head)
    }
}
