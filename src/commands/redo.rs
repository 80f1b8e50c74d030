//! `undo redo`: redoes undone operations.

use crate::commands::Context;
use crate::commands::back::{self, Step};
use crate::error::{Exit, Result};
use crate::history::timeline::Timeline;

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
    how: back::StepOptions,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let destination = Timeline::open(&repository).forward(args.steps as usize)?;
    back::step(context, repository, destination, Step::Redo, &args.how)
}
