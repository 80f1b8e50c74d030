//! Decides which stats prove that a file is unchanged: those that are older than the file system's clock, of files that no
//! program can change unnoticed.
//!
//! A store through a shared mapping changes a file without a system call, and updates its times only if the store
//! faults. On a file system with write-back, the first store to each page after a flush faults. A file in use is
//! therefore flushed before its stat is taken, and every later store shows as a ctime after the start of the scan.
//! Where flushing does not help, the record of a file in use is marked racy, and the file is read again until no
//! program has it open.

use std::fs::File;

use crate::error::Result;
use crate::fs::{self, Dir, MappedStores, Stat, Writers};
use crate::path::REPOSITORY;
use crate::repo::layout::{StoreLink, marker};
use crate::time::Timestamp;

/// Slack in nanoseconds if the file system's own clock cannot be read: as for FAT and network file systems.
const UNKNOWN_SLACK: u64 = 2_000_000_000;

/// The file system's clock before a scan.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// A change at or after this time may leave the same stat as an earlier one.
    limit: Timestamp,
    /// Whether mtimes count too: on file systems with an unreliable ctime.
    has_weak_ctime: bool,
    /// Device number of the file system.
    device: u64,
    mapped_stores: MappedStores,
}

impl Clock {
    /// Reads the clock of the worktree's file system by touching a file in the repository folder, in the directory or elsewhere, if that
    /// is on the same file system.
    pub fn read(root: &Dir) -> Result<Clock> {
        let file_system = root.file_system()?;
        let (slack, mapped_stores) = (file_system.clock_slack, file_system.mapped_stores);
        let device = root.stat_self()?.device;
        let time = staging(root, device)?.and_then(|staging| staging.clock(b"clock").ok());
        let (now, slack) = match time {
            Some(time) => (time, slack),
            None => (jiff::Timestamp::now().into(), slack.max(UNKNOWN_SLACK)),
        };
        Ok(Clock { limit: earlier(now, slack), has_weak_ctime: slack > 0, device, mapped_stores })
    }

    /// Whether a later change may leave the same stat.
    pub fn is_racy(&self, stat: &Stat) -> bool {
        let (mut limit, mut has_weak_ctime) = (self.limit, self.has_weak_ctime);
        // A mounted file system, whose clock is not known.
        if stat.device != self.device {
            (limit, has_weak_ctime) = (earlier(limit, UNKNOWN_SLACK), true);
        }
        stat.ctime >= limit || (has_weak_ctime && stat.metadata.mtime >= limit)
    }

    /// Whether a file changed at most this many nanoseconds before the clock was read.
    pub fn is_within(&self, stat: &Stat, nanoseconds: u64) -> bool {
        stat.ctime >= earlier(self.limit, nanoseconds)
    }

    /// Which stores through a mapping set the ctime of a file with this stat.
    pub fn mapped_stores(&self, stat: &Stat) -> MappedStores {
        if stat.device == self.device { self.mapped_stores } else { MappedStores::Unknown }
    }
}

/// The repository's folder for temporary files, if it is on the worktree's file system.
fn staging(root: &Dir, device: u64) -> Result<Option<Dir>> {
    let inside = root.open_dir(REPOSITORY).and_then(|repository| repository.open_dir(b"tmp"));
    let elsewhere = || StoreLink::read(&marker(root.path())).and_then(|link| Dir::open(&link.path.join("tmp")));
    let Ok(staging) = inside.or_else(|_| elsewhere()) else { return Ok(None) };
    Ok((staging.stat_self()?.device == device).then_some(staging))
}

fn earlier(time: Timestamp, nanoseconds: u64) -> Timestamp {
    let total = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds) - i128::from(nanoseconds);
    Timestamp { seconds: total.div_euclid(1_000_000_000) as i64, nanoseconds: total.rem_euclid(1_000_000_000) as u32 }
}

/// Whether a program uses a file, and whether the stat of the file will reveal every later change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// No program has the file open for writing.
    Unused,
    /// The file is in use and was flushed: the stat will reveal later stores.
    Flushed,
    /// The stat may not reveal a later change: the record is racy.
    Racy,
}

impl Usage {
    /// Whether a record of the file is racy even if its ctime is before the start of the scan.
    pub fn is_racy(self, stat: &Stat, clock: &Clock) -> bool {
        match self {
            Usage::Unused => false,
            // `write` sets the time before it copies the bytes.
            Usage::Flushed => clock.is_within(stat, WRITE_CALL),
            Usage::Racy => true,
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
pub fn prepare(file: &File, stat: &mut Stat, clock: &Clock) -> Result<Usage> {
    let stores = clock.mapped_stores(stat);
    let is_in_use = match (fs::writers_of(file), stores) {
        (Writers::Some, _) | (Writers::Unknown, MappedStores::FirstUnlessRead) => true,
        // On overlayfs, a mapping may outlive the file descriptor that the kernel counts.
        (Writers::None, MappedStores::Unknown) | (Writers::Unknown, _) => clock.is_within(stat, WRITE_BACK),
        (Writers::None, _) => false,
    };
    if !is_in_use {
        return Ok(Usage::Unused);
    }
    // A file that cannot be flushed can still be read.
    if stores != MappedStores::FirstAfterFlush || fs::flush_mapped_stores(file).is_err() {
        return Ok(Usage::Racy);
    }
    *stat = fs::stat_file(file)?;
    Ok(Usage::Flushed)
}
