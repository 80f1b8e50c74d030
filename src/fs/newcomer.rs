//! A new file that gets its name when it is whole.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::atomic::{parent, stage_beside};
use crate::fs::{Dir, exists, remove_file, sync_data, sync_dir};

/// A file with mode 0600 that has no name yet, or another one where the file system knows no files without. Dropped, it
/// leaves nothing behind; a process that is killed leaves at most that other name.
pub struct Newcomer {
    file: File,
    path: PathBuf,
    /// The other name.
    staged: Option<PathBuf>,
}

impl Newcomer {
    /// To be `path` once it is whole.
    pub fn create(path: &Path) -> Result<Newcomer> {
        Newcomer::without_name(path)?.map_or_else(|| Newcomer::with_other_name(path), Ok)
    }

    /// `None` where that cannot be had.
    fn without_name(path: &Path) -> Result<Option<Newcomer>> {
        let (flags, mode) = (OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
        let file = match retry_on_intr(|| rustix::fs::open(parent(path), flags, mode)) {
            Ok(file) => File::from(file),
            // An old kernel takes it for a directory that is opened for writing.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => return Ok(None),
            Err(errno) => return Err(Error::io("create", path, errno.into())),
        };
        let can_be_named = exists(&handle(&file))?;
        Ok(can_be_named.then(|| Newcomer { file, path: path.to_owned(), staged: None }))
    }

    pub(super) fn with_other_name(path: &Path) -> Result<Newcomer> {
        let (file, staged) = stage_beside(path)?;
        Ok(Newcomer { file, path: path.to_owned(), staged: Some(staged) })
    }

    /// The file, to be written.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Flushes it and gives it its name; `false`, and nothing of it is left, if something else has that name by now.
    pub fn publish(mut self) -> Result<bool> {
        sync_data(&self.file)?;
        let is_named = match &self.staged {
            None => self.name()?,
            Some(staged) => self.rename(staged)?,
        };
        if is_named {
            self.staged = None;
            sync_dir(parent(&self.path))?;
        }
        Ok(is_named)
    }

    fn name(&self) -> Result<bool> {
        match rustix::fs::linkat(CWD, handle(&self.file), CWD, &self.path, AtFlags::SYMLINK_FOLLOW) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(errno) => Err(Error::io("create", &self.path, errno.into())),
        }
    }

    fn rename(&self, staged: &Path) -> Result<bool> {
        let (Some(from), Some(to)) = (staged.file_name(), self.path.file_name()) else {
            return Err(Error::new(ErrorKind::Internal, format!("`{}` names no file", self.path.display())));
        };
        let directory = Dir::open(parent(&self.path))?;
        directory.rename_new(from.as_bytes(), &directory, to.as_bytes())
    }
}

impl Drop for Newcomer {
    fn drop(&mut self) {
        if let Some(staged) = &self.staged {
            // What is left behind is in the way of nobody.
            let _ = remove_file(staged);
        }
    }
}

/// A name by which the system finds an open file.
fn handle(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
