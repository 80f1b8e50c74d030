//! What the system knows of a file without reading it.

use crate::metadata::{Kind, Metadata};
use crate::time::Timestamp;

/// One `statx`, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Mode, owner and modification time.
    pub metadata: Metadata,
    /// Change time: set by the system at every change of content or metadata, and by nobody else.
    pub ctime: Timestamp,
    /// Bytes.
    pub size: u64,
    /// Bytes on disk (`st_blocks` × 512): fewer than `size` where there are holes.
    pub allocated: u64,
    /// Inode number.
    pub inode: u64,
    /// Device number of its file system.
    pub device: u64,
    /// Names that the inode has.
    pub links: u64,
    /// Device number that a device stands for.
    pub rdev: u64,
}

impl Stat {
    /// Whether both are of one unchanged file: kind, mode, owner, both times, size and inode are equal.
    pub fn is_same(&self, other: &Stat) -> bool {
        self.kind == other.kind
            && self.metadata == other.metadata
            && self.ctime == other.ctime
            && self.size == other.size
            && self.inode == other.inode
            && self.rdev == other.rdev
    }
}

/// What kind of file system it is, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// How far its clock is trusted to tell two changes apart, in nanoseconds: 0 for local Linux file systems,
    /// 2 s for FAT, network and unknown ones.
    pub clock_slack: u64,
}
