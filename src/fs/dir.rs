//! An open directory: lists it, and opens and stats its names. No call follows a link below the directory, and none depends on the
//! length of its path.
//!
//! `dir_ops` has the calls that change names, `attributes` those that change attributes.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RawDir, ResolveFlags, StatxAttributes, StatxFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::stat::{free_space, is_missing_statx, kind_of};
use crate::fs::{FileSystem, Stat};
use crate::metadata::Kind;
use crate::path::{RepoPath, is_name};

/// A handle of a directory. Its path is only for messages.
///
/// A name is a single component, never a path; `.` is the directory itself.
#[derive(Debug)]
pub struct Dir {
    handle: OwnedFd,
    path: PathBuf,
    /// Whether a listing has moved the position of the handle.
    listed: AtomicBool,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirEntry {
    /// Never `.` or `..`.
    pub name: Vec<u8>,
    /// `None` if the file system does not list kinds.
    pub kind: Option<Kind>,
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// Maximum path length of a system call (`PATH_MAX` includes the terminating zero).
const LONGEST_PATH: usize = 4096;

/// Buffer size for listings, in bytes: about 1,000 names.
const LIST_BUFFER: usize = 32 << 10;

impl Dir {
    /// Opens a directory by path, following links.
    pub fn open(path: &Path) -> Result<Dir> {
        let handle = keeping_atime(|extra| rustix::fs::openat(CWD, path, DIRECTORY | extra, Mode::empty()))
            .map_err(|errno| Error::io("open", path, errno.into()))?;
        Ok(Dir::new(handle, path.to_owned()))
    }

    fn new(handle: OwnedFd, path: PathBuf) -> Dir {
        Dir { handle, path, listed: AtomicBool::new(false) }
    }

    /// The path that it was opened with, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the subdirectory `name`. Fails on a link.
    pub fn open_dir(&self, name: &[u8]) -> Result<Dir> {
        self.check(name)?;
        let flags = DIRECTORY | OFlags::NOFOLLOW;
        let handle = keeping_atime(|extra| rustix::fs::openat(&self.handle, name, flags | extra, Mode::empty()))
            .map_err(|errno| self.failed("open", name, errno))?;
        Ok(Dir::new(handle, self.path_of(name)))
    }

    /// Opens a directory below it without following links. The empty path opens a second handle of itself.
    pub fn open_below(&self, path: &RepoPath) -> Result<Dir> {
        if path.is_root() {
            return self.open_dir(b".");
        }
        let bytes = path.as_bytes();
        if bytes.len() >= LONGEST_PATH {
            // Opens as many components at a time as fit into one call.
            let cut = bytes[..LONGEST_PATH].iter().rposition(|&byte| byte == b'/');
            let parts = cut.and_then(|at| Some((RepoPath::new(&bytes[..at])?, RepoPath::new(&bytes[at + 1..])?)));
            return match parts {
                Some((first, rest)) => self.open_below(first)?.open_below(rest),
                None => self.walk_below(path),
            };
        }
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        let flags = DIRECTORY | OFlags::NOFOLLOW;
        let at_once =
            keeping_atime(|extra| rustix::fs::openat2(&self.handle, bytes, flags | extra, Mode::empty(), resolve));
        match at_once {
            Ok(handle) => Ok(Dir::new(handle, self.path.join(path.as_path()))),
            // An old kernel, or a failure that the walk by components will report more precisely.
            Err(_) => self.walk_below(path),
        }
    }

    /// Opens the directory that a path below it is in. Returns it with the name there; the empty path is named `.`.
    pub fn open_parent<'p>(&self, path: &'p RepoPath) -> Result<(Dir, &'p [u8])> {
        let parent = self.open_below(path.parent().unwrap_or(RepoPath::root()))?;
        Ok((parent, path.name().unwrap_or(b".")))
    }

    /// Opens a directory below it one component at a time, which works on any kernel and for any length.
    pub(super) fn walk_below(&self, path: &RepoPath) -> Result<Dir> {
        let mut below = self.open_dir(b".")?;
        for name in path.names() {
            below = below.open_dir(name)?;
        }
        Ok(below)
    }

    /// Lists all names except `.` and `..`, sorted by bytes.
    pub fn entries(&self) -> Result<Vec<DirEntry>> {
        // A listing moves the position that all users of a handle share, so only the first one may use this handle.
        if self.listed.swap(true, Ordering::Relaxed) {
            return self.open_dir(b".")?.entries();
        }
        let mut buffer = Vec::with_capacity(LIST_BUFFER);
        let mut listing = RawDir::new(&self.handle, buffer.spare_capacity_mut());
        let mut entries = Vec::new();
        while let Some(entry) = listing.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(Errno::INTR) => continue,
                Err(errno) => return Err(self.failed("list", b".", errno)),
            };
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                entries.push(DirEntry { name: name.to_vec(), kind: kind_of(entry.file_type()) });
            }
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// The stat of a name; `None` if it does not exist.
    pub fn stat(&self, name: &[u8]) -> Result<Option<Stat>> {
        self.check(name)?;
        match Stat::at(&self.handle, name) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => Err(self.failed("stat", name, errno)),
        }
    }

    /// Like [`Dir::stat`], for a path below it. Fails if the parent directory does not exist.
    pub fn stat_below(&self, path: &RepoPath) -> Result<Option<Stat>> {
        let (parent, name) = self.open_parent(path)?;
        parent.stat(name)
    }

    /// Fails if names cannot be removed (`chattr +a`) or changed at all (`chattr +i`).
    pub fn check_changeable(&self) -> Result<()> {
        let stat = match rustix::fs::statx(&self.handle, c"", AtFlags::EMPTY_PATH, StatxFlags::TYPE) {
            Ok(stat) => stat,
            // Without `statx`, this is not known.
            Err(errno) if is_missing_statx(errno) => return Ok(()),
            Err(errno) => return Err(self.failed("stat", b".", errno)),
        };
        if stat.stx_attributes.intersects(StatxAttributes::APPEND | StatxAttributes::IMMUTABLE) {
            return Err(self.failed("change", b".", Errno::PERM));
        }
        Ok(())
    }

    /// The stat of the directory itself.
    pub fn stat_self(&self) -> Result<Stat> {
        Stat::of(&self.handle).map_err(|errno| self.failed("stat", b".", errno))
    }

    /// The kind of its file system.
    pub fn file_system(&self) -> Result<FileSystem> {
        FileSystem::from_call(rustix::fs::fstatfs(&self.handle))
            .map_err(|errno| self.failed("read the file system type of", b".", errno))
    }

    /// Free space of its file system in bytes. `None` if unknown, or if files may take less space than their size.
    pub fn free_space(&self) -> Result<Option<u64>> {
        match rustix::fs::fstatfs(&self.handle) {
            Ok(raw) => Ok(free_space(&raw)),
            Err(Errno::NOSYS | Errno::PERM) => Ok(None),
            Err(errno) => Err(self.failed("read the free space of", b".", errno)),
        }
    }

    /// Total space of its file system in bytes, and the free space that users can fill.
    pub fn disk_space(&self) -> Result<(u64, u64)> {
        let raw =
            rustix::fs::fstatfs(&self.handle).map_err(|errno| self.failed("read the free space of", b".", errno))?;
        let bytes = |blocks: u64| blocks.saturating_mul(raw.f_bsize as u64);
        Ok((bytes(raw.f_blocks), bytes(raw.f_bavail)))
    }

    /// Opens a file for reading, without following a link or blocking on a FIFO. Keeps the access time where permitted.
    pub fn open_file(&self, name: &[u8]) -> Result<File> {
        self.check(name)?;
        keeping_atime(|extra| rustix::fs::openat(&self.handle, name, FILE | extra, Mode::empty()))
            .map(File::from)
            .map_err(|errno| self.failed("open", name, errno))
    }

    /// Like [`Dir::open_file`], for a path below it.
    pub fn open_file_below(&self, path: &RepoPath) -> Result<File> {
        self.open_below(path.parent().unwrap_or(RepoPath::root()))?.open_file(path.name().unwrap_or(b"."))
    }

    /// Like [`Dir::open_file`], with the stat of the opened file.
    pub fn open_file_stat(&self, name: &[u8]) -> Result<(File, Stat)> {
        let file = self.open_file(name)?;
        let stat = Stat::of(&file).map_err(|errno| self.failed("stat", name, errno))?;
        Ok((file, stat))
    }

    /// The target of a symlink.
    pub fn read_link(&self, name: &[u8]) -> Result<Vec<u8>> {
        self.check(name)?;
        rustix::fs::readlinkat(&self.handle, name, Vec::new())
            .map(|target| target.into_bytes())
            .map_err(|errno| self.failed("read the link", name, errno))
    }

    /// Makes its names durable.
    pub fn sync(&self, durability: Durability) -> Result<()> {
        if !durability.is_synced() {
            return Ok(());
        }
        match retry_on_intr(|| rustix::fs::fsync(&self.handle)) {
            // Some network file systems have no flush for directories: names are durable there when a call returns.
            Ok(()) | Err(Errno::INVAL) => Ok(()),
            Err(errno) => Err(self.failed("flush", b".", errno)),
        }
    }

    /// Flushes its whole file system, which is faster than a flush for each of many files.
    pub fn sync_file_system(&self, durability: Durability) -> Result<()> {
        if !durability.is_synced() {
            return Ok(());
        }
        match retry_on_intr(|| rustix::fs::syncfs(&self.handle)) {
            // Sandboxes may not support the call. `sync` then flushes every file system, as before Linux 2.6.39.
            Err(Errno::NOSYS | Errno::PERM) => {
                rustix::fs::sync();
                Ok(())
            }
            result => result.map_err(|errno| self.failed("flush the file system of", b".", errno)),
        }
    }

    /// The path of a name, for messages.
    pub(super) fn path_of(&self, name: &[u8]) -> PathBuf {
        match name {
            b"." => self.path.clone(),
            _ => self.path.join(OsStr::from_bytes(name)),
        }
    }

    /// The error of a failed call on a name.
    pub(super) fn failed(&self, action: &str, name: &[u8], errno: Errno) -> Error {
        Error::io(action, &self.path_of(name), errno.into())
    }

    /// Rejects a path in place of a name, because the system would follow its links.
    pub(super) fn check(&self, name: &[u8]) -> Result<()> {
        if is_name(name) || name == b"." {
            return Ok(());
        }
        let name = String::from_utf8_lossy(name);
        Err(Error::new(ErrorKind::Refused, format!("`{name}` in `{}` is not a valid file name", self.path.display())))
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// Opens with `O_NOATIME`, which only the owner and root may use, or else without.
fn keeping_atime(open: impl Fn(OFlags) -> rustix::io::Result<OwnedFd>) -> rustix::io::Result<OwnedFd> {
    match retry_on_intr(|| open(OFlags::NOATIME)) {
        Err(Errno::PERM) => retry_on_intr(|| open(OFlags::empty())),
        result => result,
    }
}
