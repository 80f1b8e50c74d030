//! One file a command: open, resolve, do, show.

mod branch;
mod cat;
mod changes;
mod checkout;
mod checkouts;
mod commit;
pub mod complete;
pub mod completions;
mod config;
mod context;
mod diff;
pub(crate) mod export;
mod format;
pub mod help;
mod init;
mod log;
mod ls;
mod man;
mod op;
mod overview;
mod redo;
mod refs;
mod restore;
mod run;
mod show;
mod standing;
mod status;
mod tag;
mod undo;
mod verify;

use crate::error::{Exit, Result};

pub use context::Context;

/// The commands. The first line of each one's documentation is its help.
#[derive(Debug, clap::Subcommand)]
#[command(defer = true)]
#[expect(missing_docs, reason = "help of a command stands at its arguments; a doc here would replace it")]
pub enum Command {
    Init(init::Args),
    Commit(commit::Args),
    #[command(visible_alias = "st")]
    Status(status::Args),
    Log(log::Args),
    Show(show::Args),
    Diff(diff::Args),
    Checkout(checkout::Args),
    Restore(restore::Args),
    Run(run::Args),
    Undo(undo::Args),
    Redo(redo::Args),
    Op(op::Args),
    Export(export::Args),
    Branch(branch::Args),
    Tag(tag::Args),
    Ls(ls::Args),
    Cat(cat::Args),
    Verify(verify::Args),
    Config(config::Args),
    Completions(completions::Args),
    Man(man::Args),
    Help(help::Args),
}

/// Runs a command; without one, shows the overview.
pub fn run(context: &Context<'_>, command: Option<Command>) -> Result<Exit> {
    match command {
        None => overview::run(context),
        Some(Command::Init(args)) => init::run(context, &args),
        Some(Command::Commit(args)) => commit::run(context, &args),
        Some(Command::Status(args)) => status::run(context, &args),
        Some(Command::Log(args)) => log::run(context, &args),
        Some(Command::Show(args)) => show::run(context, &args),
        Some(Command::Diff(args)) => diff::run(context, &args),
        Some(Command::Checkout(args)) => checkout::run(context, &args),
        Some(Command::Restore(args)) => restore::run(context, &args),
        Some(Command::Run(args)) => run::run(context, &args),
        Some(Command::Undo(args)) => undo::run(context, &args),
        Some(Command::Redo(args)) => redo::run(context, &args),
        Some(Command::Op(args)) => op::run(context, &args),
        Some(Command::Export(args)) => export::run(context, &args),
        Some(Command::Branch(args)) => branch::run(context, &args),
        Some(Command::Tag(args)) => tag::run(context, &args),
        Some(Command::Ls(args)) => ls::run(context, &args),
        Some(Command::Cat(args)) => cat::run(context, &args),
        Some(Command::Verify(args)) => verify::run(context, &args),
        Some(Command::Config(args)) => config::run(context, &args),
        Some(Command::Completions(args)) => completions::run(context, &args),
        Some(Command::Man(args)) => man::run(context, &args),
        Some(Command::Help(args)) => help::run(context, &args),
    }
}

/// A command by its words: `op log`. Without any, the whole.
fn find<'a>(root: &'a mut clap::Command, words: &[String]) -> Option<&'a mut clap::Command> {
    words.iter().try_fold(root, |command, word| command.find_subcommand_mut(word))
}
