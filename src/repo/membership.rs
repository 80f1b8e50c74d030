//! Identifies the current directory among those that share a repository, by id, by path, and by the device and inode of
//! its root. Otherwise a copy of a directory would silently move the original's branch.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir};
use crate::id::DirectoryId;
use crate::path::REPOSITORY;
use crate::quote::shell_path;
use crate::repo::journal::{Directory, State};
use crate::repo::layout::{Attachment, Layout};
use crate::repo::refname;

/// Relation of a directory to its repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// The only directory: its `.undo` is the repository folder, and no other directory is known.
    Sole,
    /// A known directory, or one that replaces a directory that no longer exists.
    Known {
        /// Id of the directory.
        id: DirectoryId,
        /// Current state of the directory.
        directory: Directory,
        /// Whether the journal has this state.
        is_recorded: bool,
    },
    /// Another directory uses the repository, and this one is not known: most likely it is a copy.
    Unknown {
        /// Path of the other directory.
        other: PathBuf,
        /// Owner of the other directory, which no longer exists, if this one belongs to another user.
        owner: Option<u32>,
    },
}

/// The user's declaration of a directory whose repository another directory uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joining {
    /// Not declared. An operation that needs to know is refused with a hint.
    Ask,
    /// The other directory, moved to this path.
    Moved,
    /// A separate directory with this branch.
    Branch(String),
}

impl Membership {
    /// Identifies the directory of a layout in the journal's state.
    pub(super) fn of(state: &State, layout: &Layout) -> Result<Membership> {
        if state.directories.is_empty() && layout.attachment == Attachment::Own {
            return Ok(Membership::Sole);
        }
        let (here, known) = (current(layout)?, &state.directories);
        let named = layout.attachment.directory();
        let is_here = |other: &Directory| other.path() == here.path() || other.is_same_inode(&here);
        let found = named.and_then(|id| Some((id, known.get(&id)?)));
        let found = found.or_else(|| known.iter().find(|(_, it)| is_here(it)).map(|(id, it)| (*id, it)));
        // An unknown directory replaces the main one if that no longer exists.
        let Some((id, directory)) = found.or_else(|| main_directory(known)) else {
            return Ok(match linked_from(layout, state)? {
                Some(other) => Membership::Unknown { other, owner: None },
                None => Membership::known(here, named.map_or_else(new_id, Ok)?, None, known),
            });
        };
        // A path on another machine cannot be checked.
        let is_elsewhere = || directory.host != here.host || is_there(id, directory, &layout.repository);
        if !is_here(directory) && is_elsewhere() {
            return Ok(Membership::Unknown { other: directory.path().to_owned(), owner: None });
        }
        // Any user can copy the file `.undo` into a directory, where a restore would reveal the history.
        let is_replaced = named == Some(id) && directory.host == here.host && !directory.is_same_inode(&here);
        if is_replaced && directory.uid != here.uid {
            return Ok(Membership::Unknown { other: directory.path().to_owned(), owner: Some(directory.uid) });
        }
        Ok(Membership::known(here, id, directory.branch.clone(), known))
    }

    /// The membership of this directory under an id and with a branch.
    pub(super) fn known(
        here: Directory,
        id: DirectoryId,
        branch: Option<String>,
        known: &BTreeMap<DirectoryId, Directory>,
    ) -> Membership {
        let before = known.get(&id);
        // A bind mount shows one directory at two paths; keep the recorded one.
        let is_seen_twice = |before: &&Directory| {
            before.is_same_inode(&here) && fs::is_same_dir(before.path(), here.path()).unwrap_or(false)
        };
        let path = before.filter(is_seen_twice).unwrap_or(&here).path.clone();
        let directory = Directory { path, branch, ..here };
        Membership::Known { id, is_recorded: before == Some(&directory), directory }
    }

    /// Id of the directory whose position the journal's state should show.
    pub(super) fn directory(&self) -> Option<DirectoryId> {
        match self {
            Membership::Known { id, .. } => Some(*id),
            Membership::Sole | Membership::Unknown { .. } => None,
        }
    }

    /// [`ErrorKind::Refused`] if another directory uses the repository and this one is not known.
    pub fn check(&self, layout: &Layout) -> Result<()> {
        let Some((problem, remedy)) = self.problem(layout) else { return Ok(()) };
        Err(Error::new(ErrorKind::Refused, problem).hint(remedy))
    }

