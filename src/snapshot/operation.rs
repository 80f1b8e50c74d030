//! The operation that makes a commit part of the repository.

use crate::error::Result;
use crate::history::thinning;
use crate::id::CommitId;
use crate::number;
use crate::object::Extras;
use crate::object::commit::Counts;
use crate::object::operation::{ForgottenCommit, PARTIAL, RefEdit, RefName, Verb};
use crate::repo::{NewOperation, Repository, Transaction};
use crate::snapshot::{Beside, Options, Outcome};
use crate::store::Stored;

/// Appends the operation that makes the commit part of the repository.
pub(super) fn append(
    transaction: &mut Transaction<'_>,
    commit: CommitId,
    outcome: &Outcome,
    stored: Stored,
    options: &Options,
) -> Result<()> {
    if let Some(beside) = &options.beside {
        return append_event(transaction, commit, outcome, stored, beside, options);
    }
    let view = transaction.repository().view();
    let edit = RefEdit { name: RefName::Branch(view.current.clone()), old: view.at(), new: Some(commit) };
    let about = match &options.ran {
        Some(ran) => format!("{} ended with {}, ", ran.short(), ran.exit),
        None if options.automatic => "unsaved changes recorded first, ".to_owned(),
        None => String::new(),
    };
    let did = match outcome.created || options.ran.is_none() {
        true => describe(&outcome.changes, outcome.counts.ignored),
        false => "recorded automatically".to_owned(),
    };
    let description = format!("{about}{} {}: {did}", view.current, commit.short());
    let is_whole = options.paths.is_empty() || options.paths.iter().any(|path| path.is_root());
    let mut extras = Extras::default();
    if !is_whole {
        extras.set(PARTIAL, "paths");
    }
    let new_operation = NewOperation {
        verb: options.verb.clone(),
        description,
        edits: if edit.old == edit.new { Vec::new() } else { vec![edit] },
        commits: if outcome.created { vec![commit] } else { Vec::new() },
        worktree: options.from.map(|from| (Some(from), commit)),
        stored,
        bytes_read: outcome.bytes_read,
        thins: thins(transaction.repository(), commit, options),
        extras,
        ..NewOperation::default()
    };
    if options.prepares {
        transaction.prepare(new_operation)?
    } else {
        transaction.record(new_operation)?
    };
    Ok(())
}

/// Appends the operation of an event. Without a new commit, the operation becomes durable with the next record.
fn append_event(
    transaction: &mut Transaction<'_>,
    commit: CommitId,
    outcome: &Outcome,
    stored: Stored,
    beside: &Beside,
    options: &Options,
) -> Result<()> {
    let repository = transaction.repository();
    let before = beside.state_before(repository, commit);
    let new_operation = NewOperation {
        verb: Verb::AutomaticCommit,
        description: options.message.clone(),
        commits: if outcome.created { vec![commit] } else { Vec::new() },
        worktree: Some((Some(before), commit)),
        stored,
        bytes_read: outcome.bytes_read,
        thins: if outcome.created { thins(repository, commit, options) } else { None },
        extras: beside.extras.clone(),
        ..NewOperation::default()
    };
    match outcome.created {
        true => transaction.record(new_operation)?,
        false => transaction.record_unflushed(new_operation)?,
    };
    Ok(())
}

/// The automatic commits that the same record forgets. A commit is recorded even if history cannot be read.
fn thins(repository: &Repository, commit: CommitId, options: &Options) -> Option<Vec<ForgottenCommit>> {
    if options.prepares {
        return None;
    }
    let named: Vec<CommitId> = options.from.into_iter().chain([commit]).collect();
    thinning::due(repository, &named).ok().flatten()
}

/// "3 added, 1 modified".
fn describe(changes: &Counts, ignored: u64) -> String {
    let counts = [
        (changes.added, "added"),
        (changes.modified, "modified"),
        (changes.deleted, "deleted"),
        (ignored, "now ignored"),
    ];
    let words = number::listed(&counts);
    if words.is_empty() { "times or hard links only".to_owned() } else { words }
}
