//! Files of the repository itself, by path.

use std::fs::File;
use std::path::Path;

use crate::error::Result;

/// The bytes of a file; `None` if it is not there.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let _ = path;
    todo!()
}

/// Names in a directory, sorted; empty if it is not there.
pub fn list(path: &Path) -> Result<Vec<Vec<u8>>> {
    let _ = path;
    todo!()
}

/// Opens for appending, made with mode 0600 if it is not there.
pub fn append(path: &Path) -> Result<File> {
    let _ = path;
    todo!()
}

/// Whether there is something of this name; links are not followed.
pub fn exists(path: &Path) -> Result<bool> {
    let _ = path;
    todo!()
}

/// Makes a directory with mode 0700, and those above it that are missing.
pub fn create_dir_private(path: &Path) -> Result<()> {
    let _ = path;
    todo!()
}

/// Removes a file; no failure if it is not there.
pub fn remove_file(path: &Path) -> Result<()> {
    let _ = path;
    todo!()
}

/// Makes the names in a directory durable.
pub fn sync_dir(path: &Path) -> Result<()> {
    let _ = path;
    todo!()
}
