//! `undo agent install`: adds hooks to the settings of a coding agent.

use crate::coding_agent::CodingAgent;
use crate::commands::Context;
use crate::commands::agent::agent_name;
use crate::commands::agent::status::warn_if_disabled;
use crate::error::{Error, ErrorKind, Result};
use crate::repo::Repository;
use crate::report::hooks::{SettingsChange, SettingsToAdd};
use crate::workspace::hooks;

/// Add hooks to the settings of a coding agent
///
/// Changes `~/.claude/settings.json` (`$CLAUDE_CONFIG_DIR/settings.json`) or `~/.codex/hooks.json` (`$CODEX_HOME/hooks.json`). The
/// hooks run `undo` at each prompt, before each tool that can write, and at the end of each turn. All other settings stay as they are, and
/// the previous file is saved beside the new one, with the suffix `.undo`. A file that has comments or is not valid JSON is not changed: the
/// hooks are printed, to be added by hand, and the exit status is 4.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo agent install claude
  undo agent install codex -n")]
pub struct Args {
    /// Agent to record
    #[arg(value_name = "AGENT", value_parser = agent_name())]
    agent: CodingAgent,
    /// Show the change without making it
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let change = hooks::prepare_install(args.agent, &context.environment)
        .map_err(|error| print_hooks(context, args.agent, error))?;
    if !args.dry_run {
        change.apply()?;
    }
    context.ui.outcome(&SettingsChange::new(&change, "added", args.dry_run))?;
    if args.dry_run {
        return Ok(());
    }
    warn_if_disabled(context, &hooks::status(args.agent, &context.cwd, &context.environment)?);
    match args.agent {
        CodingAgent::Codex if change.is_change() => {
            context.ui.hint("Codex runs the hooks only after you trust them: start codex and type /hooks");
        }
        _ => context.ui.hint("to see whether the hooks run: undo agent status"),
    }
    if let Err(error) = Repository::discover(&context.cwd, context.environment.clone())
        && error.kind() == ErrorKind::NoRepository
    {
        context.ui.hint("only directories with a history are recorded; to start one that survives the removal of the directory: undo init --outside");
    }
    Ok(())
}

/// Prints the hooks if the settings of the agent are not edited.
fn print_hooks(context: &Context<'_>, agent: CodingAgent, error: Error) -> Error {
    let Ok(text) = hooks::settings_to_add(agent, &context.environment) else { return error };
    if error.kind() != ErrorKind::Refused {
        return error;
    }
    match context.ui.show(&SettingsToAdd::new(agent.word(), text)) {
        Ok(()) => error.hint("add the printed hooks to the file with a text editor"),
        Err(failure) => failure,
    }
}
