//! The lock of a repository: the system's own, which dies with its process.

use std::path::Path;
use std::time::Duration;

use crate::error::Result;

/// An exclusive lock on a file, held until it is dropped.
#[derive(Debug)]
pub struct FileLock {
    _file: std::fs::File,
}

/// Who holds a lock, as the holder wrote it into the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its process id.
    pub pid: u32,
    /// What it runs.
    pub command: String,
    /// Since when.
    pub since: crate::time::Timestamp,
}

impl FileLock {
    /// Takes the lock, waiting up to `patience`; [`crate::error::ErrorKind::Locked`] names the holder.
    /// The file is made if it is not there, and never removed.
    pub fn acquire(path: &Path, command: &str, patience: Duration) -> Result<FileLock> {
        let _ = (path, command, patience);
        todo!()
    }
}
