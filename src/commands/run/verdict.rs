//! What becomes of what a command did: it is told, and stays or is taken back.

use crate::commands::run::Args;
use crate::commands::run::record::{After, Before};
use crate::commands::{Context, back};
use crate::effect::{Effect, Guard};
use crate::error::{ErrorKind, Exit, Result};
use crate::history::timeline::Timeline;
use crate::object::Ran;
use crate::repo::Repository;
use crate::report::runs::{RollbackRecord, RunRecord};
use crate::terminal::Stream;
use crate::terminal::human::{Count, Size, plural};

/// What becomes of what a failed command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OnFail {
    /// Keep the changes
    Keep,
    /// Undo the changes
    Rollback,
    /// Ask on the terminal; without one, keep the changes
    Ask,
}

/// Tells what the command did, takes it back if it must be, and gives the exit status.
pub fn carry_out(
    context: &Context<'_>,
    repository: &mut Repository,
    args: &Args,
    ran: &Ran,
    (before, after): (&Before, &After),
) -> Result<Exit> {
    let broken: Vec<&Guard> = args.guard.iter().filter(|guard| !guard.allows(&after.effect)).collect();
    let names = broken.iter().map(ToString::to_string).collect();
    let mut record = RunRecord::new(ran, before.commit, after.commit, after.effect.clone(), names);
    if !context.ui.options().json {
        // A person decides by it.
        context.ui.outcome_on_stderr(&record)?;
    }
    context.report_findings(&after.findings, Stream::Err)?;
    report_exceeded(context, &broken, &after.effect);
    let mut complete = after.exit;
    if args.rollback || !broken.is_empty() || (ran.exit != 0 && wants_rollback(context, args, before, after)) {
        complete = roll_back(context, repository, before, after)?.or(complete);
        record.rolled_back = true;
    } else if before.commit != after.commit {
        context.ui.hint("to undo: undo undo");
    }
    if context.ui.options().json {
        context.ui.outcome_on_stderr(&record)?;
    }
    Ok(match broken.is_empty() {
        true => Exit(ran.exit).or(complete),
        false => Exit::GUARDED,
    })
}

fn report_exceeded(context: &Context<'_>, broken: &[&Guard], effect: &Effect) {
    for guard in broken {
        let (value, whole) = (guard.value(effect), guard.whole(effect));
        let measured = match guard.is_of_bytes() {
            true => format!("{} more than {}", Size(value), Size(whole)),
            false => format!("{} of {} {}", Count(value), plural(whole, "path"), guard.word()),
        };
        context.ui.warning(format_args!("guard `{guard}` exceeded: {measured}"));
    }
}

/// Whether what a failed command did is to be taken back.
fn wants_rollback(context: &Context<'_>, args: &Args, before: &Before, after: &After) -> bool {
    match args.on_fail.unwrap_or(OnFail::Ask) {
        OnFail::Keep => false,
        OnFail::Rollback => true,
        OnFail::Ask if before.commit == after.commit || !context.ui.can_ask() => false,
        OnFail::Ask => is_to_roll_back(context),
    }
}

fn is_to_roll_back(context: &Context<'_>) -> bool {
    loop {
        match context.ui.ask("the command failed: keep its changes or roll back? [k/r]").as_deref() {
            Some("r" | "roll back" | "rollback") => return true,
            Some("k" | "keep") | None => return false,
            Some(_) => {}
        }
    }
}

/// Goes back to how it was, as `undo undo` does, with all that was recorded meanwhile.
fn roll_back(context: &Context<'_>, repository: &mut Repository, before: &Before, after: &After) -> Result<Exit> {
    let destination = Timeline::open(repository).back_to(before.newest, before.commit)?;
    // Not if the command stepped back itself: then what it did is not ahead of here.
    let newest = repository.operation();
    let is_ahead = destination.undo_position.is_some_and(|undo_position| undo_position.tip == newest);
    let outcome = back::take_back(context, repository, before.commit, destination).map_err(|error| {
        let is_recorded = newest != before.newest;
        let what = if is_recorded { "its changes are recorded but not undone" } else { "its changes are not undone" };
        let hint = match (error.kind(), is_recorded) {
            (ErrorKind::Refused, false) => Some("make it readable, or move it away, then: undo checkout @"),
            (ErrorKind::Refused, true) => Some("to save the files in the way and undo the changes: undo undo --force"),
            // A checkout that ran out of space has its own hint for finishing it.
            (ErrorKind::NoSpace, _) if repository.unfinished().is_some() => None,
            (ErrorKind::NoSpace, false) => Some("free some space, then undo the changes: undo checkout @"),
            (ErrorKind::NoSpace, true) => Some("free some space, then undo the changes: undo undo"),
            _ => None,
        };
        let error = error.context(what);
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    })?;
    let exit = back::not_exact(context, &outcome);
    if before.commit != after.commit {
        let (written, deleted) = (outcome.written, outcome.deleted);
        if !context.ui.options().json {
            context.ui.outcome_on_stderr(&RollbackRecord { written, deleted, kept: after.commit.short() })?;
        }
        match newest.filter(|_| !is_ahead) {
            Some(run) => context.ui.hint(format_args!("to restore the changes: undo op restore {}", run.short())),
            None => context.ui.hint("to redo the changes: undo redo"),
        }
    }
    Ok(exit)
}
