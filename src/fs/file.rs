//! Files of the repository itself, by path.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind as Cause;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::CWD;

use crate::error::{Error, Result};
use crate::fs::{Dir, Stat};

/// The bytes of a file; `None` if it is not there.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    if_there("read", path, std::fs::read(path))
}

/// Names in a directory, sorted; empty if it is not there.
pub fn list(path: &Path) -> Result<Vec<Vec<u8>>> {
    let Some(listing) = if_there("list", path, std::fs::read_dir(path))? else { return Ok(Vec::new()) };
    let names: std::io::Result<Vec<Vec<u8>>> =
        listing.map(|entry| entry.map(|entry| entry.file_name().into_vec())).collect();
    let mut names = names.map_err(|cause| Error::io("list", path, cause))?;
    names.sort_unstable();
    Ok(names)
}

/// Opens for reading.
pub fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|cause| Error::io("open", path, cause))
}

/// Opens a file that is there for reading and writing.
pub fn open_to_write(path: &Path) -> Result<File> {
    OpenOptions::new().read(true).write(true).open(path).map_err(|cause| Error::io("open", path, cause))
}

/// Makes a file with mode 0600 that must not be there yet, for reading and writing.
pub fn create_new(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.open(path).map_err(|cause| Error::io("create", path, cause))
}

/// The stat of what has this name, links not followed; `None` if it is not there.
pub fn stat(path: &Path) -> Result<Option<Stat>> {
    if_there("stat", path, Stat::at(CWD, path.as_os_str().as_bytes()).map_err(Into::into))
}

/// Whether there is something of this name; links are not followed.
pub fn exists(path: &Path) -> Result<bool> {
    stat(path).map(|stat| stat.is_some())
}

/// Makes a directory with mode 0700, and those above it that are missing.
pub fn create_dir_private(path: &Path) -> Result<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|cause| Error::io("make the directory", path, cause))
}

/// Makes a directory as any program would, and those above it that are missing: for what a user asked for.
pub fn create_dir_all(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|cause| Error::io("make the directory", path, cause))
}

/// Renames within a file system; what is at the new name is replaced.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|cause| Error::io("rename", from, cause))
}

/// Removes a file; no failure if it is not there.
pub fn remove_file(path: &Path) -> Result<()> {
    if_there("remove", path, std::fs::remove_file(path)).map(|_| ())
}

/// Removes a directory if nothing is in it; no failure if it is not there.
pub fn remove_empty_dir(path: &Path) -> Result<()> {
    if_there("remove", path, std::fs::remove_dir(path)).map(|_| ())
}

/// Removes a directory and all in it, links not followed; no failure if it is not there.
/// Only for what the program made itself.
pub fn remove_dir_all(path: &Path) -> Result<()> {
    if_there("remove", path, std::fs::remove_dir_all(path)).map(|_| ())
}

/// Makes the names in a directory durable.
pub fn sync_dir(path: &Path) -> Result<()> {
    Dir::open(path)?.sync()
}

/// A result, with `None` for what is not there.
fn if_there<T>(action: &str, path: &Path, result: std::io::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(cause) if matches!(cause.kind(), Cause::NotFound | Cause::NotADirectory) => Ok(None),
        Err(cause) => Err(Error::io(action, path, cause)),
    }
}
