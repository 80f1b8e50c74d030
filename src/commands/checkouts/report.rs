//! Reports of checkouts: the plan of a dry run, the outcome, and how to undo it.

use crate::checkout::{InUse, Outcome};
use crate::commands::Context;
use crate::commands::checkouts::Reported;
use crate::commands::operation_states::OperationStates;
use crate::error::{ErrorKind, Exit, Result};
use crate::fs::{self, Process};
use crate::history::timeline::{Action, Destination, Timeline};
use crate::message::Message;
use crate::number::pluralize;
use crate::object::operation::Verb;
use crate::path::RepoPathBuf;
use crate::report::checkouts::{CheckoutRecord, CrossedRecord, PlanRecord, StepRecord, SteppedRecord};
use crate::workspace::{PreparedCheckout, Workspace};

/// Up to this many paths are named in a hint.
const MOST_IN_HINT: usize = 5;

/// Lists the operations that a step crosses, as `op log` does.
pub fn crossed(context: &Context<'_>, workspace: &Workspace, destination: &Destination) -> Result<()> {
    let states = OperationStates::of(&mut Timeline::open(&workspace.repository), workspace.view())?;
    destination.crossed.iter().try_for_each(|action| context.ui.show(&states.record(action)))
}

/// Shows what would be done.
pub fn plan(context: &Context<'_>, prepared: &PreparedCheckout<'_>) -> Result<Exit> {
    if prepared.changes_only_refs() {
        context.ui.show(&PlanRecord { refs_only: true, ..PlanRecord::default() })?;
        return Ok(Exit::SUCCESS);
    }
    let mut actions = 0;
    context.ui.page_long_output();
    for step in prepared.actions() {
        actions += 1;
        let is_directory = step.entry().is_some_and(|entry| entry.tree().is_some());
        context.ui.show(&StepRecord { action: step.word(), path: step.path().to_owned(), is_directory })?;
    }
    let (expected, closed) = (prepared.expected(), prepared.closed_directories());
    context.ui.show(&PlanRecord {
        actions,
        unchanged: prepared.unchanged(),
        unsaved: prepared.is_unsaved(),
        conflicts: prepared.conflicts().to_vec(),
        in_use: expected.map_or_else(Vec::new, |expected| expected.in_use.clone()),
        closed: closed.to_vec(),
        refs_only: false,
    })?;
    let exit = expected.map_or(Exit::SUCCESS, |expected| report_inexact(context, expected));
    let (one, several) = (
        "would be made accessible first; this list does not include its content",
        "would be made accessible first; this list does not include their content",
    );
    context.report_paths(pluralize(closed.len(), one, several), closed);
    Ok(if closed.is_empty() { exit } else { exit.or(Exit::INCOMPLETE) })
}

/// Reports what was done. `branch` was current before.
pub fn outcome(
    context: &Context<'_>,
    workspace: &Workspace,
    reported: &Reported<'_>,
    outcome: &Outcome,
    branch: &str,
) -> Result<Exit> {
    let record = CheckoutRecord { outcome, whole: reported.is_whole };
    match reported.destination {
        Some(destination) => context.ui.outcome(&stepped(workspace, reported, destination, record))?,
        None => context.ui.outcome(&record)?,
    }
    let exit = report_inexact(context, outcome);
    hint_in_use(context, outcome);
    if outcome.written + outcome.deleted > 0 || outcome.branch != branch || reported.destination.is_some() {
        context.ui.hint(match reported.verb {
            Verb::Undo => "to redo: undo redo",
            _ => "to undo: undo undo",
        });
    }
    if let Some(destination) = reported.destination.filter(|it| it.worktree.is_none() && reported.verb == Verb::Undo)
        && let Some(commit) = destination.crossed.first().and_then(Action::made)
    {
        context.ui.hint(format_args!("to restore the directory as recorded then: undo checkout {}", commit.short()));
    }
    if !context.is_removed && fs::current_dir().is_err_and(|error| error.is_not_found()) {
        context.warn_directory_removed(&workspace.repository.layout.worktree);
    }
    Ok(exit)
}

