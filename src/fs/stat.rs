//! The stat of a file, and the kind of its file system.

use std::os::fd::AsFd;

use rustix::fs::{AtFlags, FileType, StatFs, Statx, StatxAttributes, StatxFlags, StatxTimestamp, makedev};

use crate::fs::user::effective_uid;
use crate::metadata::{Kind, Metadata};
use crate::time::Timestamp;

/// Result of one `statx`, without following links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Kind of file.
    pub kind: Kind,
    /// Mode, owner and modification time.
    pub metadata: Metadata,
    /// Change time. The system sets it on each change of content or metadata by a system call; programs cannot choose
    /// it. A store through a shared mapping sets it only if the store faults ([`MappedStores`]).
    pub ctime: Timestamp,
    /// Size in bytes.
    pub size: u64,
    /// Allocated bytes (`st_blocks` × 512): less than `size` if the file has holes.
    pub allocated: u64,
    /// Inode number.
    pub inode: u64,
    /// Device number of its file system.
    pub device: u64,
    /// Number of names of the inode.
    pub links: u64,
    /// Device number, if this is a device.
    pub rdev: u64,
    /// Whether it is the root of a mount, including bind mounts. Always `false` before Linux 5.8, and in index records.
    pub is_mounted: bool,
}

impl Stat {
    /// Whether it belongs to another mount than its parent directory, which has this device number.
    pub fn is_mounted_in(&self, device: u64) -> bool {
        // The device of a file does not count: on overlayfs it is that of its layer.
        self.is_mounted || self.kind == Kind::Directory && self.device != device
    }

    /// Whether both stats are of the same unchanged file: kind, mode, owner, times, size and inode are equal.
    pub fn is_same(&self, other: &Stat) -> bool {
        self.kind == other.kind
            && self.metadata == other.metadata
            && self.ctime == other.ctime
            && self.size == other.size
            && self.inode == other.inode
            && self.rdev == other.rdev
    }

    /// The stat of a name in an open directory, without following a link. `"."` is the directory itself.
    pub(super) fn at(dir: impl AsFd, name: &[u8]) -> rustix::io::Result<Stat> {
        Stat::query(dir, name, AtFlags::SYMLINK_NOFOLLOW)
    }

    /// The stat of an open file.
    pub(super) fn of(handle: impl AsFd) -> rustix::io::Result<Stat> {
        Stat::query(handle, b"", AtFlags::EMPTY_PATH)
    }

    fn query(handle: impl AsFd, name: &[u8], flags: AtFlags) -> rustix::io::Result<Stat> {
        match rustix::fs::statx(&handle, name, flags, StatxFlags::BASIC_STATS) {
            Ok(raw) => Stat::from_raw(&raw),
            Err(errno) if is_missing_statx(errno) => Stat::from_old(&rustix::fs::statat(handle, name, flags)?),
            Err(errno) => Err(errno),
        }
    }

    /// From `fstatat`, which does not report mounts: [`Stat::is_mounted_in`] then detects only other devices.
    #[allow(
        clippy::useless_conversion,
        clippy::unnecessary_cast,
        reason = "the types of the fields differ between architectures"
    )]
    fn from_old(raw: &rustix::fs::Stat) -> rustix::io::Result<Stat> {
        let kind = kind_of(FileType::from_raw_mode(raw.st_mode)).ok_or(rustix::io::Errno::OPNOTSUPP)?;
        let time = |seconds: i64, nanoseconds: u64| Timestamp { seconds, nanoseconds: nanoseconds as u32 };
        let metadata = Metadata {
            mode: (raw.st_mode & 0o7777) as u16,
            uid: raw.st_uid,
            gid: raw.st_gid,
            mtime: time(raw.st_mtime as i64, raw.st_mtime_nsec as u64),
        };
        Ok(Stat {
            kind,
            metadata,
            ctime: time(raw.st_ctime as i64, raw.st_ctime_nsec as u64),
            size: raw.st_size as u64,
            allocated: (raw.st_blocks as u64).saturating_mul(512),
            inode: raw.st_ino.into(),
            device: raw.st_dev.into(),
            links: raw.st_nlink as u64,
            rdev: raw.st_rdev.into(),
            is_mounted: false,
        })
    }

    fn from_raw(raw: &Statx) -> rustix::io::Result<Stat> {
        // A future kind must not be treated as a file.
        let kind = kind_of(FileType::from_raw_mode(raw.stx_mode.into())).ok_or(rustix::io::Errno::OPNOTSUPP)?;
        let metadata = Metadata {
            mode: raw.stx_mode & 0o7777,
            uid: raw.stx_uid,
            gid: raw.stx_gid,
            mtime: timestamp(raw.stx_mtime),
        };
        Ok(Stat {
            kind,
            metadata,
            ctime: timestamp(raw.stx_ctime),
            size: raw.stx_size,
            allocated: raw.stx_blocks.saturating_mul(512),
            inode: raw.stx_ino,
            device: makedev(raw.stx_dev_major, raw.stx_dev_minor),
            links: raw.stx_nlink.into(),
            rdev: makedev(raw.stx_rdev_major, raw.stx_rdev_minor),
            is_mounted: raw.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
        })
    }
}

/// Access time of a name in an open directory, or of an open file, as the flags say.
#[allow(clippy::unnecessary_cast, reason = "the types of the fields differ between architectures")]
pub(super) fn atime(handle: impl AsFd, name: &[u8], flags: AtFlags) -> rustix::io::Result<Timestamp> {
    match rustix::fs::statx(&handle, name, flags, StatxFlags::ATIME) {
        Ok(raw) => Ok(timestamp(raw.stx_atime)),
        Err(errno) if is_missing_statx(errno) => {
            let raw = rustix::fs::statat(handle, name, flags)?;
            Ok(Timestamp { seconds: raw.st_atime as i64, nanoseconds: raw.st_atime_nsec as u32 })
        }
        Err(errno) => Err(errno),
    }
}

