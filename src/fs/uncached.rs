//! Reads and writes large amounts of data without keeping them in the page cache, where they would evict the data of other
//! programs. Allocating pages costs more than copying into them. A flush is still needed.
//!
//! Source: `RWF_DONTCACHE`, preadv2(2), since Linux 6.14. The cache is used on systems and file systems without the flag, and before
//! Linux 6.16, where a page could be dropped that had been written again meanwhile.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut};
use std::sync::OnceLock;

use rustix::io::{Errno, ReadWriteFlags};

use crate::error::Result;
use crate::fs::errno::of_repository;
use crate::fs::handle::{failed, read_exact_at, write_all_at};

const SINCE: (u32, u32) = (6, 16);

const UNCACHED: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x80);

/// Writes all bytes at an offset. The disk starts writing at once.
pub fn write_all_uncached_at(file: &File, mut bytes: &[u8], mut offset: u64) -> Result<()> {
    if !is_supported() {
        return write_all_at(file, bytes, offset);
    }
    while !bytes.is_empty() {
        match rustix::io::pwritev2(file, &[IoSlice::new(bytes)], offset, UNCACHED) {
            Ok(length) => {
                bytes = &bytes[length..];
                offset += length as u64;
            }
            Err(Errno::INTR) => {}
            Err(errno) if is_unsupported(errno) => return write_all_at(file, bytes, offset),
            Err(errno) => return Err(failed("write", file, errno)),
        }
    }
    Ok(())
}

/// Fills the buffer from an offset of a repository file. Pages that were cached before stay cached.
/// [`crate::error::ErrorKind::Damaged`] if the file is too short.
pub fn read_exact_uncached_at(file: &File, buffer: &mut [u8], offset: u64) -> Result<()> {
    if !is_supported() {
        return read_exact_at(file, buffer, offset);
    }
    let mut filled = 0;
    while filled < buffer.len() {
        let (rest, at) = (&mut buffer[filled..], offset + filled as u64);
        match rustix::io::preadv2(file, &mut [IoSliceMut::new(rest)], at, UNCACHED) {
            // Reports that the file ends here.
            Ok(0) => return read_exact_at(file, rest, at),
            Ok(length) => filled += length,
            Err(Errno::INTR) => {}
            Err(errno) if is_unsupported(errno) => return read_exact_at(file, rest, at),
            Err(errno) => return Err(of_repository(failed("read", file, errno))),
        }
    }
    Ok(())
}

/// Whether the kernel is new enough. A file system may still lack the flag.
fn is_supported() -> bool {
    static SUPPORTED: OnceLock<bool> = OnceLock::new();
    *SUPPORTED.get_or_init(|| {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        version(&release).is_some_and(|version| version >= SINCE)
    })
}

/// Parses `6.18.44-generic` as 6 and 18.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn is_unsupported(errno: Errno) -> bool {
    // A sandbox that does not support the call answers EPERM.
    matches!(errno, Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL | Errno::PERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_versions_are_parsed() {
        for (release, expected) in [
            ("6.18.44-fc", Some((6, 18))),
            ("6.9-rc1", Some((6, 9))),
            ("10.0", Some((10, 0))),
            ("unknown", None),
            ("6", None),
        ] {
            assert_eq!(version(release), expected, "{release}");
        }
        assert!((6, 9) < SINCE && (10, 0) > SINCE);
    }
}
