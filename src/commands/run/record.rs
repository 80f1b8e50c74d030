//! The two records of a run: the directory as it was, and what the command made of it. No lock is held in between, since
//! the command may call `undo` itself.

use crate::alarm::Findings;
use crate::checkout;
use crate::commands::Context;
use crate::effect::Effect;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::id::{CommitId, OperationId};
use crate::object::commit::Uncovered;
use crate::object::operation::Verb;
use crate::object::{Objects, Ran, run_info};
use crate::repo::Repository;
use crate::snapshot;
use crate::time::Timestamp;
use crate::worktree::ignore::IgnoreWarning;

/// The directory as it was.
pub struct Before {
    /// The commit that holds it.
    pub commit: CommitId,
    /// The newest operation before the run.
    pub newest: Option<OperationId>,
    /// The operation that recorded what was unsaved, if anything was.
    recorded: Option<OperationId>,
    /// When the command began.
    began: Timestamp,
    uncovered: Vec<Uncovered>,
    ignore_warnings: Vec<IgnoreWarning>,
    exit: Exit,
}

/// What the command made of it.
pub struct After {
    /// The commit that holds it; the same as before if nothing changed.
    pub commit: CommitId,
    /// What differs.
    pub effect: Effect,
    /// What that looks like.
    pub findings: Findings,
    /// Done, or incomplete if that is all that can be said against it.
    pub exit: Exit,
}

/// Records what is unsaved.
pub fn before(context: &Context<'_>, repository: &mut Repository, command: &[Vec<u8>]) -> Result<Before> {
    let worktree = context.worktree(repository)?;
    let mut transaction = repository.begin()?;
    checkout::check_no_mix(transaction.repository()).map_err(finish_first)?;
    let newest = transaction.repository().operation();
    let message = format!("before run {}", run_info::short(command));
    let options = snapshot::Options { message, automatic: true, verb: Verb::Run, ..snapshot::Options::default() };
    let (outcome, scan) = snapshot::take(&mut transaction, &worktree, &options, context.ui.progress())?;
    drop(transaction);
    context.warn_damage(outcome.damage.as_deref());
    context.warn_about_rules(&scan.ignore_warnings);
    context.warn_about_index(&scan);
    let exit = context.warn_incomplete(&outcome.uncovered, &outcome.torn, &outcome.without_attributes);
    context.hint_consistent_copies(&worktree, &outcome.torn);
    let (commit, recorded) =
        (held(outcome.commit)?, repository.operation().filter(|_| repository.operation() != newest));
    Ok(Before {
        commit,
        newest,
        recorded,
        began: repository.environment.now(),
        uncovered: outcome.uncovered,
        ignore_warnings: scan.ignore_warnings,
        exit,
    })
}

/// Records what the command did, as one action with what was recorded before it, unless it recorded something itself.
pub fn after(
    context: &Context<'_>,
    repository: &mut Repository,
    before: &Before,
    ran: &Ran,
    message: Option<&str>,
) -> Result<After> {
    // Opened again: the command may have put another directory in its place.
    let worktree = context.worktree(repository)?;
    let tell =
        |held: &Error| context.ui.warning(format_args!("waiting to record the changes of `{}`: {held}", ran.short()));
    let mut transaction = repository.begin_waiting(&tell).map_err(|error| match error.kind() {
        ErrorKind::Interrupted => {
            error.hint("its changes are in the directory but not recorded; to record them: undo commit")
        }
        _ => error,
    })?;
    checkout::check_no_mix(transaction.repository()).map_err(finish_first)?;
    transaction.go_on(before.recorded, before.began);
    let options = snapshot::Options {
        message: message.map_or_else(|| ran.short(), str::to_owned),
        verb: Verb::Run,
        ran: Some(ran.clone()),
        from: Some(before.commit),
        ..snapshot::Options::default()
    };
    let (outcome, scan) = snapshot::take(&mut transaction, &worktree, &options, context.ui.progress())?;
    drop(transaction);
    context.warn_damage(outcome.damage.as_deref());
    // What was told before it ran is known.
    if scan.ignore_warnings != before.ignore_warnings {
        context.warn_about_rules(&scan.ignore_warnings);
    }
    let is_known = outcome.uncovered == before.uncovered && outcome.torn.is_empty();
    let exit = if is_known {
        before.exit
    } else {
        context.warn_incomplete(&outcome.uncovered, &outcome.torn, &outcome.without_attributes)
    };
    let (store, commit) = (repository.store(), held(outcome.commit)?);
    let (old, new) = (store.commit(before.commit)?, store.commit(commit)?);
    let effect = Effect::between(store, &old, &new, &scan.ignored)?;
    let is_same = (old.root, old.links) == (new.root, new.links);
    let commit = if is_same { before.commit } else { commit };
    Ok(After { commit, effect, findings: outcome.findings, exit: exit.or(before.exit) })
}

/// Explains a failure of [`after`]: on a full disk, the changes of the command are not recorded, and the hint shows how
/// to return.
pub fn not_recorded(repository: &Repository, before: &Before, error: Error) -> Error {
    if error.kind() != ErrorKind::NoSpace {
        return error;
    }
    repository.note_unrecorded_run(before.commit);
    let back = before.commit.short();
    error
        .context("its changes are NOT recorded, but are still in the directory")
        .hint(format!("free some space, then restore the state before it: undo checkout {back}"))
}

fn held(commit: Option<CommitId>) -> Result<CommitId> {
    commit.ok_or_else(|| Error::new(ErrorKind::Internal, "no commit holds the directory that was recorded"))
}

fn finish_first(error: Error) -> Error {
    error.hint("finish it with `undo checkout --continue`, or undo it with `undo undo`")
}
