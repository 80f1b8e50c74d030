//! `undo agent uninstall`: removes the hooks from the settings of an agent.

use crate::coding_agent::CodingAgent;
use crate::commands::Context;
use crate::commands::agent::agent_name;
use crate::error::{Error, ErrorKind, Exit, Result};

/// Remove the hooks from the settings of an agent
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Agent to record no longer
    #[arg(value_name = "AGENT", value_parser = agent_name())]
    agent: CodingAgent,
    /// Show the change of the settings without making it
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(_: &Context<'_>, args: &Args) -> Result<Exit> {
    let message = format!("the hooks of {} cannot be removed yet", args.agent.title());
    Err(Error::new(ErrorKind::Unsupported, message))
}
