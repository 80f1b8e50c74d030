//! Files that appear complete or not at all: they have a temporary name, or none, until they are renamed or linked.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::handle::failed;
use crate::fs::inherit::{create_private, parent};
use crate::fs::user::effective_gid;
use crate::fs::{Dir, Renamed, create_new, exists, is_no_link_possible, is_other_file_system, open, process_id};
use crate::fs::{effective_uid, set_file_mode, set_file_owner, stat};
use crate::fs::{read_at, remove_file, rename, sync_data, sync_dir, write_all};
use crate::metadata::Metadata;

/// A new file, removed on drop unless it was renamed to its final name.
pub struct TempFile {
    /// Closed when durable, because a large commit has more such files than a process may have open.
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
                // Left by a killed process with the same id.
                Err(error) if error.already_exists() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The file to write to. Must not be called after [`TempFile::sync`].
    pub fn file(&self) -> &File {
        self.file.as_ref().expect("a flushed file is not written to")
    }

    /// Unlinks the file and returns it: its space is freed when it is closed.
    pub fn into_unnamed(mut self) -> Option<File> {
        self.file.take()
    }

    /// Makes the file durable and closes it.
    pub fn sync(&mut self, durability: Durability) -> Result<()> {
        self.file.take().map_or(Ok(()), |file| sync_data(&file, durability))
    }

    /// Renames the file to `path`, replacing an existing file.
    pub fn rename(mut self, path: &Path) -> Result<()> {
        match rename(&self.path, path) {
            // Pooled file systems (mergerfs) may have the two directories on different disks.
            Err(error) if is_other_file_system(&error) && parent(&self.path) != parent(path) => {
                // The copy must be durable even if this file is not.
                return TempFile::copy_beside(path, &open(&self.path)?, Durability::Synced)?.rename(path);
            }
            result => result?,
        }
        self.is_named = true;
        Ok(())
    }

    /// Creates a durable copy of a file next to `path`.
    fn copy_beside(path: &Path, file: &File, durability: Durability) -> Result<TempFile> {
        let mut copy = TempFile::beside(path)?;
        let (mut buffer, mut offset) = (vec![0; BUFFERED], 0);
        loop {
            let length = read_at(file, &mut buffer, offset)?;
            write_all(copy.file(), &buffer[..length])?;
            offset += length as u64;
            if length < buffer.len() {
                break;
            }
        }
        copy.sync(durability)?;
        Ok(copy)
    }

    /// Renames the file to `path` in the same directory. Returns `false`, and removes the file, if `path` exists.
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
            // Nothing refers to the file, so a failure is harmless.
            let _ = remove_file(&self.path);
        }
    }
}

fn name_of(path: &Path) -> Result<&OsStr> {
    path.file_name().ok_or_else(|| Error::new(ErrorKind::Internal, format!("`{}` has no file name", path.display())))
}

/// Shorter pieces are written together.
const BUFFERED: usize = 256 << 10;

/// Writes a repository file next to `path`, flushes it, renames it to `path` and flushes the directory. The bytes come in
/// pieces. Caches pass [`Durability::NoSync`].
pub fn write_atomic(
    path: &Path,
    pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
    durability: Durability,
) -> Result<()> {
    replace(TempFile::beside(path)?, path, pieces, durability)
}

/// Like [`write_atomic`], for a file that only the user of this process may access (0600), in any folder.
#[cfg(feature = "targets")]
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    replace(TempFile::private_beside(path)?, path, [bytes], Durability::Synced)
}

/// Writes a file that belongs to the user and not to a repository, in any folder. Takes owner and mode from the file at `like`. If
/// `like` does not exist, only the user may access the new file (0600).
pub fn write_like(path: &Path, bytes: &[u8], like: &Path) -> Result<()> {
    let staged = TempFile::private_beside(path)?;
    if let Some(stat) = stat(like)? {
        let Metadata { uid, gid, mode, .. } = stat.metadata;
        if (uid, gid) != (effective_uid(), effective_gid()) {
            set_file_owner(staged.file(), uid, gid)?;
        }
        set_file_mode(staged.file(), mode)?;
    }
    replace(staged, path, [bytes], Durability::Synced)
}

fn replace(
    mut staged: TempFile,
    path: &Path,
    pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
    durability: Durability,
) -> Result<()> {
    let mut writer = BufWriter::with_capacity(BUFFERED, staged.file());
    let written = pieces.into_iter().try_for_each(|piece| writer.write_all(piece.as_ref()));
    written.and_then(|()| writer.flush()).map_err(|cause| failed("write", staged.file(), cause))?;
    drop(writer);
    staged.sync(durability)?;
    staged.rename(path)?;
    if durability.is_synced() { sync_dir(parent(path), durability) } else { Ok(()) }
}

/// A private file (0600) that gets its name when it is complete, if the name is free. Removed on drop. A killed process leaves at
/// most a file with a temporary name.
pub struct AtomicFile {
    file: Unnamed,
    path: PathBuf,
}

enum Unnamed {
    /// A file without a name.
    File(File),
    /// If the file system has no unnamed files.
    TempFile(TempFile),
}

impl AtomicFile {
    /// Creates a file that will be published as `path`.
    pub fn create(path: &Path) -> Result<AtomicFile> {
        AtomicFile::without_name(path)?.map_or_else(|| AtomicFile::with_temporary_name(path), Ok)
    }

    /// `None` if the file system has no unnamed files, or they cannot be linked.
    fn without_name(path: &Path) -> Result<Option<AtomicFile>> {
        let (flags, mode) = (OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
        let file = match retry_on_intr(|| rustix::fs::open(parent(path), flags, mode)) {
            Ok(file) => File::from(file),
            // An old kernel ignores the flag and opens the directory.
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::ISDIR | Errno::INVAL) => return Ok(None),
            Err(errno) => return Err(Error::io("create", path, errno.into())),
        };
        let can_be_named = exists(&handle(&file))?;
        Ok(can_be_named.then(|| AtomicFile { file: Unnamed::File(file), path: path.to_owned() }))
    }

    pub(super) fn with_temporary_name(path: &Path) -> Result<AtomicFile> {
        Ok(AtomicFile { file: Unnamed::TempFile(TempFile::private_beside(path)?), path: path.to_owned() })
    }

    /// The file to write to.
    pub fn file(&self) -> &File {
        match &self.file {
            Unnamed::File(file) => file,
            Unnamed::TempFile(file) => file.file(),
        }
    }

    /// Makes the file durable and gives it its name. Returns `false`, and removes the file, if the name exists.
    pub fn publish(self, durability: Durability) -> Result<bool> {
        let is_named = match self.file {
            Unnamed::File(file) => {
                sync_data(&file, durability)?;
                match link(&file, &self.path) {
                    Err(error) if is_no_link_possible(&error) => {
                        TempFile::copy_beside(&self.path, &file, durability)?.rename_new(&self.path)?
                    }
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

/// Links an open file to a name; `false` if the name exists.
fn link(file: &File, path: &Path) -> Result<bool> {
    match rustix::fs::linkat(CWD, handle(file), CWD, path, AtFlags::SYMLINK_FOLLOW) {
        Ok(()) => Ok(true),
        Err(Errno::EXIST) => Ok(false),
        Err(errno) => Err(Error::io("create", path, errno.into())),
    }
}

/// The path of an open file in `/proc`.
fn handle(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}
