//! Reads, writes and flushes open files. Errors name the path.

use std::fs::File;
use std::io::{ErrorKind as Cause, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rustix::fs::Advice;

use crate::environment::Durability;
use crate::error::{Error, Result};
use crate::fs::errno::of_repository;
use crate::fs::{FileSystem, Stat};

/// The current path of an open file, for messages; of a file without a name, that of its directory.
pub fn path_of(file: &File) -> PathBuf {
    let link = format!("/proc/self/fd/{}", file.as_raw_fd());
    let Ok(path) = std::fs::read_link(&link) else { return PathBuf::from(link) };
    let name = path.file_name().map_or(&[][..], OsStrExt::as_bytes);
    match (path.parent(), name.strip_prefix(b"#").and_then(|name| name.strip_suffix(b" (deleted)"))) {
        (Some(directory), Some(inode)) if inode.iter().all(u8::is_ascii_digit) => directory.to_owned(),
        _ => path,
    }
}

/// The error of a failed call on an open file.
pub(super) fn failed(action: &str, file: &File, cause: impl Into<std::io::Error>) -> Error {
    Error::io(action, &path_of(file), cause.into())
}

/// The error for a file that is longer than any blob.
pub fn too_long(file: &File) -> Error {
    failed("read", file, rustix::io::Errno::FBIG)
}

/// The stat of an open file.
pub fn stat_file(file: &File) -> Result<Stat> {
    Stat::of(file).map_err(|errno| failed("stat", file, errno))
}

/// The kind of file system of an open file.
pub fn file_system_of(file: &File) -> Result<FileSystem> {
    FileSystem::from_call(rustix::fs::fstatfs(file))
        .map_err(|errno| failed("read the file system type of", file, errno))
}

/// Duplicates the file descriptor.
pub fn duplicate(file: &File) -> Result<File> {
    file.try_clone().map_err(|cause| failed("open", file, cause))
}

/// Reads from the current position until the buffer is full or the file ends. Returns the number of bytes.
pub fn read_next(mut file: &File, buffer: &mut [u8]) -> Result<usize> {
    fill(file, buffer, |_, rest| file.read(rest))
}

/// Reads at an offset until the buffer is full or the file ends. Returns the number of bytes.
pub fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize> {
    fill(file, buffer, |filled, rest| file.read_at(rest, offset + filled as u64))
}

/// Like [`read_at`], for a file that is expected to end at `end`: a read that stops exactly there is not repeated to confirm the end.
/// Also returns whether the file has ended.
pub fn read_to_end_at(file: &File, buffer: &mut [u8], offset: u64, end: u64) -> Result<(usize, bool)> {
    let mut met = false;
    let length = fill(file, buffer, |filled, rest| {
        let at = offset + filled as u64;
        if met {
            return Ok(0);
        }
        let length = file.read_at(rest, at)?;
        met = length < rest.len() && (length == 0 || at + length as u64 == end);
        Ok(length)
    })?;
    Ok((length, met))
}

fn fill(
    file: &File,
    buffer: &mut [u8],
    mut read: impl FnMut(usize, &mut [u8]) -> std::io::Result<usize>,
) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match read(filled, &mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(cause) if cause.kind() == Cause::Interrupted => {}
            Err(cause) => return Err(failed("read", file, cause)),
        }
    }
    Ok(filled)
}

/// Fills the buffer from an offset of a repository file. [`crate::error::ErrorKind::Damaged`] if the file is too short.
pub fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<()> {
    if read_at(file, buffer, offset).map_err(of_repository)? == buffer.len() {
        return Ok(());
    }
    Err(ends_early(file, offset.saturating_add(buffer.len() as u64)))
}

/// The error for a repository file that is too short.
pub(super) fn ends_early(file: &File, end: u64) -> Error {
    Error::damaged(format!("`{}` ends before byte {end}", path_of(file).display()))
}

/// Writes all bytes at the current position.
pub fn write_all(mut file: &File, bytes: &[u8]) -> Result<()> {
    file.write_all(bytes).map_err(|cause| failed("write", file, cause))
}

/// Writes all bytes at an offset.
pub fn write_all_at(file: &File, bytes: &[u8], offset: u64) -> Result<()> {
    file.write_all_at(bytes, offset).map_err(|cause| failed("write", file, cause))
}

/// Truncates the file, or extends it with a hole, to `length` bytes.
pub fn set_len(file: &File, length: u64) -> Result<()> {
    file.set_len(length).map_err(|cause| failed("set the length of", file, cause))
}

/// Makes content and length durable. After a failure the file must not be used: a second flush could succeed although bytes are
/// lost.
pub fn sync_data(file: &File, durability: Durability) -> Result<()> {
    if !durability.is_synced() {
        return Ok(());
    }
    file.sync_data().map_err(|cause| failed("flush", file, cause))
}

/// Makes content and metadata durable. A failure is final, as for [`sync_data`].
pub fn sync_all(file: &File, durability: Durability) -> Result<()> {
    if !durability.is_synced() {
        return Ok(());
    }
    file.sync_all().map_err(|cause| failed("flush", file, cause))
}

/// Flushes all file systems. Reports no failure, so each file system that matters must be flushed separately too.
pub fn sync_file_systems(durability: Durability) {
    if durability.is_synced() {
        rustix::fs::sync();
    }
}

/// Writes back the pages of a file, so that the next store through a mapping faults and sets its ctime. Not for
/// durability, so it is done even with `--no-sync`.
pub fn flush_mapped_stores(file: &File) -> Result<()> {
    file.sync_data().map_err(|cause| failed("flush", file, cause))
}

/// Drops the cached pages of a file that are written back, so that the next read is from the disk.
pub fn forget_cached(file: &File) -> Result<()> {
    rustix::fs::fadvise(file, 0, None, Advice::DontNeed).map_err(|errno| failed("drop the cache of", file, errno))
}
