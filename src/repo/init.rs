//! Creates repositories. Writes `format` last: after a crash the repository is either complete, or the next `init`
//! completes it.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, FileLock};
use crate::id::DirectoryId;
use crate::metadata::Kind;
use crate::repo::format::Format;
use crate::repo::journal::{self, State};
use crate::repo::layout::{Attachment, Layout, StoreLink, marker};
use crate::repo::membership::{self, Membership};
use crate::repo::{Joining, git_ignore, no_sync, reserve};

/// Content of a new `config.toml`.
const CONFIG: &str = "# Settings of this repository. `undo config` lists them all.\n";

/// Creates a repository for a directory, and the directory if it does not exist. The store is in the directory or at
/// `store`; an existing store is attached.
pub fn init(worktree: &Path, store: Option<&Path>, joining: &Joining, environment: &Environment) -> Result<Layout> {
    if fs::stat(worktree)?.is_some_and(|stat| !matches!(stat.kind, Kind::Directory | Kind::Symlink)) {
        let message = format!("`{}` already exists and is not a directory", worktree.display());
        return Err(Error::new(ErrorKind::Exists, message).hint("name a directory, or a new one"));
    }
    let mut made = Made::default();
    let result = fill(worktree, store, joining, environment, &mut made);
    // Keep a folder that another process is about to fill.
    if result.as_ref().is_err_and(|error| error.kind() != ErrorKind::Locked) {
        made.remove();
    }
    result
}

/// Creates the missing parts of a repository, and notes what it creates.
fn fill(
    worktree: &Path,
    store: Option<&Path>,
    joining: &Joining,
    environment: &Environment,
    made: &mut Made,
) -> Result<Layout> {
    made.note_missing(worktree)?;
    fs::create_dir_all(worktree)?;
    let worktree = fs::canonicalize(worktree)?;
    let marker = marker(&worktree);
    check_not_existing(&worktree, &marker, store.is_some())?;
    let Some(store) = store else {
        build(&marker, &worktree, environment, made)?;
        fs::sync_dir(&worktree, environment.durability())?;
        return Ok(Layout::new(&worktree, &marker, Attachment::Own));
    };
    made.note_missing(store)?;
    let repository = open_store_folder(&worktree, store)?;
    if !fs::exists(&repository.join("format"))? {
        build(&repository, &worktree, environment, made)?;
    }
    let id = Format::open(&repository.join("format"))?.id_text();
    let layout = Layout::new(&worktree, &repository, Attachment::Store(None));
    let directory = identify(&layout, joining)?;
    let layout = Layout { attachment: Attachment::Store(Some(directory)), ..layout };
    // State of a folder that existed before.
    fs::remove_file(&layout.index())?;
    layout.write_marker(id, environment.durability())?;
    Ok(layout)
}

/// Files and folders that an `init` creates, so that a failed one can remove them.
#[derive(Default)]
struct Made {
    /// Directories that did not exist.
    directories: Vec<PathBuf>,
    /// The repository folder, if it was empty.
    repository: Option<PathBuf>,
    /// Lock on the repository.
    lock: Option<FileLock>,
}

impl Made {
    /// Notes the directories that will be created for a path.
    fn note_missing(&mut self, path: &Path) -> Result<()> {
        for directory in path.ancestors().filter(|path| !path.as_os_str().is_empty()) {
            if fs::exists(directory)? {
                break;
            }
            self.directories.push(directory.to_owned());
        }
        Ok(())
    }

    /// Removes all of them. Ignores failures, because the original error is the one to report.
    fn remove(mut self) {
        if let Some(repository) = &self.repository {
            for name in fs::list(repository).unwrap_or_default() {
                let path = repository.join(OsStr::from_bytes(&name));
                let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
            }
        }
        self.directories.sort_by_key(|directory| Reverse(directory.components().count()));
        self.directories.iter().for_each(|directory| {
            let _ = fs::remove_empty_dir(directory);
        });
    }
}

/// Identifies the directory that will use the store.
fn identify(layout: &Layout, joining: &Joining) -> Result<DirectoryId> {
    let state = journal::load(&layout.journal())?.state;
    match (Membership::of(&state, layout)?, joining) {
        (Membership::Unknown { other, .. }, Joining::Ask) => {
            let message =
                format!("the store `{}` is already used by `{}`", layout.repository.display(), other.display());
            let hint = membership::remedies(&layout.worktree, Some(&layout.repository));
            Err(Error::new(ErrorKind::Refused, message).hint(hint))
        }
        (Membership::Known { id, .. }, _) => Ok(id),
        // Decided when the directory is recorded.
        (Membership::Unknown { .. } | Membership::Sole, _) => membership::new_id(),
    }
}

/// Fails if `.undo` exists, unless an interrupted `init` has left it.
fn check_not_existing(worktree: &Path, marker: &Path, is_elsewhere: bool) -> Result<()> {
    let Some(stat) = fs::stat(marker)? else { return Ok(()) };
    if !matches!(stat.kind, Kind::File | Kind::Directory) {
        // `.undo` may name an incomplete repository.
        Layout::at(worktree)?;
    }
    let exists = |what: &str| Err(Error::new(ErrorKind::Exists, format!("`{}` {what}", worktree.display())));
    if stat.kind == Kind::File {
        let link = StoreLink::read(marker)?;
        // The store may be missing.
        Layout::at(worktree)?;
        let what = format!("already has a repository, in the store `{}`", link.path.display());
        return exists(&what).map_err(|error: Error| error.hint("to look at it: undo status"));
    }
    if fs::exists(&marker.join("format"))? {
        return exists("already has a repository").map_err(|error: Error| error.hint("to look at it: undo status"));
    }
    if is_elsewhere {
        let hint = "finish it with `undo init`, without `--store`, or remove that `.undo`";
        return exists("has an unfinished repository").map_err(|error: Error| error.hint(hint));
    }
    Ok(())
}

