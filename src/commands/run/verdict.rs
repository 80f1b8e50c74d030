//! Reports the changes of a command, and keeps them or undoes them.

use crate::commands::Context;
use crate::commands::checkouts::report_inexact;
use crate::commands::run::Args;
use crate::effect::{Effect, Guard};
use crate::error::{Exit, Result};
use crate::object::RunInfo;
use crate::report::runs::{RollbackRecord, RunRecord};
use crate::snapshot::Outcome;
use crate::terminal::Stream;
use crate::terminal::human::{Count, Size, plural};
use crate::workspace::{RunAfter, RunBefore, Workspace};

/// What to do with the changes of a failed command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum OnFail {
    /// Keep the changes
    Keep,
    /// Undo the changes
    Rollback,
    /// Ask on the terminal; without one, keep the changes
    Ask,
}

/// Reports the changes, undoes them if necessary, and returns the exit status.
pub fn carry_out(
    context: &Context<'_>,
    workspace: &mut Workspace,
    args: &Args,
    ran: &RunInfo,
    (before, after): (&RunBefore, &RunAfter),
    mut complete: Exit,
) -> Result<Exit> {
    let broken: Vec<&Guard> = args.guard.iter().filter(|guard| !guard.allows(&after.effect)).collect();
    let names = broken.iter().map(ToString::to_string).collect();
    let mut record = RunRecord::new(ran, before.commit, after.commit, &after.effect, names);
    record.has_saved = before.outcome.created;
    if !context.ui.options().json {
        // Shown before the question.
        context.ui.outcome_on_stderr(&record)?;
    }
    context.report_findings(&after.findings, Stream::Err)?;
    report_exceeded(context, &broken, &after.effect);
    if args.rollback || !broken.is_empty() || (ran.exit != 0 && wants_rollback(context, args, before, after)) {
        complete = roll_back(context, workspace, before, after)?.or(complete);
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
        let measured = match guard.measures_bytes() {
            true => format!("{} more than {}", Size(value), Size(whole)),
            false => format!("{} of {} {}", Count(value), plural(whole, "path"), guard.word()),
        };
        context.ui.warning(format_args!("guard `{guard}` exceeded: {measured}"));
    }
}

/// Whether to undo the changes of a failed command.
fn wants_rollback(context: &Context<'_>, args: &Args, before: &RunBefore, after: &RunAfter) -> bool {
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

/// Undoes the changes of the command, as `undo undo` would.
fn roll_back(context: &Context<'_>, workspace: &mut Workspace, before: &RunBefore, after: &RunAfter) -> Result<Exit> {
    let result = workspace.undo_run(before, context.ui.progress());
    context.report_notices(&workspace.take_notices());
    let (outcome, operation) = result?;
    let exit = report_inexact(context, &outcome);
    if before.commit != after.commit {
        let (written, deleted) = (outcome.written, outcome.deleted);
        if !context.ui.options().json {
            context.ui.outcome_on_stderr(&RollbackRecord { written, deleted, kept: after.commit.short() })?;
        }
        match operation {
            Some(run) => context.ui.hint(format_args!("to restore the changes: undo op restore {}", run.short())),
            None => context.ui.hint("to redo the changes: undo redo"),
        }
    }
    Ok(exit)
}

/// Lists paths that could not be recorded, and files with purged content, which no rollback brings back. Returns whether
/// any path could not be recorded.
pub fn report_recorded(context: &Context<'_>, workspace: &Workspace, outcome: &Outcome) -> Exit {
    let exit = context.warn_incomplete(&outcome.uncovered, &outcome.torn, &outcome.without_attributes);
    context.hint_consistent_copies(&workspace.worktree, &outcome.torn);
    context.report_purged(&outcome.uncovered);
    exit
}
