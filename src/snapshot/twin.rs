//! Finds commits of the content that is about to be recorded, so that none is made twice.

use crate::error::Result;
use crate::id::CommitId;
use crate::object::{Commit, Objects};
use crate::repo::Repository;
use crate::snapshot::commit::Content;

/// Finds a commit of the same content that is an automatic one, or whose parent is `@`, such as one that was undone: a head, or the
/// commit that the worktree was last checked out to. Skips unreadable commits.
pub(super) fn twin(repository: &Repository, content: &Content) -> Result<Option<CommitId>> {
    let view = repository.view();
    let is_twin =
        |commit: &Commit| (commit.parents.iter().copied().eq(view.at()) || commit.is_beside()) && content.is_of(commit);
    let mut known = view.heads.iter().copied().chain(brought_to(repository).ok().flatten());
    Ok(known.find(|&id| repository.store().commit(id).is_ok_and(|commit| is_twin(&commit))))
}

/// The commit that was last checked out, if that was after `@` was made.
fn brought_to(repository: &Repository) -> Result<Option<CommitId>> {
    let at = repository.view().at();
    for operation in repository.own_operations() {
        let (_, operation) = operation?;
        if let Some((_, commit)) = operation.worktree {
            return Ok(Some(commit));
        }
        if operation.commits.iter().any(|commit| Some(commit.id) == at) {
            break;
        }
    }
    Ok(None)
}

/// Whether the worktree differs from that before a command that has recorded it already.
pub(super) fn has_moved(repository: &Repository, from: Option<CommitId>, to: CommitId) -> Result<bool> {
    let Some(from) = from.filter(|from| *from != to) else { return Ok(false) };
    let content = |id| repository.store().commit(id).map(|commit| (commit.root, commit.links));
    Ok(content(from)? != content(to)?)
}
