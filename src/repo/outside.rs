//! Stores in the user's state directory, which outlive the directories that they record.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir};
use crate::id::DirectoryId;
use crate::metadata::Kind;
use crate::quote::shell_word;
use crate::repo::format::Format;
use crate::repo::journal::{self, Directory};
use crate::repo::membership::is_there;
use crate::time::Timestamp;

/// Number of hex digits at the end of a store's name.
const DIGITS: usize = 8;

/// Longest part of a store's name that comes from the name of its directory, in bytes.
const LONGEST_NAME: usize = 64;

/// A store as its files describe it.
pub struct StoreSummary {
    /// The id in its `format`.
    pub id: String,
    /// The directories that use it, and whether each still is at its path.
    pub directories: Vec<(DirectoryId, Directory, bool)>,
    /// Time of the latest record.
    pub time: Timestamp,
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

/// Reads the format and the journal of a store.
pub fn summarize(store: &Path) -> Result<StoreSummary> {
    let id = Format::open(&store.join("format"))?.id_text();
    let loaded = journal::load(&store.join("journal"))?;
    let directories = loaded.state.directories.iter();
    let directories = directories.map(|(id, directory)| (*id, directory.clone(), is_there(*id, directory, store)));
    Ok(StoreSummary { id, directories: directories.collect(), time: loaded.state.time, damage: loaded.damage })
}

/// The path of a new store for a directory: `NAME-XXXXXXXX` in the user's state directory. An interrupted `init` of the same
/// directory gets the same path again; a store with a history is never returned.
///
/// [`ErrorKind::Refused`] if the directory or the state directory belongs to another user.
pub fn place_for(worktree: &Path, environment: &Environment) -> Result<PathBuf> {
    let folder = environment.state_directory().ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "the current user has no home directory for histories")
            .hint("name one: export HOME=DIR")
    })?;
    let worktree = fs::canonicalize_existing(worktree)?;
    check_owners(&worktree, folder)?;
    let name = store_name(&worktree);
    for attempt in 0_u32.. {
        let hash = blake3::hash(&[worktree.as_os_str().as_bytes(), b"\0", &attempt.to_le_bytes()].concat());
        let store = folder.join(format!("{name}-{}", &hash.to_hex()[..DIGITS]));
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

/// The directory's name, with letters, digits, `.`, `_` and `-` only.
fn store_name(worktree: &Path) -> String {
    let name = worktree.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let plain: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect();
    let plain = plain.trim_start_matches(['.', '-']);
    let plain = &plain[..plain.len().min(LONGEST_NAME)];
    if plain.is_empty() { "directory".to_owned() } else { plain.to_owned() }
}

/// Whether the state directory may have a store of this name. It has other files too.
fn is_store_name(name: &[u8]) -> bool {
    let Some((head, digits)) = name.split_last_chunk::<DIGITS>() else { return false };
    let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    head.len() > 1 && head.ends_with(b"-") && digits.iter().all(is_digit)
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
                format!("`{path}` belongs to `{owner}`, and a history of `{user}` outside would not be accessible");
            let directory = shell_word(worktree.as_os_str().as_bytes());
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
