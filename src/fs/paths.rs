//! Paths of the process: current directory, home directory, roots of file systems.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags};

use crate::error::{Error, Result};
use crate::fs::stat::is_missing_statx;

/// Resolves links, `.` and `..`. The path must exist.
pub fn canonicalize(path: &Path) -> Result<PathBuf> {
    // Without a trailing `.`, for which the C library checks access by a call that sandboxes answer with EPERM.
    std::fs::canonicalize(path.components().collect::<PathBuf>()).map_err(|cause| Error::io("find", path, cause))
}

/// Resolves links in the part of an absolute path that exists, and keeps the rest.
pub fn canonicalize_existing(path: &Path) -> Result<PathBuf> {
    let existing = path.ancestors().find(|above| std::fs::metadata(above).is_ok()).unwrap_or(Path::new("/"));
    let rest = path.strip_prefix(existing).unwrap_or(Path::new(""));
    // Joining an empty path would append a slash.
    let existing = canonicalize(existing)?;
    Ok(if rest.as_os_str().is_empty() { existing } else { existing.join(rest) })
}

/// The current directory.
pub fn current_dir() -> Result<PathBuf> {
    std::env::current_dir().map_err(|cause| Error::io("find", Path::new("."), cause))
}

/// The nearest existing parent of the current directory, if that was removed.
pub fn above_removed_dir() -> Option<PathBuf> {
    removed_dir()?.ancestors().find(|above| above.is_dir()).map(Path::to_owned)
}

/// The former path of the current directory, if that was removed.
pub fn removed_dir() -> Option<PathBuf> {
    let link = std::fs::read_link("/proc/self/cwd").ok()?;
    let path = link.as_os_str().as_bytes().strip_suffix(b" (deleted)")?;
    Some(Path::new(OsStr::from_bytes(path)).to_owned())
}

/// The home directory of the user: `$HOME`, or else from the user database.
pub fn home_dir() -> Option<PathBuf> {
    std::env::home_dir().filter(|path| path.is_absolute())
}

/// Whether two paths are the same directory, following links and bind mounts.
pub fn is_same_dir(one: &Path, other: &Path) -> Result<bool> {
    Ok(dir_id(one)? == dir_id(other)?)
}

/// Whether the path is a directory, with its device and inode; follows links.
fn dir_id(path: &Path) -> Result<(bool, u64, u64)> {
    let metadata = std::fs::metadata(path).map_err(|cause| Error::io("stat", path, cause))?;
    Ok((metadata.is_dir(), metadata.dev(), metadata.ino()))
}

/// Whether a directory equals another one or lies inside it, even through a second mount. `path` must be canonical.
pub fn lies_in(path: &Path, other: &Path) -> Result<bool> {
    let other = dir_id(other)?;
    for above in path.ancestors() {
        if dir_id(above)? == other {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A directory that usually holds more than one project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WideRoot {
    /// `/`.
    System,
    /// The user's home directory.
    Home,
    /// The root of a mount.
    FileSystem,
}

/// Whether a directory, whose path has no links, usually holds more than one project.
pub fn wide_root(path: &Path) -> Result<Option<WideRoot>> {
    if path.parent().is_none() {
        return Ok(Some(WideRoot::System));
    }
    if home_dir().and_then(|home| canonicalize(&home).ok()).is_some_and(|home| home == path) {
        return Ok(Some(WideRoot::Home));
    }
    Ok(is_mount_root(path)?.then_some(WideRoot::FileSystem))
}

/// Whether a directory is the root of a mount. Follows links.
pub(super) fn is_mount_root(path: &Path) -> Result<bool> {
    match rustix::fs::statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS) {
        Ok(here) if here.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) => {
            return Ok(here.stx_attributes.contains(StatxAttributes::MOUNT_ROOT));
        }
        Err(errno) if !is_missing_statx(errno) => return Err(Error::io("stat", path, errno.into())),
        _ => {}
    }
    // Before Linux 5.8, only the device number shows a mount. `/` is its own parent.
    let stat = |path: &Path| std::fs::metadata(path).map_err(|cause| Error::io("stat", path, cause));
    let (here, above) = (stat(path)?, stat(&path.join(".."))?);
    Ok(here.dev() != above.dev() || here.ino() == above.ino())
}
