//! A step through operations: `undo`, `redo` and `op restore` go where the timeline leads.

use crate::checkout::{self, Access};
use crate::commands::Context;
use crate::commands::back::{self, Request};
use crate::commands::standing::Standings;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history::timeline::{Action, Destination, Timeline};
use crate::id::CommitId;
use crate::number;
use crate::object::operation::Verb;
use crate::repo::{NewOperation, Repository};
use crate::report::checkouts::{CheckoutRecord, CrossedRecord, PlanRecord, SteppedRecord};
use crate::report::operations::OperationRecord;

/// Which way.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// What was done is taken back.
    Undo,
    /// What was taken back is done again.
    Redo,
    /// To any state that was.
    Restore,
}

/// StepOptions a step is gone.
#[derive(Debug, clap::Args)]
pub struct StepOptions {
    /// Show the changes without making them
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Save and overwrite ignored files in the way, and replace files in use
    #[arg(short, long)]
    force: bool,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user
    #[arg(long)]
    trust_owner: bool,
}

impl Step {
    fn verb(self) -> Verb {
        match self {
            Step::Undo => Verb::Undo,
            Step::Redo => Verb::Redo,
            Step::Restore => Verb::OpRestore,
        }
    }
}

/// Goes there: with the directory where an operation in between changed it, otherwise with names alone.
pub fn step(
    context: &Context<'_>,
    repository: Repository,
    destination: Destination,
    step: Step,
    how: &StepOptions,
) -> Result<Exit> {
    if how.dry_run {
        let standings = Standings::of(&mut Timeline::open(&repository))?;
        for action in &destination.crossed {
            let operations: Vec<_> = action.operations().collect();
            OperationRecord::new(&operations, standings.get(action)).map_or(Ok(()), |it| context.ui.show(&it))?;
        }
    }
    let Some(to) = destination.worktree else { return names(context, repository, &destination, step, how) };
    let request = Request::new(to, step.verb());
    let (force, dry_run, trust_owner) = (how.force, how.dry_run, how.trust_owner);
    let request = Request { force, dry_run, trust_owner, step: Some(destination), ..request };
    back::go(context, repository, &request)
}

/// Goes to the commit that a destination has for the directory, as `undo undo` does, without a word of it.
pub fn take_back(
    context: &Context<'_>,
    repository: &mut Repository,
    to: CommitId,
    step: Destination,
) -> Result<checkout::Outcome> {
    let request = Request { step: Some(step), ..Request::new(to, Step::Undo.verb()) };
    back::carry_out(context, repository, &request)
}

/// Changes branches and tags, and leaves the directory as it is.
fn names(
    context: &Context<'_>,
    mut repository: Repository,
    destination: &Destination,
    step: Step,
    how: &StepOptions,
) -> Result<Exit> {
    if how.dry_run {
        context.ui.show(&PlanRecord { refs_only: true, ..PlanRecord::default() })?;
        return Ok(Exit::DONE);
    }
    let worktree = context.worktree(&repository)?;
    let mut transaction = repository.begin()?;
    check_not_outdated(transaction.repository(), destination)?;
    back::clear_unfinished(context, transaction.repository(), &worktree)?;
    drop(Access::new(transaction.repository(), &worktree)?);
    let (view, refs) = (transaction.repository().view(), &destination.refs);
    let (before, unfinished) = (view.at(), transaction.repository().unfinished().map(|intent| intent.token));
    let new_operation = NewOperation {
        verb: step.verb(),
        description: about(&step.verb(), destination) + &checkout::describe(&refs.current, before, refs.at()),
        edits: refs.edits_from(view),
        switch: Some(refs.current.clone()).filter(|branch| *branch != view.current),
        undo_position: destination.undo_position,
        ..NewOperation::default()
    };
    transaction.record(new_operation)?;
    unfinished.map_or(Ok(()), |token| transaction.abandon(token))?;
    drop(transaction);
    let (from, to) = (before, destination.refs.at());
    let branch = repository.view().current.clone();
    let record = CheckoutRecord { from, to, branch, whole: true, ..CheckoutRecord::default() };
    context.ui.outcome(&stepped(&repository, &step.verb(), destination, record))?;
    context.ui.hint(way_back(&step.verb()));
    if let (Step::Undo, Some(commit)) = (step, destination.crossed.first().and_then(Action::made)) {
        context.ui.hint(format_args!("to restore the directory as recorded then: undo checkout {}", commit.short()));
    }
    Ok(Exit::DONE)
}

/// [`ErrorKind::Refused`] if something was done since the way was found.
pub fn check_not_outdated(repository: &Repository, destination: &Destination) -> Result<()> {
    if repository.operation() == destination.seen {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Refused, "another command has changed this repository")
        .hint("see what it did with `undo op log`, then run the command again"))
}

/// What a step did, for people and programs.
pub fn stepped(
    repository: &Repository,
    verb: &Verb,
    destination: &Destination,
    checkout: CheckoutRecord,
) -> SteppedRecord {
    let crossed = |action: &Action| CrossedRecord {
        id: action.id,
        verb: action.last.verb.to_string(),
        description: action.last.description.clone(),
    };
    SteppedRecord {
        id: repository.view().at(),
        operations: destination.crossed.iter().map(crossed).collect(),
        action: match verb {
            Verb::Undo => "undid",
            Verb::Redo => "redid",
            _ => "",
        },
        interrupted: destination.interrupted.as_ref().map(Verb::to_string).unwrap_or_default(),
        refs_only: destination.worktree.is_none(),
        checkout,
    }
}

/// "checkout and 2 more taken back, ".
pub fn about(verb: &Verb, destination: &Destination) -> String {
    if let Some(interrupted) = &destination.interrupted {
        return format!("interrupted {interrupted} undone, ");
    }
    let Some(first) = destination.crossed.first() else { return String::new() };
    let others = number::and_more(destination.crossed.len());
    let what = &first.last.verb;
    match verb {
        Verb::Undo => format!("{what}{others} undone, "),
        Verb::Redo => format!("{what}{others} redone, "),
        _ => String::new(),
    }
}

/// The command that takes a change of the directory back.
pub fn way_back(verb: &Verb) -> &'static str {
    if *verb == Verb::Undo { "to redo: undo redo" } else { "to undo: undo undo" }
}
