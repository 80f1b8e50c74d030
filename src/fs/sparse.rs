//! Holes of a file, space asked for ahead, and copies that share their blocks.

use std::fs::File;

use rustix::fs::{FallocateFlags, SeekFrom};
use rustix::io::{Errno, retry_on_intr};

use crate::error::Result;
use crate::fs::handle::{failed, read_at, write_all_at};

/// The parts of a file that are not holes, as offset and length in bytes, ascending, not touching, within `size`.
/// Where the file system knows no holes it is one part. The position of the file changes.
pub fn data_ranges(file: &File, size: u64) -> Result<Vec<(u64, u64)>> {
    let whole = if size == 0 { Vec::new() } else { vec![(0, size)] };
    match find_ranges(file, size) {
        Ok(ranges) => Ok(ranges),
        Err(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS) => Ok(whole),
        Err(errno) => Err(failed("find the holes of", file, errno)),
    }
}

/// Whether a file has a hole before `size`: one call. The position of the file changes.
pub fn has_hole(file: &File, size: u64) -> Result<bool> {
    match rustix::fs::seek(file, SeekFrom::Hole(0)) {
        Ok(start) => Ok(start < size),
        // No holes here, or nothing at all.
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
            // Nothing but a hole up to the end.
            Ok(_) | Err(Errno::NXIO) => break,
            Err(errno) => return Err(errno),
        };
        end = match rustix::fs::seek(file, SeekFrom::Hole(start)) {
            Ok(hole) => hole.min(size),
            // Cut in between: the reader will notice.
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

/// Asks for `length` bytes of disk ahead, so that a full disk is noticed before anything is written.
/// Keeps the file length. Does not fail if the file system lacks the operation or a sandbox forbids it.
pub fn preallocate(file: &File, length: u64) -> Result<()> {
    if length == 0 {
        return Ok(());
    }
    match retry_on_intr(|| rustix::fs::fallocate(file, FallocateFlags::KEEP_SIZE, 0, length)) {
        Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM) => Ok(()),
        Err(errno) => Err(failed("reserve space for", file, errno)),
    }
}

/// Makes `to` a copy of `from` that shares its blocks until one is written; `false`, and nothing done, where the file
/// system cannot.
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

/// Bytes copied at once where the kernel cannot copy by itself.
const COPY_BUFFER: usize = 256 << 10;

/// Copies `length` bytes from a place in one file to a place in another, in the kernel where it can.
/// [`crate::error::ErrorKind::Io`] if `from` ends before.
pub fn copy_range((from, start): (&File, u64), (to, place): (&File, u64), length: u64) -> Result<()> {
    let mut done = 0;
    while done < length {
        let (mut source, mut target) = (start + done, place + done);
        let rest = usize::try_from(length - done).unwrap_or(usize::MAX).min(1 << 30);
        match rustix::fs::copy_file_range(from, Some(&mut source), to, Some(&mut target), rest) {
            // Files that the kernel makes up, and old kernels, give nothing here: reading tells the truth.
            Ok(0) => return copy_by_hand((from, source), (to, target), length - done),
            Ok(copied) => done += copied as u64,
            Err(Errno::INTR) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                return copy_by_hand((from, source), (to, target), length - done);
            }
            Err(errno) => return Err(failed("copy to", to, errno)),
        }
    }
    Ok(())
}

fn copy_by_hand((from, start): (&File, u64), (to, place): (&File, u64), length: u64) -> Result<()> {
    let mut buffer = vec![0; usize::try_from(length).unwrap_or(COPY_BUFFER).min(COPY_BUFFER)];
    let mut done = 0;
    while done < length {
        let rest = usize::try_from(length - done).unwrap_or(COPY_BUFFER).min(COPY_BUFFER);
        let read = read_at(from, &mut buffer[..rest], start + done)?;
        if read == 0 {
            return Err(failed("copy from", from, std::io::ErrorKind::UnexpectedEof));
        }
        write_all_at(to, &buffer[..read], place + done)?;
        done += read as u64;
    }
    Ok(())
}