/// The record of a step through operations.
fn stepped<'o>(
    workspace: &Workspace,
    reported: &Reported<'_>,
    destination: &Destination,
    checkout: CheckoutRecord<'o>,
) -> SteppedRecord<'o> {
    let crossed = |action: &Action| CrossedRecord {
        id: action.id,
        verb: action.last.verb.to_string(),
        is_event: action.last.is_automatic(),
        description: action.last.description.clone(),
    };
    SteppedRecord {
        id: workspace.repository.view().at(),
        operations: destination.crossed.iter().map(crossed).collect(),
        passed: destination.passed.iter().map(crossed).collect(),
        skipped: destination.skipped,
        gone: destination.gone,
        action: match reported.verb {
            Verb::Undo => "undid",
            Verb::Redo => "redid",
            _ => "",
        },
        interrupted: destination.interrupted.as_ref().map(ToString::to_string).unwrap_or_default(),
        refs_only: destination.worktree.is_none(),
        checkout,
    }
}

/// Describes the programs that use each path.
fn programs(in_use: &[InUse]) -> Vec<(RepoPathBuf, String)> {
    let named = |program: &Process| format!("{} (process {})", program.name, program.pid);
    let words = |one: &InUse| match one.programs.as_slice() {
        [] => "a program that is not visible from here".to_owned(),
        programs if programs.len() <= 3 => programs.iter().map(named).collect::<Vec<_>>().join(", "),
        programs => format!("{} and {} more", named(&programs[0]), programs.len() - 1),
    };
    in_use.iter().map(|one| (one.path.clone(), words(one))).collect()
}

/// Shows how to restore paths that are in use.
fn hint_in_use(context: &Context<'_>, outcome: &Outcome) {
    let Some(to) = outcome.to.filter(|_| !outcome.in_use.is_empty()) else { return };
    let paths = match outcome.in_use.len() {
        0..=MOST_IN_HINT => {
            outcome.in_use.iter().fold(Message::default(), |all, one| all + " " + Message::argument(&one.path))
        }
        _ => Message::from(" PATH…"),
    };
    let programs = outcome.in_use.iter().map(|one| one.programs.len()).sum();
    let programs = pluralize(programs, "the program", "the programs");
    let command = format!("undo restore --from {}", to.short());
    let hint = Message::from(format!("stop {programs}, then: {command}"));
    context.ui.hint(hint + paths + " (or now, with --force)");
}

/// Lists paths that are not, or in a dry run would not be, exactly as in the commit. Returns whether that makes the outcome
/// incomplete.
pub fn report_inexact(context: &Context<'_>, outcome: &Outcome) -> Exit {
    context.report_reasons("not restored exactly", &outcome.inexact);
    context.report_reasons("in use and left unchanged", &programs(&outcome.in_use));
    let (one, several) = ("restored together with its database file", "restored together with their database files");
    context.report_paths(pluralize(outcome.journals.len(), one, several), &outcome.journals);
    let (one, several) = (
        "modification time changed: a hard link to a restored file",
        "modification times changed: hard links to restored files",
    );
    context.report_paths(pluralize(outcome.other_names.len(), one, several), &outcome.other_names);
    let (one, several) = (
        "left unchanged because its database file is not recorded",
        "left unchanged because their database files are not recorded",
    );
    context.report_paths(pluralize(outcome.left_journals.len(), one, several), &outcome.left_journals);
    let (one, several) = (
        "directory not removed because it contains unrecorded files",
        "directories not removed because they contain unrecorded files",
    );
    context.report_paths(pluralize(outcome.kept.len(), one, several), &outcome.kept);
    let unstable = context.warn_unstable(&outcome.unstable);
    context.report_reasons("damaged in the repository and left unchanged", &outcome.damaged);
    context.report_paths("not restored, because the content was purged", &outcome.purged);
    context.report_paths("changed during the checkout and left unchanged", &outcome.changed);
    if let Some(aside) = outcome.aside {
        let aside = aside.short();
        context.ui.warning(format_args!("the current content is saved outside the branch, in {aside}"));
    }
    let is_exact = outcome.kept.is_empty()
        && outcome.in_use.is_empty()
        && outcome.inexact.is_empty()
        && outcome.purged.is_empty()
        && outcome.left_journals.is_empty()
        && unstable == Exit::SUCCESS;
    match is_exact && outcome.changed.is_empty() {
        _ if !outcome.damaged.is_empty() => ErrorKind::Damaged.exit(),
        true => Exit::SUCCESS,
        false => Exit::INCOMPLETE,
    }
}
