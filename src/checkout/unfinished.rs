//! Unfinished checkouts: which commands must wait, where the checkout started, and which refs it will change.

use crate::error::{Error, ErrorKind, Result};
use crate::history::entry_at;
use crate::history::reflog::Refs;
use crate::id::{CommitId, OperationId};
use crate::object::Objects;
use crate::object::operation::{Intent, View};
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::Repository;
use crate::worktree::database::files_of;

/// The effect of an unfinished checkout.
pub const HALF_DONE: &str = "has left the directory half old, half new";

const WAYS_OUT: &str = "finish it with `undo checkout --continue`, or undo it with `undo undo`";

/// [`ErrorKind::Refused`] if a checkout is unfinished: restoring some paths would end it, and leave the others half done.
pub fn check_paths_allowed(repository: &Repository) -> Result<()> {
    check_finished(repository, "must end before paths are restored", "finish it first: undo checkout --continue")
}

/// [`ErrorKind::Refused`] if a checkout is unfinished: the worktree is a mix of two states.
pub fn check_no_mix(repository: &Repository) -> Result<()> {
    check_finished(repository, HALF_DONE, &format!("{WAYS_OUT}; `--force` records the directory"))
}

/// [`ErrorKind::Refused`] if a checkout is unfinished: this name may mean another commit than when the checkout began.
pub fn check_not_halfway(repository: &Repository, name: &str) -> Result<()> {
    check_finished(repository, &format!("has changed the meaning of `{name}`"), WAYS_OUT)
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
    /// The newest operation when the command began (`Some(None)`: there was none), if that is known.
    pub before: Option<Option<OperationId>>,
}

impl Origin {
    /// The origin of a checkout that starts now. A checkout that ends an unfinished one has the origin of that one. `ends_it`: it
    /// was called to finish or undo that one.
    pub fn now(repository: &Repository, ends_it: bool) -> Origin {
        match repository.unfinished() {
            // Otherwise the mix was recorded on purpose.
            Some(intent) if ends_it || repository.view().at() == intent.from => {
                Origin { worktree: intent.from, before: intent.before() }
            }
            _ => Origin { worktree: None, before: Some(repository.operation()) },
        }
    }
}

/// Refs after an unfinished checkout ends as planned, whatever was recorded since.
pub fn refs_to_finish(view: &View, intent: &Intent) -> Refs {
    let mut refs = Refs::of(view);
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
