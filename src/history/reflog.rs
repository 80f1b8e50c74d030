//! Past values of refs, computed by reverting operations from the newest one on.

use crate::error::{Error, ErrorKind, Result};
use crate::id::CommitId;
use crate::object::operation::{Refs, View};
use crate::repo::Repository;
use crate::time::Timestamp;

/// The refs at a time. [`ErrorKind::NotFound`] before the first operation.
pub fn refs_at(repository: &Repository, time: Timestamp) -> Result<Refs> {
    let mut refs = repository.view().refs.clone();
    let mut oldest = None;
    for operation in repository.operations() {
        let (_, operation) = operation?;
        if operation.time <= time {
            return Ok(refs);
        }
        match repository.is_own(&operation) {
            true => refs.revert(&operation),
            false => refs.revert_edits(&operation),
        }
        oldest = Some(operation.time);
    }
    Err(match oldest {
        Some(oldest) => {
            let is_same_second = time.seconds == oldest.seconds;
            let [time, oldest] = [time, oldest].map(|time| match is_same_second {
                true => time.to_rfc3339(),
                false => time.to_local(repository.environment.time_zone()),
            });
            Error::new(ErrorKind::NotFound, format!("no history at {time}: the history begins at {oldest}"))
                .hint("to list operations: undo op log")
        }
        // The view of a target.
        None if repository.view().at().is_some() => {
            Error::new(ErrorKind::NotFound, "a target does not record when its branches moved, only commits")
                .hint("to list the commits: undo log --target NAME")
        }
        None => no_commit(repository.view()),
    })
}

/// `-`: the commit that was current before the last checkout.
pub fn before_last_move(repository: &Repository) -> Result<CommitId> {
    let mut refs = repository.view().refs.clone();
    for operation in repository.own_operations() {
        let (_, operation) = operation?;
        let after = refs.at();
        refs.revert(&operation);
        let has_grown = after.is_some_and(|after| operation.commits.iter().any(|commit| commit.id == after));
        if has_grown || after == refs.at() {
            continue;
        }
        // Unsaved changes are in the commit that the worktree was saved in before the checkout.
        let left = operation.worktree.map_or(refs.at(), |(from, _)| from);
        if let Some(left) = left.filter(|left| Some(*left) != after) {
            return Ok(left);
        }
    }
    Err(Error::new(ErrorKind::NotFound, "nothing was checked out before, so `-` names no commit")
        .hint("list commits with `undo log`"))
}

/// The error for a current branch without commits: in a new repository, or after undoing its first commit.
pub fn no_commit(view: &View) -> Error {
    match view.heads.is_empty() {
        true => Error::new(ErrorKind::NotFound, "there are no commits yet").hint("create one with `undo commit`"),
        false => Error::new(ErrorKind::NotFound, format!("`{}` has no commits now", view.current))
            .hint("to list all commits: undo log --all"),
    }
}
