//! `undo redo`: redoes undone operations.

use crate::commands::Context;
use crate::commands::checkouts::{self, StepArgs};
use crate::error::{Exit, Result};
use crate::object::operation::Verb;

/// Redo the last undone operation
///
/// Works until another command changes something.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo redo
  undo redo 3
  undo redo -n              show what would change")]
pub struct Args {
    #[command(flatten)]
    step: StepArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut workspace = context.workspace()?;
    let mode = args.step.mode.mode();
    let step = workspace.find_redo(args.step.count as usize, mode.dry_run, context.ui.progress())?;
    checkouts::step(context, &mut workspace, mode, Verb::Redo, step)
}
