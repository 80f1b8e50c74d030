//! Much that is read or written once and does not stay in memory: it would push out what others work with, and finding new
//! memory for it costs more than copying it there. Flushing is as needed as ever.
//!
//! Source: `RWF_DONTCACHE`, preadv2(2), since Linux 6.14. Systems and file systems without it use their cache.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};

use rustix::io::{Errno, ReadWriteFlags};

use crate::error::Result;
use crate::fs::handle::{failed, read_exact_at, write_all_at};

const UNCACHED: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x80);

/// Writes all bytes at an offset. The disk begins to write them at once.
pub fn write_all_uncached_at(file: &File, mut bytes: &[u8], mut offset: u64) -> Result<()> {
    while !bytes.is_empty() {
        match rustix::io::pwritev2(file, &[IoSlice::new(bytes)], offset, UNCACHED) {
            Ok(length) => {
                bytes = &bytes[length..];
                offset += length as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) if is_not_offered(errno) => return write_all_at(file, bytes, offset),
            Err(errno) => return Err(failed("write", file, errno)),
        }
    }
    Ok(())
}

/// Fills the buffer from an offset of a repository's file. What was in memory before stays there.
/// [`crate::error::ErrorKind::Damaged`] if the file ends before.
pub fn read_exact_uncached_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        let (rest, at) = (&mut buffer[filled..], offset + filled as u64);
        match rustix::io::preadv2(file, &mut [IoSliceMut::new(rest)], at, UNCACHED) {
            // The other one tells of a file that ends here.
            Ok(0) => return read_exact_at(file, rest, at),
            Ok(length) => filled += length,
            Err(Errno::INTR) => {}
            Err(errno) if is_not_offered(errno) => return read_exact_at(file, rest, at),
            Err(errno) => return Err(failed("read", file, errno)),
        }
    }
    Ok(())
}

fn is_not_offered(errno: Errno) -> bool {
    matches!(errno, Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL)
}
