//! `undo undo`: undoes the last operations.

use crate::commands::Context;
use crate::commands::back::{self, Step};
use crate::compare;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history::timeline::Timeline;
use crate::id::CommitId;
use crate::object::Objects;
use crate::repo::Repository;

/// Undo the last operation
///
/// Restores branches and tags, and the directory if the operation changed it. Undoing a commit does not change the
/// directory. Run it again to undo the operation before. Records unsaved changes first. `undo redo` redoes the operation.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo undo                 undo the last operation
  undo undo 3               undo the last three operations
  undo undo -n              show what would change")]
pub struct Args {
    /// Number of operations to undo
    #[arg(value_name = "N", default_value = "1", hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    #[command(flatten)]
    how: back::StepOptions,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository_to_finish()?;
    repository.check_same_worktree()?;
    if let Some(before) = repository.unrecorded_run() {
        check_run_is_recorded(context, &repository, before)?;
    }
    let mut timeline = Timeline::open(&repository);
    let destination = match repository.unfinished() {
        Some(intent) => timeline.back_before(intent, args.steps as usize)?,
        None => timeline.back(args.steps as usize)?,
    };
    back::step(context, repository, destination, Step::Undo, &args.how)
}

/// [`ErrorKind::Refused`] while the directory contains unrecorded changes of a run: the user means to revert that run,
/// not the operation before it.
fn check_run_is_recorded(context: &Context<'_>, repository: &Repository, before: CommitId) -> Result<()> {
    let scan = compare::look(repository, &context.worktree(repository)?, &[], context.ui.progress())?;
    let at = repository.view().at().map(|id| repository.store().commit(id)).transpose()?;
    if at.is_some_and(|commit| commit.root.tree() == scan.root.tree()) {
        repository.forget_unrecorded_run();
        return Ok(());
    }
    let message = "the changes of the last `undo run` are not recorded, so `undo undo` cannot undo them";
    Err(Error::new(ErrorKind::Refused, message)
        .hint(format!("to restore the state before that run: undo checkout {}", before.short())))
}
