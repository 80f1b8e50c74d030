//! Creates, links, renames, exchanges and removes names in an open directory.

use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Timespec, Timestamps, UTIME_NOW};
use rustix::io::{Errno, retry_on_intr};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::inherit::Inherited;
use crate::fs::{Dir, Stat};
use crate::metadata::{Kind, Metadata};
use crate::time::Timestamp;

/// Mode of private files.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// Mode of an unfinished file. The sticky bit has no meaning for files, so no other file has this mode.
pub const UNFINISHED: u16 = 0o1600;

/// Result of [`Dir::rename_new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renamed {
    /// Not renamed: the new name exists.
    No,
    /// Renamed.
    Yes,
    /// Renamed through a hard link, since the file system has no such rename. The inode number may have changed.
    ByLink,
}

impl Dir {
    /// Creates a file with mode [`UNFINISHED`] for reading and writing. Fails if it exists.
    pub fn create_file(&self, name: &[u8]) -> Result<File> {
        self.open_to_write(name, OFlags::EXCL)
    }

    /// Opens a file for reading and writing. Creates it with mode [`UNFINISHED`] if it does not exist.
    #[cfg_attr(not(feature = "targets"), allow(dead_code, reason = "only targets need it"))]
    pub fn open_or_create_file(&self, name: &[u8]) -> Result<File> {
        self.open_to_write(name, OFlags::empty())
    }

    fn open_to_write(&self, name: &[u8], further: OFlags) -> Result<File> {
        self.check(name)?;
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | further;
        let mode = Mode::from_raw_mode(UNFINISHED.into());
        retry_on_intr(|| rustix::fs::openat(self, name, flags, mode))
            .map(File::from)
            .map_err(|errno| self.failed("create", name, errno))
    }

    /// Creates a directory with mode 0700.
    pub fn make_dir(&self, name: &[u8]) -> Result<()> {
        self.check(name)?;
        rustix::fs::mkdirat(self, name, Mode::RWXU).map_err(|errno| self.failed("make the directory", name, errno))
    }

    /// Creates a symlink.
    pub fn make_symlink(&self, name: &[u8], target: &[u8]) -> Result<()> {
        self.check(name)?;
        rustix::fs::symlinkat(target, self, name).map_err(|errno| self.failed("make the link", name, errno))
    }

    /// Creates a FIFO, a socket or a device with mode 0600. `rdev` is for devices only.
    pub fn make_special(&self, name: &[u8], kind: Kind, rdev: u64) -> Result<()> {
        self.check(name)?;
        let (file_type, rdev) = match kind {
            Kind::Fifo => (FileType::Fifo, 0),
            Kind::Socket => (FileType::Socket, 0),
            Kind::CharDevice => (FileType::CharacterDevice, rdev),
            Kind::BlockDevice => (FileType::BlockDevice, rdev),
            Kind::File | Kind::Directory | Kind::Symlink => {
                return Err(Error::new(ErrorKind::Internal, format!("a {} is not a special file", kind.word())));
            }
        };
        rustix::fs::mknodat(self, name, file_type, PRIVATE, rdev)
            .map_err(|errno| self.failed(&format!("make the {}", kind.word()), name, errno))
    }

