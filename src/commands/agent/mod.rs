//! `undo agent`: records the directory before each step of a coding agent.

mod hook;
mod install;
mod log;
mod status;
mod uninstall;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::coding_agent::CodingAgent;
use crate::commands::Context;
use crate::error::{Exit, Result};

/// Record the directory before each step of a coding agent
///
/// Hooks in the agent's settings run `undo` at each prompt, before each tool that can write, and at the end of each turn, so every step that
/// the agent announces can be undone. docs/agents.md describes what is recorded, and what bypasses hooks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo agent install claude
  undo agent status
  undo agent log
  undo help agent             print text to paste into CLAUDE.md or AGENTS.md")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Install(install::Args),
    Uninstall(uninstall::Args),
    Status(status::Args),
    Hook(hook::Args),
    Log(log::Args),
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    match &args.command {
        Command::Install(args) => install::run(context, args).map(Exit::from),
        Command::Uninstall(args) => uninstall::run(context, args).map(Exit::from),
        Command::Status(args) => status::run(context, args).map(Exit::from),
        Command::Hook(args) => hook::run(context, args).map(Exit::from),
        Command::Log(args) => log::run(context, args).map(Exit::from),
    }
}

/// Parses the name of an agent.
fn agent_name() -> impl TypedValueParser<Value = CodingAgent> {
    let names = CodingAgent::ALL.map(CodingAgent::word);
    PossibleValuesParser::new(names).map(|word| CodingAgent::from_word(&word).expect("the parser accepts only agents"))
}
