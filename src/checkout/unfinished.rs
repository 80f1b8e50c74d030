//! Unfinished checkouts: which commands must wait, where the checkout started, which refs it will change, and what it staged.

use crate::apply::proof::hash;
use crate::apply::staging::prefix;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{Dir, UNFINISHED};
use crate::history::entry_at;
use crate::id::{CommitId, OperationId};
use crate::metadata::Kind;
use crate::object::Objects;
use crate::object::operation::{Intent, Refs, View};
use crate::path::{REPOSITORY, RepoPath, RepoPathBuf};
use crate::quote::shell_path;
use crate::repo::Repository;
use crate::store::Store;
use crate::worktree::Worktree;
use crate::worktree::database::files_of;

/// The effect of an unfinished checkout.
pub const HALF_DONE: &str = "has left the directory half old, half new";

const WAYS_OUT: &str = "finish it with `undo checkout --continue`, or undo it with `undo undo`";

/// [`ErrorKind::Refused`] if a checkout is unfinished: restoring some paths would end it, and leave the others half done.
pub fn check_paths_allowed(repository: &Repository) -> Result<()> {
    check_finished(repository, "must end before paths are restored", "finish it first: undo checkout --continue")
}

/// [`ErrorKind::Refused`] if a checkout is unfinished: the worktree is a mix of two states. Or if the directory is empty because it was
/// only attached to its history, for example by an interrupted `undo revive`.
pub fn check_no_mix(repository: &Repository) -> Result<()> {
    check_filled(repository)?;
    check_finished(repository, HALF_DONE, &format!("{WAYS_OUT}; `--force` records the directory"))
}

/// Like [`check_no_mix`], for an automatic commit.
pub fn check_automatic_allowed(repository: &Repository) -> Result<()> {
    check_filled(repository)?;
    check_finished(repository, HALF_DONE, WAYS_OUT)
}

/// [`ErrorKind::Refused`] if a checkout is unfinished: this name may mean another commit than when the checkout began.
pub fn check_not_halfway(repository: &Repository, name: &str) -> Result<()> {
    check_finished(repository, &format!("has changed the meaning of `{name}`"), WAYS_OUT)
}

/// [`ErrorKind::Refused`] if the directory was never filled. A commit of it would become the state that `undo revive` restores.
fn check_filled(repository: &Repository) -> Result<()> {
    if !repository.is_unfilled()? {
        return Ok(());
    }
    let worktree = &repository.layout.worktree;
    let message = format!("`{}` is empty, and its history was not restored in it", worktree.display());
    let revive = format!("to restore the last state: undo revive {}", shell_path(worktree));
    Err(Error::new(ErrorKind::Refused, message).hint(format!("{revive}; to record it as it is: undo commit --force")))
}

fn check_finished(repository: &Repository, effect: &str, hint: &str) -> Result<()> {
    let Some(intent) = repository.unfinished() else { return Ok(()) };
    Err(Error::new(ErrorKind::Refused, format!("an unfinished {} {effect}", intent.describe())).hint(hint))
}

/// Whether one side of an unfinished checkout has all these paths. Rules that the checkout has restored may hide them.
pub fn are_hidden_halfway(repository: &Repository, paths: &[RepoPathBuf]) -> Result<bool> {
    let Some(intent) = repository.unfinished() else { return Ok(false) };
    let store = repository.store();
    let sides = intent.from.into_iter().chain([intent.to]).map(|id| store.commit(id)).collect::<Result<Vec<_>>>()?;
    for path in paths {
        let mut is_recorded = false;
        for side in &sides {
            is_recorded |= entry_at(store, &side.root, path)?.is_some();
        }
        if !is_recorded {
            return Ok(false);
        }
    }
    Ok(!paths.is_empty())
}