/// Whether the kernel (before Linux 4.11) or a sandbox has no `statx`. rustix converts EPERM of a sandbox to ENOSYS.
pub(super) fn is_missing_statx(errno: rustix::io::Errno) -> bool {
    errno == rustix::io::Errno::NOSYS
}

fn timestamp(raw: StatxTimestamp) -> Timestamp {
    Timestamp { seconds: raw.tv_sec, nanoseconds: raw.tv_nsec }
}

/// The kind of a file; `None` if the file system does not report it.
pub(super) fn kind_of(raw: FileType) -> Option<Kind> {
    match raw {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Directory),
        FileType::Symlink => Some(Kind::Symlink),
        FileType::Fifo => Some(Kind::Fifo),
        FileType::CharacterDevice => Some(Kind::CharDevice),
        FileType::BlockDevice => Some(Kind::BlockDevice),
        FileType::Socket => Some(Kind::Socket),
        FileType::Unknown => None,
    }
}

/// Properties of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// Uncertainty of its timestamps in nanoseconds: 0 for local Linux file systems, 2 s for FAT, network and unknown ones.
    pub clock_slack: u64,
    /// Which stores through a shared mapping set the ctime of a file.
    pub mapped_stores: MappedStores,
    /// Whether the file system is mounted read-only.
    pub is_read_only: bool,
}

/// Which stores through a shared mapping set the mtime and ctime of a file. A store does so only if it faults, and the
/// kernel maps a page writable, without further faults, until the page is written back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappedStores {
    /// The first store to a page after it was flushed: file systems with write-back.
    FirstAfterFlush,
    /// Not known: overlayfs behaves like the file system of its upper layer.
    Unknown,
    /// Only the first store to a page that was not read through the mapping before: file systems in memory never write
    /// back.
    FirstUnlessRead,
}

/// How to leave the access time unchanged while setting the modification time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atime {
    /// With `UTIME_OMIT`: one call.
    Omit,
    /// By setting the current access time of the file again. Some FUSE file systems (bindfs, encfs, exfat-fuse) take
    /// `UTIME_OMIT` as a request to set both times to the current time.
    Rewrite,
}

/// Magic numbers of local file systems whose clock is the kernel's (statfs(2); each from its own header).
const LOCAL: [u32; 10] = [
    0x0000_EF53, // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683E, // btrfs
    0x0102_1994, // tmpfs
    0x2FC1_2FC1, // ZFS
    0xF2F5_2010, // F2FS
    0xCA45_1A4E, // bcachefs
    OVERLAYFS,
    0x7371_7368, // squashfs
    0x8584_58F6, // ramfs
];

/// Magic numbers of file systems whose pages are never written back.
const IN_MEMORY: [u32; 3] = [
    0x0102_1994, // tmpfs
    0x8584_58F6, // ramfs
    0x9584_58F6, // hugetlbfs
];

const OVERLAYFS: u32 = 0x794C_7630;

/// `ST_RDONLY` of statfs(2).
const READ_ONLY: u64 = 1;

/// FAT stores even seconds only, and servers have other clocks.
const UNTRUSTED_SLACK: u64 = 2_000_000_000;

/// Magic numbers of file systems on which a new file takes as many blocks as it has data.
const PLAIN: [u32; 3] = [
    0x0000_EF53, // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x0102_1994, // tmpfs
];

/// Free space in bytes. `None` if unknown, or if files may take less space than their size (compression, network).
pub(super) fn free_space(raw: &StatFs) -> Option<u64> {
    let is_plain = PLAIN.contains(&(raw.f_type as u32)) && raw.f_blocks > 0;
    // The other free blocks are reserved for root.
    let blocks = if effective_uid() == 0 { raw.f_bfree } else { raw.f_bavail };
    is_plain.then(|| blocks.saturating_mul(raw.f_bsize as u64))
}

impl FileSystem {
    /// How to set a modification time without changing the access time.
    pub fn atime(self) -> Atime {
        if self.clock_slack == 0 { Atime::Omit } else { Atime::Rewrite }
    }

    /// Whether the file system is known to store modes.
    pub fn has_modes(self) -> bool {
        self.clock_slack == 0
    }

    /// Whether a file keeps its inode number while it has a name. On FUSE the number may change on a rename or when
    /// caches expire.
    pub fn has_stable_inodes(self) -> bool {
        self.clock_slack == 0
    }

    pub(super) fn from_raw(raw: &StatFs) -> FileSystem {
        // The type of the field differs between architectures; all magic numbers have 32 bits.
        let magic = raw.f_type as u32;
        let mapped_stores = match magic {
            OVERLAYFS => MappedStores::Unknown,
            magic if IN_MEMORY.contains(&magic) => MappedStores::FirstUnlessRead,
            _ => MappedStores::FirstAfterFlush,
        };
        FileSystem {
            clock_slack: if LOCAL.contains(&magic) { 0 } else { UNTRUSTED_SLACK },
            mapped_stores,
            is_read_only: raw.f_flags as u64 & READ_ONLY != 0,
        }
    }

    /// The detected file system, or an unknown one if a sandbox forbids the call.
    pub(super) fn from_call(raw: rustix::io::Result<StatFs>) -> rustix::io::Result<FileSystem> {
        match raw {
            Ok(raw) => Ok(FileSystem::from_raw(&raw)),
            Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => Ok(FileSystem {
                clock_slack: UNTRUSTED_SLACK,
                mapped_stores: MappedStores::Unknown,
                is_read_only: false,
            }),
            Err(errno) => Err(errno),
        }
    }
}
