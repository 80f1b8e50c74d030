//! `undo agent log`: lists the steps of agents.

use crate::commands::Context;
use crate::error::Result;
use crate::report::End;

/// List the steps of agents by session and prompt, and what each changed
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context<'_>, _: &Args) -> Result<()> {
    context.repository()?;
    context.ui.show(&End { count: 0 })
}
