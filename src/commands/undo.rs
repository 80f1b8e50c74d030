//! `undo undo`: undoes the last operations.

use crate::commands::Context;
use crate::commands::checkouts::{self, StepArgs};
use crate::error::{Exit, Result};
use crate::object::operation::Verb;

/// Undo the last operation
///
/// Restores branches and tags, and the directory if the operation changed it. Undoing a commit does not change the
/// directory. Run it again to undo the operation before. Records unsaved changes first. Changes after
/// an automatic commit, such as those by a step of an agent, are undone like an operation. `undo redo` redoes the operation.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo undo                 undo the last operation
  undo undo 3               undo the last three operations
  undo undo -n              show what would change")]
pub struct Args {
    #[command(flatten)]
    step: StepArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut workspace = context.workspace_to_finish()?;
    let mode = args.step.mode.mode();
    let step = workspace.find_undo(args.step.count as usize, mode.dry_run, context.ui.progress())?;
    checkouts::step(context, &mut workspace, mode, Verb::Undo, step)
}
