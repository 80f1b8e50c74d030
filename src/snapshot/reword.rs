//! Replaces the message of the current commit.

use crate::error::Result;
use crate::id::CommitId;
use crate::object::operation::{ForgottenCommit, HistoryEdit, PARTIAL, RefEdit, RefName, Verb};
use crate::object::{Commit, Extras, Objects};
use crate::repo::{NewOperation, Transaction};

/// Moves the current branch from commit `old`, which must be its commit and a head, to a copy with another message or
/// author, where given. Returns the id of the copy, or `old` if it would not differ.
pub fn reword(
    transaction: &mut Transaction<'_>,
    old: CommitId,
    message: Option<String>,
    author: Option<String>,
) -> Result<CommitId> {
    let repository = transaction.repository();
    let commit = repository.store().commit(old)?;
    let (message, author) =
        (message.unwrap_or_else(|| commit.message.clone()), author.unwrap_or_else(|| commit.author.clone()));
    let reworded = Commit { message, author, ..commit.clone() };
    if reworded == commit {
        return Ok(old);
    }
    let session = repository.store().session();
    let mut writer = session.writer();
    let new = Transaction::put_commit(&mut writer, &reworded)?;
    writer.finish()?;
    let stored = session.finish()?;
    let view = repository.view();
    // A commit that another name keeps is not forgotten.
    let forgets = vec![ForgottenCommit { id: old, parents: commit.parents }];
    let history = HistoryEdit { forgets, ..HistoryEdit::default() };
    let branch = RefName::Branch(view.current.clone());
    let mut extras = Extras::default();
    extras.set(PARTIAL, "message");
    transaction.record(NewOperation {
        verb: Verb::Commit,
        description: format!("{} {} → {}, new message", branch.short(), old.short(), new.short()),
        edits: vec![RefEdit { name: branch, old: Some(old), new: Some(new) }],
        commits: vec![new],
        stored,
        history,
        extras,
        ..NewOperation::default()
    })?;
    Ok(new)
}
