//! Which of the directories that have a repository this one is. A copy of a directory would go on where the original is,
//! unnoticed; so each is known by an id, its path and the device and inode of its root.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir};
use crate::id::DirectoryId;
use crate::path::REPOSITORY;
use crate::quote::shell_word;
use crate::repo::format;
use crate::repo::journal::{Directory, State};
use crate::repo::layout::{Attachment, Layout};

/// What a directory is to its repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The only one there can be: `.undo` in it is the repository folder, and no other directory is known.
    Sole,
    /// One that is known, or takes the place of one that is gone.
    Known {
        /// Its id.
        id: DirectoryId,
        /// What it is now.
        directory: Directory,
        /// Whether the journal says the same.
        is_recorded: bool,
    },
    /// Another directory has the repository, and this one is not known: most likely it is a copy.
    Unknown {
        /// Where the other one is.
        other: PathBuf,
    },
}

/// What somebody says that a directory is which has the same repository as another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joining {
    /// Nothing: where that has to be known, the answer is a refusal that says how.
    Ask,
    /// That other one, at another path.
    Moved,
    /// One of its own, with this branch.
    Branch(String),
}

impl Standing {
    /// What the directory of a layout is, as the journal tells.
    pub(super) fn of(state: &State, layout: &Layout) -> Result<Standing> {
        if state.directories.is_empty() && layout.attachment == Attachment::Own {
            return Ok(Standing::Sole);
        }
        let here = Here::new(layout)?;
        let known = &state.directories;
        let named = match layout.attachment {
            Attachment::Store(Some(id)) => known.get(&id).map(|directory| (id, directory)),
            _ => None,
        };
        let is_here = |directory: &Directory| here.is_at(directory) || here.is_same_inode(directory);
        let found = named.or_else(|| known.iter().find(|(_, it)| is_here(it)).map(|(id, it)| (*id, it)));
        // A directory that nobody knows takes the place of the main one, if that is gone.
        let found = found.or_else(|| main_directory(known));
        let Some((id, directory)) = found else {
            let id = match layout.attachment {
                Attachment::Store(Some(id)) => id,
                _ => new_id(),
            };
            return Ok(match here.home(state)? {
                Some(other) => Standing::Unknown { other },
                None => here.becomes(id, None, known),
            });
        };
        if !is_here(directory) && here.is_elsewhere(id, directory) {
            return Ok(Standing::Unknown { other: directory.path().to_owned() });
        }
        Ok(here.becomes(id, directory.branch.clone(), known))
    }

    /// As which directory the journal is to be seen.
    pub(super) fn directory(&self) -> Option<DirectoryId> {
        match self {
            Standing::Known { id, .. } => Some(*id),
            Standing::Sole | Standing::Unknown { .. } => None,
        }
    }

    /// [`ErrorKind::Refused`] if another directory has the repository, and nobody said what this one is.
    pub fn check(&self, layout: &Layout) -> Result<()> {
        let Standing::Unknown { other } = self else { return Ok(()) };
        Err(Error::new(ErrorKind::Refused, describe(&layout.worktree, other)).hint(remedies(&layout.worktree, None)))
    }
}

/// What is wrong where two directories have one repository.
pub fn describe(worktree: &Path, other: &Path) -> String {
    let (worktree, other) = (worktree.display(), other.display());
    format!("`{worktree}` has the same repository as `{other}`, and may be a copy of it")
}

/// The two ways to go on, as commands. `store`: where it is, for a directory that is not attached to it yet.
pub fn remedies(worktree: &Path, store: Option<&Path>) -> String {
    let word = |path: &Path| shell_word(path.as_os_str().as_bytes()).into_owned();
    let name = worktree.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
    let branch: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    let branch = match branch.trim_matches('-') {
        "" => "copy",
        name => name,
    };
    let store = store.map(|store| format!(" --store {}", word(store))).unwrap_or_default();
    let init = format!("undo init {}{store}", word(worktree));
    format!(
        "if it is another directory, give it a branch: {init} --branch {branch}; if it is the same one, moved: {init} --moved"
    )
}

/// The main directory, if it is known: the one without a branch of its own.
pub(super) fn main_directory(known: &BTreeMap<DirectoryId, Directory>) -> Option<(DirectoryId, &Directory)> {
    known.iter().find(|(_, directory)| directory.branch.is_none()).map(|(id, directory)| (*id, directory))
}

/// A new id.
pub(super) fn new_id() -> DirectoryId {
    DirectoryId(format::random())
}

/// The directory at hand.
pub(super) struct Here<'l> {
    layout: &'l Layout,
    device: u64,
    inode: u64,
    uid: u32,
}

impl<'l> Here<'l> {
    pub(super) fn new(layout: &'l Layout) -> Result<Here<'l>> {
        let stat = Dir::open(&layout.worktree)?.stat_self()?;
        Ok(Here { layout, device: stat.device, inode: stat.inode, uid: stat.metadata.uid })
    }

    /// It as this directory, with this branch.
    pub(super) fn becomes(
        &self,
        id: DirectoryId,
        branch: Option<String>,
        known: &BTreeMap<DirectoryId, Directory>,
    ) -> Standing {
        let before = known.get(&id);
        let path = self.layout.worktree.as_os_str().as_bytes();
        // Seen at a second place, by a bind mount: both paths lead to it.
        let is_seen_twice = |before: &&Directory| {
            self.is_same_inode(before) && fs::is_same_dir(before.path(), &self.layout.worktree).unwrap_or(false)
        };
        let path = before.filter(is_seen_twice).map_or_else(|| path.to_vec(), |before| before.path.clone());
        let (device, inode, uid, host) = (self.device, self.inode, self.uid, fs::host_name());
        let directory = Directory { path, device, inode, uid, host, branch };
        let is_recorded = before == Some(&directory);
        Standing::Known { id, directory, is_recorded }
    }

    fn is_at(&self, directory: &Directory) -> bool {
        directory.path() == self.layout.worktree
    }

    fn is_same_inode(&self, directory: &Directory) -> bool {
        (directory.device, directory.inode) == (self.device, self.inode)
    }

    /// Whether a directory that is known is another one, and still has the repository.
    fn is_elsewhere(&self, id: DirectoryId, directory: &Directory) -> bool {
        // What is on another machine cannot be looked at.
        directory.host != fs::host_name() || is_there(id, directory, &self.layout.repository)
    }

    /// The directory whose own `.undo` this one's leads to. Where that is not known, but something was recorded in it, it is
    /// taken for the folder that was mounted.
    fn home(&self, state: &State) -> Result<Option<PathBuf>> {
        if self.layout.attachment != Attachment::Linked {
            return Ok(None);
        }
        let folder = fs::canonicalize(&self.layout.repository)?;
        if folder == self.layout.marker() {
            return Ok(state.operation.map(|_| folder));
        }
        let above = folder.parent().filter(|_| folder.file_name().is_some_and(|name| name.as_bytes() == REPOSITORY));
        Ok(above.map(Path::to_owned))
    }
}

/// Whether a directory still is where it was, and has the repository. One that may not be looked at counts as being there.
pub(super) fn is_there(id: DirectoryId, directory: &Directory, repository: &Path) -> bool {
    let there = match Layout::at(directory.path()) {
        Ok(Some(there)) => there,
        Ok(None) => return false,
        Err(error) => return error.kind() == ErrorKind::Permission,
    };
    let is_it = match there.attachment {
        Attachment::Store(Some(named)) => named == id,
        _ => true,
    };
    is_it && fs::is_same_dir(&there.repository, repository).unwrap_or(false)
}