    /// Why the directory cannot use the repository, and what the user can do.
    pub fn problem(&self, layout: &Layout) -> Option<(String, String)> {
        let Membership::Unknown { other, owner } = self else { return None };
        let (worktree, other) = (layout.worktree.display(), other.display());
        let problem = match owner {
            None => format!("`{worktree}` uses the same repository as `{other}`, and may be a copy of it"),
            Some(owner) => {
                let owner = fs::name_of_user(*owner);
                format!("`{worktree}` has the history of `{other}`, which belonged to another user, `{owner}`")
            }
        };
        let directory = shell_path(&layout.worktree);
        let remedy = match layout.is_outside() {
            true => format!(
                "if it replaces that directory: undo stores adopt {directory}; for a copy with its own branch: undo stores split {directory}"
            ),
            false => remedies(&layout.worktree, None),
        };
        Some((problem, remedy))
    }
}

/// The two possible commands. `store`: path of the store, for a directory that is not attached to it yet.
pub fn remedies(worktree: &Path, store: Option<&Path>) -> String {
    let branch = branch_for(worktree);
    let store = store.map(|store| format!(" --store {}", shell_path(store))).unwrap_or_default();
    let init = format!("undo init {}{store}", shell_path(worktree));
    format!("for a copy with its own branch: {init} --branch {branch}; if the directory was moved: {init} --moved")
}

/// Name for the branch of a copy: that of the directory, as a valid name.
pub fn branch_for(worktree: &Path) -> String {
    let name = worktree.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_plain = |letter: char| letter.is_alphanumeric() || "-_".contains(letter);
    let branch: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    let branch = branch.trim_matches('-');
    // `latest` always means a commit, and a name can be too long.
    let names = [branch.to_owned(), format!("copy-{branch}")];
    let is_valid = |name: &String| !branch.is_empty() && refname::check(name).is_ok();
    names.into_iter().find(is_valid).unwrap_or_else(|| "copy".to_owned())
}

/// The main directory, if it is known: the one without a separate branch.
pub(super) fn main_directory(known: &BTreeMap<DirectoryId, Directory>) -> Option<(DirectoryId, &Directory)> {
    known.iter().find(|(_, directory)| directory.branch.is_none()).map(|(id, directory)| (*id, directory))
}

/// Generates a random id.
pub(super) fn new_id() -> Result<DirectoryId> {
    fs::random().map(DirectoryId)
}

/// The directory of a layout, with its current device, inode and owner, and without a branch.
pub(super) fn current(layout: &Layout) -> Result<Directory> {
    let stat = Dir::open(&layout.worktree)?.stat_self()?;
    let path = layout.worktree.as_os_str().as_bytes().to_vec();
    let (device, inode, uid) = (stat.device, stat.inode, stat.metadata.uid);
    Ok(Directory { path, device, inode, uid, host: fs::host_name(), branch: None })
}

/// The directory that contains the repository folder to which this one's `.undo` leads. If that directory is not known
/// but operations were recorded, returns the folder that was mounted.
fn linked_from(layout: &Layout, state: &State) -> Result<Option<PathBuf>> {
    if layout.attachment != Attachment::Linked {
        return Ok(None);
    }
    let folder = fs::canonicalize(&layout.repository)?;
    if folder == layout.marker() {
        return Ok(state.operation.map(|_| folder));
    }
    let above = folder.parent().filter(|_| folder.file_name().is_some_and(|name| name.as_bytes() == REPOSITORY));
    Ok(above.map(Path::to_owned))
}

/// Whether a directory still is at its path and uses the repository.
pub(super) fn is_there(id: DirectoryId, directory: &Directory, repository: &Path) -> bool {
    uses(directory.path(), Some(id), repository)
}

/// Whether the directory at a path uses the repository, as the directory with this id if one is given. A directory that cannot be
/// accessed counts as one that does.
pub(super) fn uses(path: &Path, id: Option<DirectoryId>, repository: &Path) -> bool {
    let there = match Layout::at(path) {
        Ok(Some(there)) => there,
        Ok(None) => return false,
        Err(error) => return error.kind() == ErrorKind::Permission,
    };
    there.attachment.directory().zip(id).is_none_or(|(named, id)| named == id)
        && fs::is_same_dir(&there.repository, repository).unwrap_or(false)
}
