//! `undo undo`: undoes the last operations.

use crate::commands::Context;
use crate::commands::checkouts::{self, ModeArgs};
use crate::error::{Exit, Result};
use crate::object::operation::Verb;

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
    mode: ModeArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut workspace = context.workspace_to_finish()?;
    let destination = workspace.find_undo(args.steps as usize, context.ui.progress())?;
    checkouts::step(context, &mut workspace, args.mode.mode(), Verb::Undo, destination)
}
