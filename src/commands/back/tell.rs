//! What going back comes to, told: the plan before, the outcome after, and how to take it back.

use crate::checkout::{Action, Outcome, Plan};
use crate::commands::Context;
use crate::commands::back::Request;
use crate::error::{ErrorKind, Exit, Result};
use crate::fs;
use crate::repo::Repository;
use crate::ui::checkouts::{CheckoutRecord, PlanRecord, StepRecord};
use crate::ui::commits::json_uncovered;
use crate::ui::{json_id, json_paths, json_reasons, sanitize};

/// Tells what would be done.
pub fn plan(context: &Context<'_>, plan: &Plan, unsaved: bool, force: bool) -> Result<Exit> {
    let steps: Vec<&Action> = plan.actions.iter().filter(|action| action.is_worth_counting()).collect();
    context.ui.page_long_output();
    for step in &steps {
        let is_directory = step.entry().is_some_and(|entry| entry.tree().is_some());
        context.ui.show(&StepRecord::new(step.word(), step.path(), is_directory))?;
    }
    let (actions, conflicts) = (steps.len() as u64, json_paths(&plan.conflicts));
    context.ui.show(&PlanRecord { actions, unchanged: plan.unchanged, unsaved, conflicts })?;
    if plan.conflicts.is_empty() || force {
        return Ok(Exit::DONE);
    }
    context.tell_paths("in the way, and saved nowhere: it would be refused", &plan.conflicts);
    Ok(ErrorKind::Refused.exit())
}

/// Tells what was done. The branch is the one that was left.
pub fn outcome(
    context: &Context<'_>,
    repository: &Repository,
    (branch, request): (&str, &Request),
    outcome: &Outcome,
) -> Result<Exit> {
    context.ui.outcome(&record(repository, request, outcome))?;
    context.tell_reasons("not restored exactly", &outcome.inexact);
    context.tell_reasons("damaged in the repository, and left as they are", &outcome.damaged);
    context.tell_paths("changed in the meantime, and left as they are", &outcome.changed);
    if outcome.written + outcome.deleted > 0 || request.branch.is_some() {
        context.ui.hint(format_args!("take it back: {}", way_back(branch, request, outcome)));
    }
    if !context.is_removed && fs::current_dir().is_err_and(|error| error.is_not_found()) {
        context.tell_removed(&repository.layout.worktree);
    }
    Ok(match outcome.inexact.is_empty() && outcome.changed.is_empty() {
        _ if !outcome.damaged.is_empty() => ErrorKind::Damaged.exit(),
        true => Exit::DONE,
        false => Exit::INCOMPLETE,
    })
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
        uncovered: json_uncovered(&outcome.uncovered),
        whole: request.paths.is_empty(),
    }
}

fn way_back(branch: &str, request: &Request, outcome: &Outcome) -> String {
    let from = request.resumed.as_ref().and_then(|intent| intent.from).or(outcome.from);
    match (request.paths.as_slice(), from) {
        ([], _) if request.branch.is_some() => format!("undo checkout {branch}"),
        ([], _) | (_, None) => "undo checkout -".to_owned(),
        ([path], Some(from)) => format!("undo restore --from {} {}", from.short(), sanitize::quoted(path)),
        (_, Some(from)) => format!("undo restore --from {} PATH…", from.short()),
    }
}
