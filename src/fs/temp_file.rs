//! A file that gets its name when it is whole; until then it has one that nobody looks for.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::inherit::{create_private, parent};
use crate::fs::{Dir, Renamed, copy_range, create_new, is_other_file_system, open, process_id, remove_file, rename};
use crate::fs::{stat_file, sync_data};

/// A new file, removed on drop unless it was given its final name.
pub struct TempFile {
    /// Closed once it is durable: a large commit has more of them than a process may have open.
    file: Option<File>,
    path: PathBuf,
    is_named: bool,
}

impl TempFile {
    /// Creates a repository file `NAME.<process>-<n>.tmp` next to `path`, where `NAME` is the last component of `path`.
    pub fn beside(path: &Path) -> Result<TempFile> {
        TempFile::make(path, create_new)
    }

    /// Like [`TempFile::beside`], for a file that only the user of this process may access (0600).
    pub(super) fn private_beside(path: &Path) -> Result<TempFile> {
        TempFile::make(path, create_private)
    }

    fn make(path: &Path, create: impl Fn(&Path) -> Result<File>) -> Result<TempFile> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = name_of(path)?;
        loop {
            let n = COUNT.fetch_add(1, Ordering::Relaxed);
            let mut temporary = name.to_owned();
            temporary.push(format!(".{}-{n}.tmp", process_id()));
            let path = path.with_file_name(temporary);
            match create(&path) {
                Ok(file) => return Ok(TempFile { file: Some(file), path, is_named: false }),
                // Left by a process that died and had the same number.
                Err(error) if error.is_taken() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The file, to be written. Not after it was flushed.
    pub fn file(&self) -> &File {
        self.file.as_ref().expect("nothing is done to what is flushed")
    }

    /// Unlinks the file and returns it: its space is freed when it is closed.
    pub fn into_unnamed(mut self) -> Option<File> {
        self.file.take()
    }

    /// Makes its bytes durable, and closes it.
    pub fn sync(&mut self, durability: Durability) -> Result<()> {
        self.file.take().map_or(Ok(()), |file| sync_data(&file, durability))
    }

    /// Gives it its name, in place of what has it.
    pub fn rename(mut self, path: &Path) -> Result<()> {
        match rename(&self.path, path) {
            // Pooled file systems (mergerfs) may have the two directories on different disks.
            Err(error) if is_other_file_system(&error) && parent(&self.path) != parent(path) => {
                return self.copy_to(path);
            }
            result => result?,
        }
        self.is_named = true;
        Ok(())
    }

    /// Copies the file into the directory of the name, and gives the copy that name. The copy is durable even if this
    /// file is not.
    fn copy_to(&self, path: &Path) -> Result<()> {
        let mut copy = TempFile::beside(path)?;
        let file = open(&self.path)?;
        copy_range((&file, 0), (copy.file(), 0), stat_file(&file)?.size)?;
        copy.sync(Durability::Synced)?;
        copy.rename(path)
    }

    /// Gives it its name in the same directory; `false`, and it is gone, if something else has that name.
    pub(super) fn rename_new(mut self, path: &Path) -> Result<bool> {
        let directory = Dir::open(parent(path))?;
        let (name, new_name) = (name_of(&self.path)?.as_bytes(), name_of(path)?.as_bytes());
        self.is_named = directory.rename_new(name, &directory, new_name)? != Renamed::No;
        Ok(self.is_named)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.is_named {
            // Nothing refers to it: what is left behind is in the way of nobody.
            let _ = remove_file(&self.path);
        }
    }
}

fn name_of(path: &Path) -> Result<&OsStr> {
    path.file_name().ok_or_else(|| Error::new(ErrorKind::Internal, format!("`{}` names no file", path.display())))
}
