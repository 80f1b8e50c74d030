//! `undo redo`: redoes undone operations.

use crate::commands::Context;
use crate::commands::checkouts::{self, ModeArgs};
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
    /// Number of operations to redo
    #[arg(value_name = "N", default_value = "1", hide_default_value = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    #[command(flatten)]
    mode: ModeArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut workspace = context.workspace()?;
    let destination = workspace.find_redo(args.steps as usize)?;
    checkouts::step(context, &mut workspace, args.mode.mode(), Verb::Redo, destination)
}
