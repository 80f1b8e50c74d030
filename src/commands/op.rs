//! `undo op`: lists operations and restores the state after any of them.

use crate::commands::checkouts::{self, ModeArgs};
use crate::commands::operation_states::OperationStates;
use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::history::timeline::Timeline;
use crate::object::operation::Verb;
use crate::repo::Repository;
use crate::report::End;
use crate::terminal::text::OperationText;

/// List operations and restore the state after any of them
///
/// Every command that changes something is an operation. `undo undo` undoes them one by one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo op log -n 5
  undo op show @              the last operation
  undo op restore 3f2a        restore the state after that operation")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List operations, newest first
    Log {
        /// Show at most N operations
        #[arg(short = 'n', long = "max-count", value_name = "N")]
        limit: Option<usize>,
        /// Also list the events that made automatic commits, or found nothing new
        #[arg(long)]
        all: bool,
    },
    /// Show the details of an operation
    Show {
        /// Operation id, which may be abbreviated; `@` is the last operation
        #[arg(value_name = "OP", default_value = "@", add = complete::with(complete::operations))]
        operation: String,
    },
    /// Restore branches, tags and the directory to their state after an operation
    Restore {
        /// Operation id, which may be abbreviated
        #[arg(value_name = "OP", add = complete::with(complete::operations))]
        operation: String,
        #[command(flatten)]
        mode: ModeArgs,
    },
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    match &args.command {
        Command::Log { limit, all } => log(context, &context.repository()?, *limit, *all).map(Exit::from),
        Command::Show { operation } => show(context, &context.repository()?, operation).map(Exit::from),
        Command::Restore { operation, mode } => {
            let mut workspace = context.workspace()?;
            let destination = workspace.find_operation(operation)?;
            checkouts::step(context, &mut workspace, mode.mode(), Verb::OpRestore, destination)
        }
    }
}

/// Lists operations, newest first; `log --ops` too.
pub fn log(context: &Context<'_>, repository: &Repository, limit: Option<usize>, all: bool) -> Result<()> {
    context.check_no_null("undo op log --json")?;
    let mut timeline = Timeline::open(repository);
    let states = OperationStates::of(&mut timeline, repository.view())?;
    context.ui.page_long_output();
    let mut count = 0;
    let limit = limit.unwrap_or(usize::MAX);
    for index in 0.. {
        timeline.action(index)?;
        for event in timeline.events_since(index).filter(|_| all).take(limit - count) {
            context.ui.show(&states.record(event))?;
            count += 1;
        }
        let Some(action) = timeline.action(index)?.filter(|_| count < limit) else { break };
        context.ui.show(&states.record(action))?;
        count += 1;
    }
    context.ui.show(&End { count: count as u64 })
}

fn show(context: &Context<'_>, repository: &Repository, operation: &str) -> Result<()> {
    context.check_no_null("undo op show --json")?;
    let mut timeline = Timeline::open(repository);
    let action = timeline.find(operation)?.clone();
    context.ui.show(&OperationText(OperationStates::of(&mut timeline, repository.view())?.record(&action)))
}
