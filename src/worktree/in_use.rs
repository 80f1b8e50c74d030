//! Files that a program has open for writing while they are read.
//!
//! A store through a shared mapping changes a file without a system call, and its times change only if the store faults.
//! On a file system with write-back the first store to each page after a flush faults. So a file in use is flushed before its
//! stat is taken: every later store then shows as a ctime after the beginning of the scan. Where flushing does not
//! help, the record of a file in use is marked racy, and the file is read again until nobody has it open.

use std::fs::File;

use crate::error::Result;
use crate::fs::{self, MappedStores, Stat, Writers};
use crate::worktree::Clock;

/// Whether the stat of a file will show every later change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nobody has it open for writing.
    Unused,
    /// It is in use, and what is stored from now on shows.
    Flushed,
    /// A later change may not show: the record is racy.
    Racy,
}

impl Trust {
    /// Whether a record of a file is racy although it is not younger than the clock.
    pub fn is_racy(self, stat: &Stat, clock: &Clock) -> bool {
        match self {
            Trust::Unused => false,
            // A call that writes sets the time first and copies the bytes after that.
            Trust::Flushed => clock.is_within(stat, WRITE_CALL),
            Trust::Racy => true,
        }
    }
}

/// Nanoseconds that one call which writes may take.
const WRITE_CALL: u64 = 2_000_000_000;

/// Nanoseconds after which the kernel has written back what a program stored, unless an administrator changed that
/// (`vm.dirty_expire_centisecs` is 30 s).
const WRITE_BACK: u64 = 60_000_000_000;

/// Prepares a file to be read: finds out who may be changing it, and flushes it if somebody may. The stat is taken again
/// after a flush. Must be called before the content is read, with a stat that was taken after the scan began.
pub fn prepare(file: &File, stat: &mut Stat, clock: &Clock) -> Result<Trust> {
    let stores = clock.mapped_stores(stat);
    let is_in_use = match (fs::writers_of(file), stores) {
        (Writers::Some, _) | (Writers::Unknown, MappedStores::FirstUnlessRead) => true,
        // On overlayfs a mapping outlives the handle that the kernel counts.
        (Writers::None, MappedStores::Unknown) | (Writers::Unknown, _) => clock.is_within(stat, WRITE_BACK),
        (Writers::None, _) => false,
    };
    if !is_in_use {
        return Ok(Trust::Unused);
    }
    // What cannot be flushed can be read all the same.
    if stores != MappedStores::FirstAfterFlush || fs::flush_mapped_stores(file).is_err() {
        return Ok(Trust::Racy);
    }
    *stat = fs::stat_file(file)?;
    Ok(Trust::Flushed)
}
