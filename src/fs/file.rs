//! Accesses files of the repository by path.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind as Cause;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use crate::environment::Durability;
use crate::error::{Error, Result};
use crate::fs::errno::of_repository;
use crate::fs::{Dir, Stat, is_gone, read_at, read_to_end_at, stat_file};
use crate::metadata::Kind;

/// Reads a repository file; `None` if it does not exist.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let Some((bytes, failure)) = read_prefix(path)? else { return Ok(None) };
    failure.map_or(Ok(Some(bytes)), Err)
}

/// Reads a repository file up to the first byte that cannot be read, and returns why it cannot. `None` if the file does
/// not exist.
pub fn read_prefix(path: &Path) -> Result<Option<(Vec<u8>, Option<Error>)>> {
    let Some((file, stat)) = open_existing(path)? else { return Ok(None) };
    let mut bytes = vec![0; usize::try_from(stat.size).unwrap_or(usize::MAX)];
    let failure = match read_to_end_at(&file, &mut bytes, 0, stat.size) {
        Ok((length, _)) => {
            bytes.truncate(length);
            None
        }
        Err(error) => {
            let readable = |start: &usize| {
                let end = bytes.len().min(start + SECTORS);
                read_at(&file, &mut vec![0; end - start], *start as u64).is_ok()
            };
            let length = (0..bytes.len()).step_by(SECTORS).take_while(readable).count() * SECTORS;
            bytes.truncate(length);
            read_at(&file, &mut bytes, 0)?;
            Some(of_repository(error))
        }
    };
    Ok(Some((bytes, failure)))
}

/// Unit in which file systems read: all of it is readable, or none.
const SECTORS: usize = 4 << 10;

/// Lists the names in a directory, sorted. Empty if the directory does not exist.
pub fn list(path: &Path) -> Result<Vec<Vec<u8>>> {
    let Some(listing) = if_exists("list", path, std::fs::read_dir(path))? else { return Ok(Vec::new()) };
    let names: std::io::Result<Vec<Vec<u8>>> =
        listing.map(|entry| entry.map(|entry| entry.file_name().into_vec())).collect();
    let mut names = names.map_err(|cause| Error::io("list", path, cause))?;
    names.sort_unstable();
    Ok(names)
}

/// Opens a repository file for reading. A FIFO in its place does not block: reading it fails.
pub fn open(path: &Path) -> Result<File> {
    without_blocking().read(true).open(path).map_err(|cause| of_repository(Error::io("open", path, cause)))
}

/// Opens a repository file and takes its stat; `None` if it does not exist. [`crate::error::ErrorKind::Damaged`] if it
/// is not a regular file.
pub(super) fn open_existing(path: &Path) -> Result<Option<(File, Stat)>> {
    let file = match open(path) {
        Err(error) if is_gone(&error) => return Ok(None),
        opened => opened?,
    };
    let stat = stat_file(&file)?;
    match stat.kind {
        Kind::File => Ok(Some((file, stat))),
        kind => Err(Error::damaged(format!("`{}` is not a regular file but a {}", path.display(), kind.word()))),
    }
}

/// Opens a file that the user named, which may be a pipe or a device.
pub fn open_any(path: &Path) -> Result<File> {
    File::open(path).map_err(|cause| Error::io("open", path, cause))
}

/// Reads a file that the user named, which may be a pipe or a device; `None` if it does not exist.
pub fn read_any(path: &Path) -> Result<Option<Vec<u8>>> {
    if_exists("read", path, std::fs::read(path))
}

/// Opens an existing repository file for reading and writing.
pub fn open_to_write(path: &Path) -> Result<File> {
    without_blocking().read(true).write(true).open(path).map_err(|cause| of_repository(Error::io("open", path, cause)))
}

/// Options that never block on a FIFO.
pub(super) fn without_blocking() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits() as i32);
    options
}

/// Takes the stat of a path without following a link; `None` if it does not exist.
pub fn stat(path: &Path) -> Result<Option<Stat>> {
    if_exists("stat", path, Stat::at(CWD, path.as_os_str().as_bytes()).map_err(Into::into))
}

/// The kind of file at a path, following links; `None` if it does not exist.
pub fn target_kind(path: &Path) -> Result<Option<Kind>> {
    let opened = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty());
    match opened.and_then(Stat::of) {
        Ok(stat) => Ok(Some(stat.kind)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(errno) => Err(Error::io("stat", path, errno.into())),
    }
}

/// Whether a path exists. Does not follow a link.
pub fn exists(path: &Path) -> Result<bool> {
    stat(path).map(|stat| stat.is_some())
}

/// Creates a directory that the user named, and its missing parents, with default modes.
pub fn create_dir_all(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|cause| Error::io("make the directory", path, cause))
}

/// Renames within a file system, replacing an existing file.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|cause| Error::io("rename", from, cause))
}

/// Removes a file. Succeeds if it does not exist.
pub fn remove_file(path: &Path) -> Result<()> {
    if_exists("remove", path, std::fs::remove_file(path)).map(|_| ())
}

/// Removes a directory if it is empty. Succeeds if it does not exist.
pub fn remove_empty_dir(path: &Path) -> Result<()> {
    if_exists("remove", path, std::fs::remove_dir(path)).map(|_| ())
}

/// Removes a directory with its content, without following links. Succeeds if it does not exist. Only for directories that this
/// program created.
pub fn remove_dir_all(path: &Path) -> Result<()> {
    if_exists("remove", path, std::fs::remove_dir_all(path)).map(|_| ())
}

/// Makes the names in a directory durable.
pub fn sync_dir(path: &Path, durability: Durability) -> Result<()> {
    Dir::open(path)?.sync(durability)
}

/// Converts the error for a missing path to `None`.
fn if_exists<T>(action: &str, path: &Path, result: std::io::Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(cause) if matches!(cause.kind(), Cause::NotFound | Cause::NotADirectory) => Ok(None),
        Err(cause) => Err(Error::io(action, path, cause)),
    }
}
