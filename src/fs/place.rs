//! Where the program is: the current directory, the home of the user, roots of file systems.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags};

use crate::error::{Error, Result};

/// The path without links, `.` and `..`; all of it must be there.
pub fn canonicalize(path: &Path) -> Result<PathBuf> {
    std::fs::canonicalize(path).map_err(|cause| Error::io("find", path, cause))
}

/// The directory that the program was started in.
pub fn current_dir() -> Result<PathBuf> {
    std::env::current_dir().map_err(|cause| Error::io("find", Path::new("."), cause))
}

/// The nearest directory above the one that the program was started in, where that was removed.
pub fn above_removed_dir() -> Option<PathBuf> {
    let link = std::fs::read_link("/proc/self/cwd").ok()?;
    let path = link.as_os_str().as_bytes().strip_suffix(b" (deleted)")?;
    Path::new(OsStr::from_bytes(path)).ancestors().find(|above| above.is_dir()).map(Path::to_owned)
}

/// The home directory of the user, if there is one (`$HOME`, else the user database).
pub fn home_dir() -> Option<PathBuf> {
    std::env::home_dir().filter(|path| path.is_absolute())
}

/// Whether two paths lead to one directory, links followed; it may be mounted at both.
pub fn is_same_dir(one: &Path, other: &Path) -> Result<bool> {
    let id = |path: &Path| {
        let metadata = std::fs::metadata(path).map_err(|cause| Error::io("stat", path, cause))?;
        Ok((metadata.is_dir(), metadata.dev(), metadata.ino()))
    };
    Ok(id(one)? == id(other)?)
}

/// Whether a directory is the root of a mounted file system, links followed.
pub fn is_mount_root(path: &Path) -> Result<bool> {
    let stat = |path: &Path| {
        rustix::fs::statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS)
            .map_err(|errno| Error::io("stat", path, errno.into()))
    };
    let here = stat(path)?;
    if here.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) {
        return Ok(here.stx_attributes.contains(StatxAttributes::MOUNT_ROOT));
    }
    // Before Linux 5.8 only the device tells, and `/` is above itself.
    let above = stat(&path.join(".."))?;
    let device = (here.stx_dev_major, here.stx_dev_minor) != (above.stx_dev_major, above.stx_dev_minor);
    Ok(device || here.stx_ino == above.stx_ino)
}