/// Opens or creates the store's folder. Fails if the folder cannot be a store.
fn open_store_folder(worktree: &Path, store: &Path) -> Result<PathBuf> {
    let is_missing = |path: &&Path| !path.as_os_str().is_empty() && !fs::exists(path).unwrap_or(true);
    let missing: Vec<&Path> = store.ancestors().take_while(is_missing).collect();
    let above = store.ancestors().nth(missing.len()).filter(|path| !path.as_os_str().is_empty());
    let above = fs::canonicalize(above.unwrap_or(Path::new(".")))?;
    if fs::lies_in(&above, worktree)? || missing.is_empty() && fs::lies_in(worktree, &above)? {
        let message = format!(
            "the store `{}` and the worktree `{}` overlap: one is inside the other",
            store.display(),
            worktree.display()
        );
        return Err(Error::new(ErrorKind::Usage, message)
            .hint("choose a folder outside, on another disk if there is one: undo init --store DIR"));
    }
    fs::create_dir_private(store)?;
    missing.iter().try_for_each(|folder| give_to_owner(folder, worktree))?;
    let path = fs::canonicalize(store)?;
    let names = fs::list(&path)?;
    let is_store = names.iter().any(|name| name == b"format");
    let is_unfinished = names.iter().all(|name| is_ours(name));
    if !is_store && !is_unfinished {
        let message = format!("`{}` holds other files, so it cannot become a store", path.display());
        return Err(Error::new(ErrorKind::Exists, message).hint("name an empty or new directory"));
    }
    Ok(path)
}

/// Whether `init` creates this file in a store before `format`.
fn is_ours(name: &[u8]) -> bool {
    let ours: [&[u8]; 8] =
        [b"packs", b"journal", b"tmp", b"config.toml", b"reserve", b"lock", b"lock.held", b".gitignore"];
    ours.contains(&name) || name.ends_with(b".tmp")
}

/// Fills a repository folder for this directory, unless another process has done so.
fn build(repository: &Path, worktree: &Path, environment: &Environment, made: &mut Made) -> Result<()> {
    let durability = environment.durability();
    let layout = Layout::new(worktree, repository, Attachment::Own);
    made.note_missing(repository)?;
    let was_empty = fs::list(repository)?.is_empty();
    fs::create_dir_private(repository)?;
    give_to_owner(repository, worktree)?;
    let lock = FileLock::acquire(&layout.lock(), environment, environment.lock_wait()).inspect_err(|error| {
        if was_empty && error.kind() != ErrorKind::Locked {
            // A file that cannot be locked is not locked by another process.
            let _ = fs::remove_file(&layout.lock());
        }
    })?;
    if fs::exists(&layout.format())? {
        return Ok(());
    }
    check_no_history(&layout)?;
    made.lock = Some(lock);
    made.repository = was_empty.then(|| repository.to_owned());
    for directory in [layout.packs(), layout.journal(), layout.tmp()] {
        fs::create_dir_private(&directory)?;
    }
    make_private(repository)?;
    git_ignore::ensure(&layout)?;
    if !fs::exists(&layout.config())? {
        fs::write_atomic(&layout.config(), [CONFIG], durability)?;
    }
    journal::create(&layout.journal(), 1, &State::new(), durability)?;
    no_sync::flush_unsynced(&layout, durability)?;
    // The reserve is needed only when the disk is full.
    let _ = reserve::allocate(&layout.reserve());
    fs::sync_dir(repository, durability)?;
    fs::write_atomic(&layout.format(), [Format::new()?.to_text()], durability)?;
    match repository.parent() {
        Some(parent) => fs::sync_dir(parent, durability),
        None => Ok(()),
    }
}

/// A folder with operations but without `format` is not an unfinished repository: its `format` was lost.
fn check_no_history(layout: &Layout) -> Result<()> {
    if !journal::has_history(&layout.journal())? {
        return Ok(());
    }
    Err(Error::damaged(format!("`{}` holds history, but its file `format` is missing", layout.repository.display()))
        .hint("copy `format` from a backup of this repository"))
}

/// Files that root creates for another user's directory belong to that user.
fn give_to_owner(folder: &Path, worktree: &Path) -> Result<()> {
    if fs::effective_uid() != 0 {
        return Ok(());
    }
    let owner = fs::Dir::open(worktree)?.stat_self()?.metadata;
    let folder = fs::Dir::open(folder)?;
    let now = folder.stat_self()?.metadata;
    if (now.uid, now.gid) != (owner.uid, owner.gid) {
        // Not every file system has owners.
        let _ = folder.set_owner(b".", owner.uid, owner.gid);
    }
    Ok(())
}

/// Restricts an existing folder, which may be accessible to others. On a file system without modes, its mount options
/// decide who may read it.
fn make_private(directory: &Path) -> Result<()> {
    let (Some(parent), Some(name)) = (directory.parent(), directory.file_name()) else { return Ok(()) };
    let (parent, name) = (fs::Dir::open(parent)?, name.as_encoded_bytes());
    if parent.stat(name)?.is_some_and(|stat| stat.metadata.mode == 0o700) {
        return Ok(());
    }
    match parent.set_mode(name, 0o700) {
        Err(_) if !parent.file_system()?.has_modes() => Ok(()),
        result => result,
    }
}
