//! The file system's present, and which stats are too young to prove anything.

use crate::error::Result;
use crate::fs::{Dir, MappedStores, Stat};
use crate::path::REPOSITORY;
use crate::time::Timestamp;

/// Slack where the file system's own clock cannot be asked: two seconds, as for FAT and networks.
const UNKNOWN_SLACK: u64 = 2_000_000_000;

/// The file system's clock as it was before a scan.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// A change from here on may leave the same stat as one before.
    limit: Timestamp,
    /// Whether mtimes count too: on file systems whose ctime is not kept well.
    weak: bool,
    /// The file system it is of.
    device: u64,
    mapped_stores: MappedStores,
}

impl Clock {
    /// Asks the file system of the worktree, by touching a file in the repository folder if that is on the same one.
    pub fn read(root: &Dir) -> Result<Clock> {
        let file_system = root.file_system()?;
        let (slack, mapped_stores) = (file_system.clock_slack, file_system.mapped_stores);
        let device = root.stat_self()?.device;
        let time = staging(root, device)?.and_then(|staging| staging.clock(b"clock").ok());
        let (now, slack) = match time {
            Some(time) => (time, slack),
            None => (jiff::Timestamp::now().into(), slack.max(UNKNOWN_SLACK)),
        };
        Ok(Clock { limit: earlier(now, slack), weak: slack > 0, device, mapped_stores })
    }

    /// Whether a later change could leave the same stat.
    pub fn is_racy(&self, stat: &Stat) -> bool {
        let (mut limit, mut weak) = (self.limit, self.weak);
        // Another file system, mounted below: what its clock does is not known.
        if stat.device != self.device {
            (limit, weak) = (earlier(limit, UNKNOWN_SLACK), true);
        }
        stat.ctime >= limit || (weak && stat.metadata.mtime >= limit)
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
    let Ok(staging) = root.open_dir(REPOSITORY).and_then(|repository| repository.open_dir(b"tmp")) else {
        return Ok(None);
    };
    Ok((staging.stat_self()?.device == device).then_some(staging))
}

fn earlier(time: Timestamp, nanoseconds: u64) -> Timestamp {
    let total = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanoseconds) - i128::from(nanoseconds);
    Timestamp { seconds: total.div_euclid(1_000_000_000) as i64, nanoseconds: total.rem_euclid(1_000_000_000) as u32 }
}
