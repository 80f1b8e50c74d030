//! Reads and sets mode, owner, modification time and extended attributes: by name for every kind of file, or of an open file.
//!
//! A change of owner clears set-user-id bits and capabilities, so the order is: owner, extended attributes, mode, time.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, Uid, XattrFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::handle::failed;
use crate::fs::{Atime, Dir, Stat, stat};
use crate::metadata::Kind;
use crate::time::Timestamp;

/// Names and values, sorted by name.
pub type Xattrs = Vec<(Vec<u8>, Vec<u8>)>;

/// Maximum length of a value and of a list of names (`XATTR_SIZE_MAX`, `XATTR_LIST_MAX`).
const XATTR_MAX: usize = 64 << 10;

/// Prefix of the names under which XFS shows the ACLs to root a second time (`trusted.SGI_ACL_FILE`,
/// `trusted.SGI_ACL_DEFAULT`). On another file system they would be meaningless attributes.
const XFS_ACL: &[u8] = b"trusted.SGI_ACL_";

impl Dir {
    /// Extended attributes of a name, including ACLs and capabilities, sorted. Empty if the file system has none.
    pub fn xattrs(&self, name: &[u8]) -> Result<Xattrs> {
        self.check(name)?;
        if name == b"." {
            // Through its file descriptor, because a path needs search permission for the directory.
            return read_xattrs(
                |buffer| rustix::fs::flistxattr(self, buffer),
                |key, buffer| rustix::fs::fgetxattr(self, key, buffer),
            )
            .map_err(|errno| self.failed("read the attributes of", name, errno));
        }
        let path = self.magic_path(name);
        read_xattrs(
            |buffer| rustix::fs::llistxattr(&path, buffer),
            |key, buffer| rustix::fs::lgetxattr(&path, key, buffer),
        )
        .map_err(|errno| self.failed_by_handle("read the attributes of", name, errno))
    }

    /// Sets one extended attribute.
    pub fn set_xattr(&self, name: &[u8], key: &[u8], value: &[u8]) -> Result<()> {
        self.check(name)?;
        rustix::fs::lsetxattr(self.magic_path(name), key, value, XattrFlags::empty())
            .map_err(|errno| self.failed_by_handle(&format!("set {} of", key.escape_ascii()), name, errno))
    }

    /// Removes one extended attribute.
    pub fn remove_xattr(&self, name: &[u8], key: &[u8]) -> Result<()> {
        self.check(name)?;
        match rustix::fs::lremovexattr(self.magic_path(name), key) {
            // The file system may have removed this attribute together with another one.
            Ok(()) | Err(Errno::NODATA) => Ok(()),
            Err(errno) => Err(self.failed_by_handle(&format!("remove {} of", key.escape_ascii()), name, errno)),
        }
    }

    /// Sets the permission bits. Fails for a symlink, which has none.
    pub fn set_mode(&self, name: &[u8], mode: u16) -> Result<()> {
        self.check(name)?;
        self.chmod(name, mode).map_err(|errno| self.failed_by_handle("set the mode of", name, errno))
    }

    /// Pins the inode with a handle first, because `fchmodat` follows links.
    fn chmod(&self, name: &[u8], mode: u16) -> rustix::io::Result<()> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let pinned = retry_on_intr(|| rustix::fs::openat(self, name, flags, Mode::empty()))?;
        if Stat::of(&pinned)?.kind == Kind::Symlink {
            return Err(Errno::LOOP);
        }
        rustix::fs::chmod(magic(pinned.as_fd()), Mode::from_raw_mode(mode.into()))
    }

    /// Sets owner and group.
    pub fn set_owner(&self, name: &[u8], uid: u32, gid: u32) -> Result<()> {
        self.check(name)?;
        owner(uid, gid)
            .and_then(|(uid, gid)| rustix::fs::chownat(self, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW))
            .map_err(|errno| self.failed("set the owner of", name, errno))
    }

    /// Sets the modification time and keeps the access time.
    pub fn set_mtime(&self, name: &[u8], mtime: Timestamp, atime: Atime) -> Result<()> {
        self.check(name)?;
        let set = |times: &Timestamps| rustix::fs::utimensat(self, name, times, AtFlags::SYMLINK_NOFOLLOW);
        match atime {
            Atime::Omit => set(&times(None, mtime)),
            Atime::Rewrite => {
                let atime = stat::atime(self, name, AtFlags::SYMLINK_NOFOLLOW);
                atime.and_then(|atime| set(&times(Some(atime), mtime)))
            }
        }
        .map_err(|errno| self.failed("set the time of", name, errno))
    }

    /// The error of a failed call on a name through the path of its file descriptor.
    fn failed_by_handle(&self, action: &str, name: &[u8], errno: Errno) -> Error {
        // Must not be mistaken for a name that does not exist.
        if errno == Errno::NOENT && !Path::new(HANDLES).exists() {
            return without_handles(&self.failed(action, name, errno));
        }
        self.failed(action, name, errno)
    }

    /// A short path of a name, for calls that take no directory handle.
    fn magic_path(&self, name: &[u8]) -> Vec<u8> {
        let mut path = magic(self.as_fd()).into_bytes();
        path.push(b'/');
        path.extend_from_slice(name);
        path
    }
}

