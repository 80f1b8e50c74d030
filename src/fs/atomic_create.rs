//! A new file that takes nobody's place.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::environment::Durability;
use crate::error::{Error, Result};
use crate::fs::inherit::parent;
use crate::fs::{TempFile, copy_range, exists, is_no_link_possible, stat_file, sync_data, sync_dir};

/// A private file (0600) that gets its name when it is whole, if that is free. Dropped, it leaves nothing behind; a process
/// that is killed leaves at most another name.
pub struct AtomicFile {
    file: Unnamed,
    path: PathBuf,
}

enum Unnamed {
    /// Without any name.
    File(File),
    /// Where the file system knows no files without a name.
    TempFile(TempFile),
}

impl AtomicFile {
    /// To be `path` once it is whole.
    pub fn create(path: &Path) -> Result<AtomicFile> {
        AtomicFile::without_name(path)?.map_or_else(|| AtomicFile::with_other_name(path), Ok)
    }

    /// `None` where that cannot be had.
    fn without_name(path: &Path) -> Result<Option<AtomicFile>> {
        let (flags, mode) = (OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
        let file = match retry_on_intr(|| rustix::fs::open(parent(path), flags, mode)) {
            Ok(file) => File::from(file),
            // An old kernel takes it for a directory that is opened for writing.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::ISDIR | Errno::INVAL) => return Ok(None),
            Err(errno) => return Err(Error::io("create", path, errno.into())),
        };
        let can_be_named = exists(&handle(&file))?;
        Ok(can_be_named.then(|| AtomicFile { file: Unnamed::File(file), path: path.to_owned() }))
    }

    pub(super) fn with_other_name(path: &Path) -> Result<AtomicFile> {
        Ok(AtomicFile { file: Unnamed::TempFile(TempFile::private_beside(path)?), path: path.to_owned() })
    }

    /// The file, to be written.
    pub fn file(&self) -> &File {
        match &self.file {
            Unnamed::File(file) => file,
            Unnamed::TempFile(file) => file.file(),
        }
    }

    /// Flushes it and gives it its name; `false`, and nothing of it is left, if something else has that name by now.
    pub fn publish(self, durability: Durability) -> Result<bool> {
        let is_named = match self.file {
            Unnamed::File(file) => {
                sync_data(&file, durability)?;
                match link(&file, &self.path) {
                    Err(error) if is_no_link_possible(&error) => publish_copy(&file, &self.path, durability)?,
                    is_named => is_named?,
                }
            }
            Unnamed::TempFile(mut file) => {
                file.sync(durability)?;
                file.rename_new(&self.path)?
            }
        };
        if is_named {
            sync_dir(parent(&self.path), durability)?;
        }
        Ok(is_named)
    }
}

/// Fallback if an unnamed file cannot be linked: gives the name to a copy of it.
fn publish_copy(file: &File, path: &Path, durability: Durability) -> Result<bool> {
    let mut copy = TempFile::beside(path)?;
    copy_range((file, 0), (copy.file(), 0), stat_file(file)?.size)?;
    copy.sync(durability)?;
    copy.rename_new(path)
}

/// Gives an open file a name; `false` if something else has it.
fn link(file: &File, path: &Path) -> Result<bool> {
    match rustix::fs::linkat(CWD, handle(file), CWD, path, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(Error::io("create", path, errno.into())),
    }
}

/// A name by which the system finds an open file.
fn handle(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
