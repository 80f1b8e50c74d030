//! Opens directories for changes, and chooses the names of staged entries.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Atime, Dir, FileSystem};
use crate::metadata::Kind;
use crate::parallel;
use crate::path::{RepoPath, RepoPathBuf};
use crate::time::Timestamp;

use super::apply_metadata::Subject;

/// The root below which entries are staged. Shared by all threads.
pub(crate) struct StagingArea<'d> {
    root: &'d Dir,
    /// Part of the names of staged entries. `None` creates entries under their final names (export).
    token: Option<u64>,
    count: AtomicU64,
    atime: Atime,
    /// Whether the file system follows a link when its owner or time is set, once this was tested.
    follows_links: OnceLock<bool>,
    /// Directories whose entries were changed: their times are restored at the end.
    disturbed: Mutex<BTreeSet<RepoPathBuf>>,
}

/// [`ErrorKind::Refused`] if the file system is mounted read-only. Checked before an intent is written.
pub(crate) fn check_writable(root: &Dir) -> Result<()> {
    if !root.file_system()?.is_read_only {
        return Ok(());
    }
    let path = root.path().display();
    let message = format!("`{path}` is on a file system that is mounted read-only");
    Err(Error::new(ErrorKind::Refused, message).hint(format!("mount it with `rw`; see: findmnt --target {path}")))
}

/// Prefix of the staged names of a token.
pub(crate) fn prefix(token: u64) -> Vec<u8> {
    format!(".undo-{token:016x}-").into_bytes()
}

impl<'d> StagingArea<'d> {
    pub(crate) fn new(root: &'d Dir, token: Option<u64>) -> StagingArea<'d> {
        // If the file system type is unknown, times are set in the way that works everywhere.
        let atime = root.file_system().map_or(Atime::Rewrite, FileSystem::atime);
        StagingArea {
            root,
            token,
            count: AtomicU64::new(0),
            atime,
            follows_links: OnceLock::new(),
            disturbed: Mutex::default(),
        }
    }

    /// The object to apply metadata to: a name, and the file itself if it is open.
    pub(super) fn subject<'s>(&self, directory: &'s Dir, name: &'s [u8], file: Option<&'s File>) -> Subject<'s> {
        Subject { directory, name, file, atime: self.atime, follows_links: false }
    }

    /// Like [`StagingArea::subject`], for an entry that may be a link.
    pub(super) fn link_subject<'s>(&self, directory: &'s Dir, name: &'s [u8], kind: Kind) -> Subject<'s> {
        let follows_links = kind == Kind::Symlink && self.follows_links(directory);
        Subject { follows_links, ..self.subject(directory, name, None) }
    }

    /// Whether the file system sets the time of a link on its target, as sshfs does. Tested with a dangling link.
    fn follows_links(&self, directory: &Dir) -> bool {
        if self.atime == Atime::Omit {
            return false;
        }
        *self.follows_links.get_or_init(|| {
            let (name, target) = (self.staged_name(b".undo-link"), self.staged_name(b".undo-target"));
            if directory.make_symlink(&name, &target).is_err() {
                return false;
            }
            let set = directory.set_mtime(&name, Timestamp::default(), self.atime);
            let _ = directory.remove_file(&name);
            set.is_err_and(|error| error.is_not_found())
        })
    }

    pub(crate) fn root(&self) -> &'d Dir {
        self.root
    }

    /// An unused name in the same directory, for an entry that will be moved to `name`.
    pub(super) fn staged_name(&self, name: &[u8]) -> Vec<u8> {
        let Some(token) = self.token else { return name.to_vec() };
        let mut staged = prefix(token);
        staged.extend_from_slice(self.count.fetch_add(1, Ordering::Relaxed).to_string().as_bytes());
        staged
    }

    /// Directories whose entries were changed.
    pub(crate) fn disturbed(&self) -> MutexGuard<'_, BTreeSet<RepoPathBuf>> {
        self.disturbed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a directory for changes. Makes it writable for its owner until it is finished. Refuses a directory from which
    /// staged entries could not be removed.
    fn open(&self, path: &RepoPath) -> Result<Dir> {
        let directory = self.root.open_below(path)?;
        directory.check_changeable()?;
        let user = fs::effective_uid();
        if user != 0 {
            let metadata = directory.stat_self()?.metadata;
            if metadata.uid == user && metadata.mode & 0o300 != 0o300 {
                directory.set_mode(b".", metadata.mode | 0o700)?;
            }
        }
        self.disturbed().insert(path.to_owned());
        Ok(directory)
    }
}

/// The directories that one thread has open.
pub(super) struct Directories<'s> {
    staging: &'s StagingArea<'s>,
    open: HashMap<RepoPathBuf, Rc<Dir>>,
}

/// Handles that one thread keeps: far below the usual limit of 1,024 a process.
const MOST_OPEN: usize = 128;

impl<'s> Directories<'s> {
    pub(super) fn new(staging: &'s StagingArea<'s>) -> Directories<'s> {
        Directories { staging, open: HashMap::new() }
    }

    /// The directory that a path is in, and its name there. Not for the root.
    pub(super) fn parent<'p>(&mut self, path: &'p RepoPath) -> Result<(Rc<Dir>, &'p [u8])> {
        let parent = path.parent().unwrap_or(RepoPath::root());
        let name = path.name().unwrap_or(b".");
        if let Some(directory) = self.open.get(parent) {
            return Ok((directory.clone(), name));
        }
        let directory = Rc::new(self.staging.open(parent)?);
        // All workers together keep a quarter of the limit; each has one or two more open files.
        if self.open.len() >= MOST_OPEN.min(fs::open_file_limit() / (4 * parallel::workers())) {
            self.open.clear();
        }
        self.open.insert(parent.to_owned(), directory.clone());
        Ok((directory, name))
    }
}
