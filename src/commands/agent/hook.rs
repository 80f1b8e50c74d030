//! `undo agent hook`: records when an agent reports an event.

use std::io;

use crate::coding_agent::CodingAgent;
use crate::commands::Context;
use crate::commands::agent::agent_name;
use crate::error::Result;

/// Record an event of an agent
///
/// The hook that `undo agent install` adds to the settings of the agent runs this command. Reads the event from stdin and prints the
/// answer, both as JSON in the protocol of the agent.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Agent that reports the event
    #[arg(value_name = "AGENT", value_parser = agent_name())]
    agent: CodingAgent,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let _ = args.agent;
    // The agent must be able to write the whole event.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    context.ui.bytes(b"{}\n")
}
