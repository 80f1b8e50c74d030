//! What going back comes to, told: the plan before, the outcome after, and how to take it back.

use crate::checkout::{self, Action, InUse, Outcome, Plan};
use crate::commands::Context;
use crate::commands::back::{Request, step};
use crate::error::{ErrorKind, Exit, Result};
use crate::fs::{self, Process};
use crate::number::pluralize;
use crate::path::RepoPathBuf;
use crate::quote::shell_word;
use crate::repo::Repository;
use crate::report::checkouts::{CheckoutRecord, InUseRecord, PlanRecord, ProgramRecord, StepRecord};

/// Up to this many paths are named in a hint.
const MOST_IN_HINT: usize = 5;

/// Tells what would be done.
pub fn plan(
    context: &Context<'_>,
    plan: &Plan,
    (closed, in_use): (&[RepoPathBuf], &[InUse]),
    unsaved: bool,
    force: bool,
) -> Result<Exit> {
    let mut actions = 0;
    context.ui.page_long_output();
    for step in plan.actions().filter(Action::is_worth_counting) {
        actions += 1;
        let is_directory = step.entry().is_some_and(|entry| entry.tree().is_some());
        context.ui.show(&StepRecord { action: step.word(), path: step.path().to_owned(), is_directory })?;
    }
    for path in &plan.unsaved_journals {
        actions += 1;
        context.ui.show(&StepRecord { action: "replace", path: path.clone(), is_directory: false })?;
    }
    let unsaved = unsaved || !plan.unsaved_journals.is_empty();
    context.ui.show(&PlanRecord {
        actions,
        unchanged: plan.unchanged,
        unsaved,
        conflicts: plan.conflicts.clone(),
        in_use: in_use_records(in_use),
        closed: closed.to_vec(),
        refs_only: false,
    })?;
    let mounts: Vec<_> = plan.mounts.iter().map(|path| (path.clone(), checkout::MOUNTED.to_owned())).collect();
    context.report_reasons("would not be restored", &mounts);
    if !plan.conflicts.is_empty() && !force {
        context.report_paths("unsaved and in the way: the command would be refused", &plan.conflicts);
        return Ok(ErrorKind::Refused.exit());
    }
    context.report_reasons("in use and would be left unchanged", &programs(in_use));
    let (one, several) = (
        "would be made accessible first; this list does not include its content",
        "would be made accessible first; this list does not include their content",
    );
    context.report_paths(pluralize(closed.len(), one, several), closed);
    Ok(if closed.is_empty() && in_use.is_empty() && mounts.is_empty() { Exit::DONE } else { Exit::INCOMPLETE })
}

/// Tells what was done.
pub fn outcome(context: &Context<'_>, repository: &Repository, request: &Request, outcome: &Outcome) -> Result<Exit> {
    let record = record(repository, request, outcome);
    match &request.step {
        Some(destination) => context.ui.outcome(&step::stepped(repository, &request.verb, destination, record))?,
        None => context.ui.outcome(&record)?,
    }
    let exit = not_exact(context, outcome);
    if outcome.written + outcome.deleted > 0 || request.branch.is_some() || request.step.is_some() {
        context.ui.hint(step::way_back(&request.verb));
    }
    if !context.is_removed && fs::current_dir().is_err_and(|error| error.is_not_found()) {
        context.warn_directory_removed(&repository.layout.worktree);
    }
    Ok(exit)
}

/// What is in use, and by which programs.
fn programs(in_use: &[InUse]) -> Vec<(RepoPathBuf, String)> {
    let named = |program: &Process| format!("{} (process {})", program.name, program.pid);
    let words = |one: &InUse| match one.programs.as_slice() {
        [] => "a program that is not visible from here".to_owned(),
        programs if programs.len() <= 3 => programs.iter().map(named).collect::<Vec<_>>().join(", "),
        programs => format!("{} and {} more", named(&programs[0]), programs.len() - 1),
    };
    in_use.iter().map(|one| (one.path.clone(), words(one))).collect()
}

/// Lists what was left because it is in use, and how to restore it.
fn report_in_use(context: &Context<'_>, outcome: &Outcome) {
    let Some(to) = outcome.to.filter(|_| !outcome.in_use.is_empty()) else { return };
    context.report_reasons("in use and left unchanged", &programs(&outcome.in_use));
    let paths: Vec<String> = outcome.in_use.iter().map(|one| shell_word(one.path.as_bytes()).into_owned()).collect();
    let paths = if paths.len() > MOST_IN_HINT { "PATH…".to_owned() } else { paths.join(" ") };
    let programs = outcome.in_use.iter().map(|one| one.programs.len()).sum();
    let programs = pluralize(programs, "the program", "the programs");
    let command = format!("undo restore --from {}", to.short());
    context.ui.hint(format_args!("stop {programs}, then: {command} {paths} (or now, with --force)"));
}

/// Lists what is not as the commit has it.
pub fn not_exact(context: &Context<'_>, outcome: &Outcome) -> Exit {
    context.report_reasons("not restored exactly", &outcome.inexact);
    report_in_use(context, outcome);
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
    let torn = context.warn_unstable(&outcome.torn);
    context.report_reasons("damaged in the repository and left unchanged", &outcome.damaged);
    context.report_paths("changed during the checkout and left unchanged", &outcome.changed);
    if let Some(aside) = outcome.aside {
        let aside = aside.short();
        context.ui.warning(format_args!("the current content is saved outside the branch, in {aside}"));
    }
    let is_exact = outcome.kept.is_empty()
        && outcome.in_use.is_empty()
        && outcome.inexact.is_empty()
        && outcome.left_journals.is_empty()
        && torn == Exit::DONE;
    match is_exact && outcome.changed.is_empty() {
        _ if !outcome.damaged.is_empty() => ErrorKind::Damaged.exit(),
        true => Exit::DONE,
        false => Exit::INCOMPLETE,
    }
}

fn in_use_records(in_use: &[InUse]) -> Vec<InUseRecord> {
    let program = |program: &Process| ProgramRecord { pid: program.pid, name: program.name.clone() };
    let record =
        |one: &InUse| InUseRecord { path: one.path.clone(), programs: one.programs.iter().map(program).collect() };
    in_use.iter().map(record).collect()
}

fn record(repository: &Repository, request: &Request, outcome: &Outcome) -> CheckoutRecord {
    CheckoutRecord {
        from: outcome.from,
        to: outcome.to,
        saved: outcome.saved,
        branch: repository.view().current.clone(),
        written: outcome.written,
        deleted: outcome.deleted,
        unchanged: outcome.unchanged,
        inexact: outcome.inexact.clone(),
        damaged: outcome.damaged.clone(),
        changed: outcome.changed.clone(),
        in_use: in_use_records(&outcome.in_use),
        aside: outcome.aside,
        uncovered: outcome.uncovered.clone(),
        kept: outcome.kept.clone(),
        torn: outcome.torn.clone(),
        journals: outcome.journals.clone(),
        left_journals: outcome.left_journals.clone(),
        other_names: outcome.other_names.clone(),
        whole: request.paths.is_empty(),
    }
}
