//! Stores in the user's state directory, which outlive the directories that they record.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir};
use crate::id::DirectoryId;
use crate::metadata::Kind;
use crate::quote::{shell_path, shell_word};
use crate::repo::disk;
use crate::repo::format::Format;
use crate::repo::journal::{self, Directory, Loaded};
use crate::repo::membership::is_there;
use crate::repo::store_name::{is_store_name, store_name};
use crate::time::Timestamp;

/// A store as its files describe it.
pub struct StoreSummary {
    /// The id in its `format`.
    pub id: String,
    /// The directories that use it, and whether each still is at its path.
    pub directories: Vec<(DirectoryId, Directory, bool)>,
    /// Time of the latest record.
    pub time: Timestamp,
    /// Whether it has commits.
    pub has_commits: bool,
    /// The damage of its journal, after which the rest may be out of date.
    pub damage: Option<Error>,
}

/// The stores in the user's state directory, complete or not, sorted by path.
pub fn stores(environment: &Environment) -> Result<Vec<PathBuf>> {
    let Some(folder) = environment.state_directory() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for name in fs::list(folder)? {
        let path = folder.join(OsStr::from_bytes(&name));
        if is_store_name(&name) && fs::stat(&path)?.is_some_and(|stat| stat.kind == Kind::Directory) {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// Path of the store with this name in the user's state directory.
pub fn named(name: &Path, environment: &Environment) -> Option<PathBuf> {
    let store = environment.state_directory()?.join(name);
    let is_name = store.file_name() == Some(name.as_os_str()) && is_store_name(name.as_os_str().as_bytes());
    (is_name && fs::exists(&store).unwrap_or(false)).then_some(store)
}

/// Number of names that are compared with that of a store. More than one is used only if a path has had several histories.
const NAMES: u32 = 16;

/// Whether a store was made for a directory at this path, which may have moved since.
pub fn was_made_for(store: &Path, worktree: &Path) -> bool {
    let name = store.file_name().unwrap_or_default();
    (0..NAMES).any(|attempt| name == store_name(worktree, attempt).as_str())
}

/// Whether a directory is a store without the directory that it records.
pub fn is_store(path: &Path) -> bool {
    ["format", "journal", "packs"].iter().all(|name| fs::exists(&path.join(name)).unwrap_or(false))
}

/// Reads the format and the journal of a store.
///
/// [`ErrorKind::NoRepository`] for the incomplete store of an interrupted `init`, which holds no history.
pub fn summarize(store: &Path) -> Result<StoreSummary> {
    if !fs::exists(&store.join("format"))? && is_unused(store)? {
        let message = "incomplete: an interrupted `undo init` has left it, without a history";
        return Err(Error::new(ErrorKind::NoRepository, message));
    }
    let id = Format::open(&store.join("format"))?.id_text();
    let Loaded { state, damage, .. } = journal::load(&store.join("journal"))?;
    let directories = state.directories.iter();
    let directories = directories.map(|(id, directory)| (*id, directory.clone(), is_there(*id, directory, store)));
    let has_commits = !state.view.heads.is_empty();
    Ok(StoreSummary { id, directories: directories.collect(), time: state.time, has_commits, damage })
}

/// The path of a new store for a directory: `NAME-XXXXXXXX` in the user's state directory. An interrupted `init` of the same
/// directory gets the same path again; a store with a history is never returned.
///
/// [`ErrorKind::Refused`] if the directory or the state directory belongs to another user.
pub fn place_for(worktree: &Path, environment: &Environment) -> Result<PathBuf> {
    let folder = environment.state_directory().ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "cannot store histories: no home directory is known")
            .hint("set HOME: export HOME=DIR")
    })?;
    let worktree = fs::canonicalize_existing(worktree)?;
    check_owners(&worktree, folder)?;
    for attempt in 0.. {
        let store = folder.join(store_name(&worktree, attempt));
        if is_unused(&store)? {
            return Ok(store);
        }
    }
    unreachable!("some store is unused")
}

/// Whether a store does not exist, or is what an interrupted `init` has left.
fn is_unused(store: &Path) -> Result<bool> {
    if !fs::exists(store)? {
        return Ok(true);
    }
    if journal::has_history(&store.join("journal"))? {
        return Ok(false);
    }
    match journal::load(&store.join("journal")) {
        Ok(loaded) => Ok(loaded.damage.is_none() && loaded.state.directories.is_empty()),
        // Without a segment, it was interrupted earlier; `init` checks what the folder holds.
        Err(_) => Ok(!fs::exists(&store.join("format"))?),
    }
}

/// The directory must belong to the current user. As root, the state directory too: it may be that of another user, who could replace
/// the store.
fn check_owners(worktree: &Path, folder: &Path) -> Result<()> {
    let user = fs::effective_uid();
    let owner_of = |path: &Path| {
        let existing = path.ancestors().find(|above| fs::exists(above).unwrap_or(false));
        Dir::open(existing.unwrap_or(Path::new("/"))).and_then(|folder| folder.stat_self())
    };
    if fs::exists(worktree)? {
        let owner = owner_of(worktree)?.metadata.uid;
        if owner != user {
            let (owner, user) = (fs::name_of_user(owner), fs::name_of_user(user));
            let path = worktree.display();
            let message =
                format!("`{path}` belongs to `{owner}`, who could not read a history stored in the home of `{user}`");
            let directory = shell_path(worktree);
            return Err(Error::new(ErrorKind::Refused, message).hint(format!(
                "run it as the owner: sudo -u {} undo init --outside {directory}",
                shell_word(owner.as_bytes())
            )));
        }
    }
    let owner = owner_of(folder)?.metadata.uid;
    if user == 0 && owner != 0 {
        let message = format!("`{}` belongs to `{}`, not to `root`", folder.display(), fs::name_of_user(owner));
        return Err(Error::new(ErrorKind::Refused, message).hint("use the home directory of root: export HOME=/root"));
    }
    Ok(())
}

/// Bytes that a store takes on disk.
pub fn disk_size(store: &Path) -> Result<u64> {
    let mut bytes = 0;
    disk::walk(&Dir::open(store)?, &mut |_, _, stat| {
        bytes += stat.allocated;
        Ok(())
    })?;
    Ok(bytes)
}