/// Whether the commits between which an unfinished checkout stopped differ in the database file at a path or in a
/// journal of it.
pub(super) fn is_halfway(objects: &dyn Objects, commits: &[CommitId], database: &RepoPath) -> Result<bool> {
    let [first, others @ ..] = commits else { return Ok(false) };
    let content = |id: CommitId, path: &RepoPath| -> Result<_> {
        Ok(entry_at(objects, &objects.commit(id)?.root, path)?.map(|entry| entry.content))
    };
    for path in files_of(database) {
        for other in others {
            if content(*first, &path)? != content(*other, &path)? {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The state before a checkout, which undoing it restores.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// The commit of the worktree. `None` means the current one, after unsaved changes are recorded.
    pub worktree: Option<CommitId>,
    /// The newest operation when the command began. `None` if there was none.
    pub before: Option<OperationId>,
}

impl Origin {
    /// The origin of a checkout that starts now. A checkout that ends an unfinished one has the origin of that one. `ends_it`: it
    /// was called to finish or undo that one.
    pub fn now(repository: &Repository, ends_it: bool) -> Origin {
        match repository.unfinished() {
            // Otherwise the mix was recorded on purpose.
            Some(intent) if ends_it || repository.view().at() == intent.from => {
                Origin { worktree: intent.from, before: intent.before }
            }
            _ => Origin { worktree: None, before: repository.operation() },
        }
    }
}

/// Refs after an unfinished checkout ends as planned, whatever was recorded since.
pub fn refs_to_finish(view: &View, intent: &Intent) -> Refs {
    let mut refs = view.refs.clone();
    if let Some(from) = intent.from {
        // Commits made since, of a worktree between two states, stay outside the branch.
        refs.branches.insert(view.current.clone(), from);
    }
    for edit in &intent.edits {
        refs.set(&edit.name, edit.new);
    }
    if let Some(branch) = &intent.switch {
        refs.current.clone_from(branch);
    }
    refs
}

/// Removes the staged entries of an interrupted checkout. Keeps and returns finished files whose content the store cannot read:
/// during a swap a staged name may hold a concurrent change, and during a move the last copy.
pub fn clean_staged(worktree: &Worktree, store: &Store, token: u64) -> Result<Vec<RepoPathBuf>> {
    let prefix = prefix(token);
    let device = worktree.root.stat_self()?.device;
    let is_ours = |directory: &Dir| {
        let stat = directory.stat_self()?;
        Ok(!worktree.is_own_repository(&stat) && (worktree.cross_mounts || !stat.is_mounted_in(device)))
    };
    let mut kept = Vec::new();
    let mut waiting = vec![RepoPathBuf::default()];
    while let Some(path) = waiting.pop() {
        // A checkout cannot have staged anything in a directory that cannot be opened.
        let Ok(directory) = worktree.root.open_below(&path) else { continue };
        if !path.is_root() && !is_ours(&directory)? {
            continue;
        }
        let Ok(entries) = directory.entries() else { continue };
        for entry in entries {
            if entry.name.starts_with(&prefix) {
                if !remove(&directory, &entry.name, store)? {
                    kept.push(path.join(&entry.name));
                }
            } else if entry.name != REPOSITORY && is_directory(&directory, &entry.name, entry.kind)? {
                waiting.push(path.join(&entry.name));
            }
        }
    }
    kept.sort();
    Ok(kept)
}

fn is_directory(directory: &Dir, name: &[u8], kind: Option<Kind>) -> Result<bool> {
    match kind {
        Some(kind) => Ok(kind == Kind::Directory),
        None => Ok(directory.stat(name)?.is_some_and(|stat| stat.kind == Kind::Directory)),
    }
}

/// Removes one staged name. `false` if its content may not be saved anywhere.
fn remove(directory: &Dir, name: &[u8], store: &Store) -> Result<bool> {
    let Some(there) = directory.stat(name)? else { return Ok(true) };
    match there.kind {
        Kind::Directory => return directory.remove_dir(name),
        // The mode is set after the content, so a file with its first mode is unfinished.
        Kind::File if there.metadata.mode != UNFINISHED && !store.can_read(hash(directory, name)?) => return Ok(false),
        _ => {}
    }
    directory.remove_file(name).map(|()| true)
}
