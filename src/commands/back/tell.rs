//! What going back comes to, told: the plan before, the outcome after, and how to take it back.

use crate::checkout::{self, Action, Outcome, Plan};
use crate::commands::Context;
use crate::commands::back::{Request, step};
use crate::error::{ErrorKind, Exit, Result};
use crate::fs;
use crate::number::agree;
use crate::repo::Repository;
use crate::ui::checkouts::{CheckoutRecord, PlanRecord, StepRecord};
use crate::ui::commits::json_uncovered;
use crate::ui::{json_id, json_paths, json_reasons};

/// Tells what would be done.
pub fn plan(context: &Context<'_>, plan: &Plan, unsaved: bool, force: bool) -> Result<Exit> {
    let mut actions = 0;
    context.ui.page_long_output();
    for step in plan.actions().filter(Action::is_worth_counting) {
        actions += 1;
        let is_directory = step.entry().is_some_and(|entry| entry.tree().is_some());
        context.ui.show(&StepRecord::new(step.word(), step.path(), is_directory))?;
    }
    for path in &plan.unsaved_journals {
        actions += 1;
        context.ui.show(&StepRecord::new("replace", path, false))?;
    }
    let unsaved = unsaved || !plan.unsaved_journals.is_empty();
    let conflicts = json_paths(&plan.conflicts);
    context.ui.show(&PlanRecord { actions, unchanged: plan.unchanged, unsaved, conflicts, is_left: false })?;
    let mounts: Vec<_> = plan.mounts.iter().map(|path| (path.clone(), checkout::MOUNTED.to_owned())).collect();
    context.tell_reasons("would not be restored", &mounts);
    if plan.conflicts.is_empty() || force {
        return Ok(if mounts.is_empty() { Exit::DONE } else { Exit::INCOMPLETE });
    }
    context.tell_paths("in the way, and saved nowhere: it would be refused", &plan.conflicts);
    Ok(ErrorKind::Refused.exit())
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
        context.tell_removed(&repository.layout.worktree);
    }
    Ok(exit)
}

/// Lists what is not as the commit has it.
pub fn not_exact(context: &Context<'_>, outcome: &Outcome) -> Exit {
    context.tell_reasons("not restored exactly", &outcome.inexact);
    let they_are = |count| agree(count, "it is", "they are");
    let (damaged, changed) = (they_are(outcome.damaged.len()), they_are(outcome.changed.len()));
    let (one, several) = ("restored together with its database file", "restored together with their database files");
    context.tell_paths(agree(outcome.journals.len(), one, several), &outcome.journals);
    let (one, several) = (
        "left as it is, since the database file that it belongs to is not recorded",
        "left as they are, since the database files that they belong to are not recorded",
    );
    context.tell_paths(agree(outcome.left_journals.len(), one, several), &outcome.left_journals);
    let (one, several) = (
        "changed while it was recorded: what was restored may be a mix of two states",
        "changed while they were recorded: what was restored may be a mix of two states",
    );
    context.tell_paths(agree(outcome.torn.len(), one, several), &outcome.torn);
    context.tell_reasons(&format!("damaged in the repository, and left as {damaged}"), &outcome.damaged);
    context.tell_paths(&format!("changed in the meantime, and left as {changed}"), &outcome.changed);
    if let Some(aside) = outcome.aside {
        let aside = aside.short();
        context.ui.warning(format_args!("as {changed} {changed} recorded beside the branch, in {aside}"));
    }
    let is_exact = outcome.inexact.is_empty() && outcome.left_journals.is_empty() && outcome.torn.is_empty();
    match is_exact && outcome.changed.is_empty() {
        _ if !outcome.damaged.is_empty() => ErrorKind::Damaged.exit(),
        true => Exit::DONE,
        false => Exit::INCOMPLETE,
    }
}

fn record(repository: &Repository, request: &Request, outcome: &Outcome) -> CheckoutRecord {
    CheckoutRecord {
        from: json_id(outcome.from),
        to: json_id(outcome.to),
        saved: json_id(outcome.saved),
        branch: repository.view().current.clone(),
        written: outcome.written,
        deleted: outcome.deleted,
        unchanged: outcome.unchanged,
        inexact: json_reasons(&outcome.inexact),
        damaged: json_reasons(&outcome.damaged),
        changed: json_paths(&outcome.changed),
        aside: json_id(outcome.aside),
        uncovered: json_uncovered(&outcome.uncovered),
        torn: json_paths(&outcome.torn),
        journals: json_paths(&outcome.journals),
        left_journals: json_paths(&outcome.left_journals),
        whole: request.paths.is_empty(),
    }
}