    /// Creates a hard link.
    pub fn hard_link(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> Result<()> {
        self.check(name)?;
        to.check(to_name)?;
        rustix::fs::linkat(self, name, to, to_name, AtFlags::empty())
            .map_err(|errno| to.failed("make the hard link", to_name, errno))
    }

    /// Renames, replacing an existing entry. For new names chosen by this program: [`Dir::rename_new`] needs links on
    /// some file systems, and those change the inode number or link count there.
    pub fn rename(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> Result<()> {
        self.check(name)?;
        to.check(to_name)?;
        rustix::fs::renameat(self, name, to, to_name).map_err(|errno| self.failed("rename", name, errno))
    }

    /// Renames, unless the new name exists.
    pub fn rename_new(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> Result<Renamed> {
        self.check(name)?;
        to.check(to_name)?;
        match rustix::fs::renameat_with(self, name, to, to_name, RenameFlags::NOREPLACE) {
            Ok(()) => Ok(Renamed::Yes),
            Err(Errno::EXIST) => Ok(Renamed::No),
            Err(errno) if is_unsupported(errno) => self.rename_new_by_link(name, to, to_name),
            Err(errno) => Err(self.failed("rename", name, errno)),
        }
    }

    /// Fallback of [`Dir::rename_new`]: a hard link never replaces an existing name.
    pub(super) fn rename_new_by_link(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> Result<Renamed> {
        match rustix::fs::linkat(self, name, to, to_name, AtFlags::empty()) {
            Ok(()) => {
                let removed = self.remove_file(name);
                if removed.is_err() {
                    let _ = to.remove_file(to_name);
                }
                removed.map(|()| Renamed::ByLink)
            }
            Err(Errno::EXIST) => Ok(Renamed::No),
            // A directory, or no hard links on this file system: check before renaming.
            Err(_) if to.stat(to_name)?.is_some() => Ok(Renamed::No),
            Err(_) => self.rename(name, to, to_name).map(|()| Renamed::Yes),
        }
    }

    /// Exchanges two names atomically. `false`, without a change, if the file system cannot exchange names, or not
    /// these two: overlayfs fails with EXDEV for a directory of its lower layer.
    pub fn exchange(&self, name: &[u8], to: &Dir, to_name: &[u8]) -> Result<bool> {
        self.check(name)?;
        to.check(to_name)?;
        match rustix::fs::renameat_with(self, name, to, to_name, RenameFlags::EXCHANGE) {
            Ok(()) => Ok(true),
            Err(errno) if is_unsupported(errno) || errno == Errno::XDEV => Ok(false),
            Err(errno) => Err(self.failed("exchange", name, errno)),
        }
    }

    /// Removes a name other than a directory.
    pub fn remove_file(&self, name: &[u8]) -> Result<()> {
        self.check(name)?;
        rustix::fs::unlinkat(self, name, AtFlags::empty()).map_err(|errno| self.failed("remove", name, errno))
    }

    /// Removes an empty directory; `false` if it is not empty.
    pub fn remove_dir(&self, name: &[u8]) -> Result<bool> {
        self.check(name)?;
        match rustix::fs::unlinkat(self, name, AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            Err(errno) => Err(self.failed("remove the directory", name, errno)),
        }
    }

    /// The current time by the clock of the file system, read by touching a file with this name.
    pub fn clock(&self, name: &[u8]) -> Result<Timestamp> {
        self.check(name)?;
        let flags = OFlags::WRONLY | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = |flags| retry_on_intr(|| rustix::fs::openat(self, name, flags, PRIVATE));
        let file = match open(flags) {
            Err(Errno::NOENT) => self.create_inheriting(name, flags)?,
            file => file.map_err(|errno| self.failed("open", name, errno))?,
        };
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        rustix::fs::futimens(&file, &Timestamps { last_access: now, last_modification: now })
            .map_err(|errno| self.failed("touch", name, errno))?;
        let stat = Stat::of(&file).map_err(|errno| self.failed("stat", name, errno))?;
        Ok(stat.metadata.mtime)
    }

    /// Creates a repository file, which inherits owner and mode from this folder.
    fn create_inheriting(&self, name: &[u8], flags: OFlags) -> Result<OwnedFd> {
        let failed = |errno| self.failed("create", name, errno);
        let file = retry_on_intr(|| rustix::fs::openat(self, name, flags | OFlags::CREATE, PRIVATE)).map_err(failed)?;
        let Metadata { uid, gid, mode, .. } = self.stat_self()?.metadata;
        Inherited::from_stat(uid, gid, mode.into()).apply_to_file(&file).map_err(failed)?;
        Ok(file)
    }
}

/// Whether the rename flag, or the call with flags, may have been refused. Sandboxes answer EPERM for unknown calls; if
/// EPERM concerns the file, a plain rename fails with it too.
fn is_unsupported(errno: Errno) -> bool {
    matches!(errno, Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM)
}
