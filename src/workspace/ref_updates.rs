//! Branches and tags after a checkout or a step.

use crate::checkout::{self, Access, Outcome};
use crate::error::{Error, ErrorKind, Result};
use crate::history::timeline::Destination;
use crate::id::CommitId;
use crate::object::operation::{RefName, Refs, View};
use crate::repo::{NewOperation, Repository, Transaction};

use super::request::Request;

/// Refs after the checkout, from what they are now that everything is recorded. `restore` leaves the branch where it was: the
/// commit of what was unsaved stays beside the branch.
pub(super) fn refs_after(view: &View, at: Option<CommitId>, request: &Request) -> Refs {
    if let Some(destination) = &request.destination {
        return destination.refs.clone();
    }
    if let Some(intent) = &request.resumed {
        return checkout::refs_to_finish(view, intent);
    }
    let mut refs = view.refs.clone();
    match &request.branch {
        Some(branch) => {
            if !refs.branches.contains_key(branch) {
                refs.set(&RefName::Branch(branch.clone()), request.to.or(at));
            }
            refs.current.clone_from(branch);
        }
        None if request.paths.is_empty() => refs.set(&RefName::Branch(view.current.clone()), request.to),
        None => refs.set(&RefName::Branch(view.current.clone()), at),
    }
    refs
}

/// Changes branches and tags, and leaves the worktree unchanged.
pub(super) fn change_refs(mut transaction: Transaction<'_>, access: Access, request: &Request) -> Result<Outcome> {
    drop(access);
    let view = transaction.repository().view();
    let (before, unfinished) = (view.at(), transaction.repository().unfinished().map(|intent| intent.token));
    let refs = refs_after(view, before, request);
    let new_operation = NewOperation {
        verb: request.verb.clone(),
        description: request.about() + &checkout::describe(&refs.current, before, refs.at()),
        edits: refs.edits_from(view),
        switch: Some(refs.current.clone()).filter(|branch| *branch != view.current),
        undo_position: request.undo_position(),
        history: request.history.clone(),
        ..NewOperation::default()
    };
    transaction.record(new_operation)?;
    unfinished.map_or(Ok(()), |token| transaction.abandon(token))?;
    Ok(Outcome { from: before, to: refs.at(), branch: refs.current, ..Outcome::default() })
}

/// [`ErrorKind::Refused`] if another operation was recorded since the destination was found.
pub(super) fn check_not_outdated(repository: &Repository, destination: &Destination) -> Result<()> {
    if repository.operation() == destination.seen {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "another command has changed this repository")
        .hint("see what it did with `undo op log`, then run the command again"))
}
