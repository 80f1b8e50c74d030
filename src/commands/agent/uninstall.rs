//! `undo agent uninstall`: removes the hooks from the settings of a coding agent.

use crate::coding_agent::CodingAgent;
use crate::commands::Context;
use crate::commands::agent::agent_name;
use crate::error::{ErrorKind, Result};
use crate::report::hooks::SettingsChange;
use crate::workspace::hooks;

/// Remove the hooks from the settings of a coding agent
///
/// If nothing else has changed since the hooks were added, the file becomes what it was before, byte for byte. Otherwise only the hooks
/// are removed. The history keeps what was recorded.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Agent to stop recording
    #[arg(value_name = "AGENT", value_parser = agent_name())]
    agent: CodingAgent,
    /// Show the change without making it
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let change = hooks::prepare_uninstall(args.agent, &context.environment).map_err(|error| match error.kind() {
        ErrorKind::Refused => {
            let word = args.agent.word();
            error.hint(format!("remove the hooks that run `undo agent hook {word}` with a text editor"))
        }
        _ => error,
    })?;
    if !args.dry_run {
        change.apply()?;
    }
    context.ui.outcome(&SettingsChange::new(&change, "removed", args.dry_run))
}
