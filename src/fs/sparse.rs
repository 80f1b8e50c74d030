//! Finds and makes holes, preallocates space, and shares blocks.

use std::fs::File;

use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::io::{Errno, retry_on_intr};

use crate::error::Result;
use crate::fs::handle::failed;

/// The parts of a file that are not holes, as offset and length in bytes, ascending, within `size`. One part if the file
/// system has no holes. Changes the position of the file.
pub fn data_ranges(file: &File, size: u64) -> Result<Vec<(u64, u64)>> {
    let whole = if size == 0 { Vec::new() } else { vec![(0, size)] };
    match find_ranges(file, size) {
        Ok(ranges) => Ok(ranges),
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(whole),
        Err(errno) => Err(failed("find the holes of", file, errno)),
    }
}

/// Whether a file has a hole before `size`, with one call. Changes the position of the file.
pub fn has_hole(file: &File, size: u64) -> Result<bool> {
    match rustix::fs::seek(file, SeekFrom::Hole(0)) {
        Ok(start) => Ok(start < size),
        // No holes on this file system, or an empty file.
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS | Errno::NXIO) => Ok(false),
        Err(errno) => Err(failed("find the holes of", file, errno)),
    }
}

fn find_ranges(file: &File, size: u64) -> rustix::io::Result<Vec<(u64, u64)>> {
    let mut ranges: Vec<(u64, u64)> = Vec::new();
    let mut end = 0;
    while end < size {
        let start = match rustix::fs::seek(file, SeekFrom::Data(end)) {
            Ok(start) if start < size => start,
            // A hole up to the end.
            Ok(_) | Err(Errno::NXIO) => break,
            Err(errno) => return Err(errno),
        };
        end = match rustix::fs::seek(file, SeekFrom::Hole(start)) {
            Ok(hole) => hole.min(size),
            // Truncated meanwhile, which the reader detects.
            Err(Errno::NXIO) => size,
            Err(errno) => return Err(errno),
        };
        match ranges.last_mut() {
            Some(last) if last.0 + last.1 == start => last.1 = end - last.0,
            _ if end > start => ranges.push((start, end - start)),
            _ => break,
        }
    }
    Ok(ranges)
}

/// Preallocates `length` bytes, so that a full disk is detected before anything is written. Keeps the file length. Does not
/// fail if the file system lacks the operation or a sandbox forbids it.
pub fn preallocate(file: &File, length: u64) -> Result<()> {
    if length == 0 {
        return Ok(());
    }
    match retry_on_intr(|| rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, 0, length)) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => Ok(()),
        Err(errno) => Err(failed("reserve space for", file, errno)),
    }
}

/// Frees the blocks of a part of a file, which then reads as zeros. Keeps the file length. Returns `false`, without a change, if
/// the file system cannot do that.
pub fn punch_hole(file: &File, offset: u64, length: u64) -> Result<bool> {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    match retry_on_intr(|| rustix::fs::fallocate(file, flags, offset, length)) {
        Ok(()) => Ok(true),
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => Ok(false),
        Err(errno) => Err(failed("free blocks of", file, errno)),
    }
}

/// Makes `to` a copy of `from` that shares its blocks. Returns `false`, without a change, if the file system cannot share
/// blocks.
pub fn reflink(from: &File, to: &File) -> Result<bool> {
    match retry_on_intr(|| rustix::fs::ioctl_ficlone(to, from)) {
        Ok(()) => Ok(true),
        Err(
            Errno::OPNOTSUPP
            | Errno::NOTTY
            | Errno::XDEV
            | Errno::INVAL
            | Errno::NOSYS
            | Errno::TXTBSY
            | Errno::PERM
            | Errno::ACCESS,
        ) => Ok(false),
        Err(errno) => Err(failed("copy to", to, errno)),
    }
}
