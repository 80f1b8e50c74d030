//! Handles files that a program has open for writing while they are read.
//!
//! A store through a shared mapping changes a file without a system call, and updates its times only if the store
//! faults. On a file system with write-back, the first store to each page after a flush faults. A file in use is
//! therefore flushed before its stat is taken, and every later store shows as a ctime after the start of the scan.
//! Where flushing does not help, the record of a file in use is marked racy, and the file is read again until no
//! program has it open.

use std::fs::File;

use crate::error::Result;
use crate::fs::{self, MappedStores, Stat, Writers};
use crate::worktree::Clock;

/// Whether the stat of a file will reveal every later change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// No program has the file open for writing.
    Unused,
    /// The file is in use and was flushed: the stat will reveal later stores.
    Flushed,
    /// The stat may not reveal a later change: the record is racy.
    Racy,
}

impl Trust {
    /// Whether a record of the file is racy although its ctime is before the start of the scan.
    pub fn is_racy(self, stat: &Stat, clock: &Clock) -> bool {
        match self {
            Trust::Unused => false,
            // `write` sets the time before it copies the bytes.
            Trust::Flushed => clock.is_within(stat, WRITE_CALL),
            Trust::Racy => true,
        }
    }
}

/// Maximum duration of a single write call, in nanoseconds.
const WRITE_CALL: u64 = 2_000_000_000;

/// Time after which the kernel has written back dirty pages, in nanoseconds, unless an administrator has raised the
/// default (`vm.dirty_expire_centisecs` is 30 s).
const WRITE_BACK: u64 = 60_000_000_000;

/// Prepares a file for reading: checks whether a program may change it, and flushes it if so. Takes the stat again
/// after a flush. Must be called before the content is read, with a stat taken after the scan began.
pub fn prepare(file: &File, stat: &mut Stat, clock: &Clock) -> Result<Trust> {
    let stores = clock.mapped_stores(stat);
    let is_in_use = match (fs::writers_of(file), stores) {
        (Writers::Some, _) | (Writers::Unknown, MappedStores::FirstUnlessRead) => true,
        // On overlayfs, a mapping may outlive the file descriptor that the kernel counts.
        (Writers::None, MappedStores::Unknown) | (Writers::Unknown, _) => clock.is_within(stat, WRITE_BACK),
        (Writers::None, _) => false,
    };
    if !is_in_use {
        return Ok(Trust::Unused);
    }
    // A file that cannot be flushed can still be read.
    if stores != MappedStores::FirstAfterFlush || fs::flush_mapped_stores(file).is_err() {
        return Ok(Trust::Racy);
    }
    *stat = fs::stat_file(file)?;
    Ok(Trust::Flushed)
}
