//! The operation that makes a commit part of the repository.

use crate::error::Result;
use crate::id::CommitId;
use crate::number;
use crate::object::commit::Counts;
use crate::object::operation::{RefEdit, RefName};
use crate::repo::{NewOperation, Transaction};
use crate::snapshot::{Options, Outcome};
use crate::store::Stored;

/// Appends the operation that makes the commit part of the repository.
pub(super) fn append(
    transaction: &mut Transaction<'_>,
    commit: CommitId,
    outcome: &Outcome,
    stored: Stored,
    options: &Options,
) -> Result<()> {
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
    let new_operation = NewOperation {
        verb: options.verb.clone(),
        description,
        edits: if edit.old == edit.new { Vec::new() } else { vec![edit] },
        commits: if outcome.created { vec![commit] } else { Vec::new() },
        worktree: options.from.map(|from| (Some(from), commit)),
        stored,
        bytes_read: outcome.bytes_read,
        ..NewOperation::default()
    };
    if options.prepares {
        transaction.prepare(new_operation)?
    } else {
        transaction.record(new_operation)?
    };
    Ok(())
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