/// Extended attributes of an open file, sorted. Empty if the file system has none.
pub fn file_xattrs(file: &File) -> Result<Xattrs> {
    read_xattrs(|buffer| rustix::fs::flistxattr(file, buffer), |key, buffer| rustix::fs::fgetxattr(file, key, buffer))
        .map_err(|errno| failed("read the attributes of", file, errno))
}

/// Sets one extended attribute of an open file.
pub fn set_file_xattr(file: &File, key: &[u8], value: &[u8]) -> Result<()> {
    rustix::fs::fsetxattr(file, key, value, XattrFlags::empty())
        .map_err(|errno| failed(&format!("set {} of", key.escape_ascii()), file, errno))
}

/// Sets the permission bits of an open file.
pub fn set_file_mode(file: &File, mode: u16) -> Result<()> {
    rustix::fs::fchmod(file, Mode::from_raw_mode(mode.into())).map_err(|errno| failed("set the mode of", file, errno))
}

/// Sets owner and group of an open file.
pub fn set_file_owner(file: &File, uid: u32, gid: u32) -> Result<()> {
    owner(uid, gid)
        .and_then(|(uid, gid)| rustix::fs::fchown(file, uid, gid))
        .map_err(|errno| failed("set the owner of", file, errno))
}

/// Sets the modification time of an open file and keeps the access time. A later write changes the modification time.
pub fn set_file_mtime(file: &File, mtime: Timestamp, atime: Atime) -> Result<()> {
    match atime {
        Atime::Omit => rustix::fs::futimens(file, &times(None, mtime)),
        Atime::Rewrite => {
            let atime = stat::atime(file, b"", AtFlags::EMPTY_PATH);
            atime.and_then(|atime| rustix::fs::futimens(file, &times(Some(atime), mtime)))
        }
    }
    .map_err(|errno| failed("set the time of", file, errno))
}

/// Sets both times of an open file to the current time. Any user with write permission may do that, not only the owner.
pub fn touch_file(file: &File) -> Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    rustix::fs::futimens(file, &Timestamps { last_access: now, last_modification: now })
        .map_err(|errno| failed("set the time of", file, errno))
}

/// The directory of this process's open files.
const HANDLES: &str = "/proc/self/fd";

fn magic(handle: BorrowedFd<'_>) -> String {
    format!("{HANDLES}/{}", handle.as_raw_fd())
}

fn without_handles(failure: &Error) -> Error {
    // The message has the path, and the system's error would be misleading.
    let message = failure.to_string();
    let what = message.rsplit_once(": ").map_or(message.as_str(), |(what, _)| what);
    Error::new(ErrorKind::Io, format!("{what}: `{HANDLES}` does not exist")).hint("mount it: mount -t proc proc /proc")
}

/// `None` leaves the access time unchanged.
fn times(atime: Option<Timestamp>, mtime: Timestamp) -> Timestamps {
    let spec = |time: Timestamp| Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() };
    let omitted = Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT };
    Timestamps { last_access: atime.map_or(omitted, spec), last_modification: spec(mtime) }
}

/// The system takes the number -1 as "keep the owner", so it is not a valid id.
fn owner(uid: u32, gid: u32) -> rustix::io::Result<(Option<Uid>, Option<Gid>)> {
    if uid == u32::MAX || gid == u32::MAX {
        return Err(Errno::INVAL);
    }
    Ok((Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid))))
}

fn read_xattrs(
    list: impl Fn(&mut [u8]) -> rustix::io::Result<usize>,
    get: impl Fn(&[u8], &mut [u8]) -> rustix::io::Result<usize>,
) -> rustix::io::Result<Xattrs> {
    let names = match with_room(&list) {
        Ok(names) => names,
        Err(Errno::OPNOTSUPP) => return Ok(Vec::new()),
        Err(errno) => return Err(errno),
    };
    let mut xattrs = Vec::new();
    for key in names.split(|&b| b == 0).filter(|key| !key.is_empty() && !key.starts_with(XFS_ACL)) {
        match with_room(|buffer| get(key, buffer)) {
            Ok(value) => xattrs.push((key.to_vec(), value)),
            // Removed meanwhile, or listed by a file system layer that cannot read it.
            Err(Errno::NODATA | Errno::OPNOTSUPP) => {}
            Err(errno) => return Err(errno),
        }
    }
    xattrs.sort_unstable();
    Ok(xattrs)
}

/// Calls with a small buffer first, because most lists are empty, then with the largest.
fn with_room(call: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> rustix::io::Result<Vec<u8>> {
    let mut small = [0; 512];
    match call(&mut small) {
        Ok(length) => return Ok(small[..length].to_vec()),
        Err(Errno::RANGE) => {}
        Err(errno) => return Err(errno),
    }
    let mut large = vec![0; XATTR_MAX];
    let length = call(&mut large)?;
    large.truncate(length);
    Ok(large)
}
