//! The commands for people. One file per command: parse, call the library, show the outcome.

mod agent;
mod background;
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
mod copies;
mod diff;
pub(crate) mod export;
mod forget;
mod format;
mod gc;
pub mod help;
mod history;
mod init;
mod log;
mod ls;
mod man;
pub(crate) mod message;
mod op;
mod operation_states;
pub mod overview;
mod purge;
mod recall;
mod redo;
mod refs;
mod repair;
mod restore;
mod revive;
mod run;
mod shell_hook;
mod show;
mod stats;
mod status;
mod stores;
mod tag;
#[cfg(feature = "targets")]
pub mod targets;
mod undo;
mod verify;

use crate::error::{Exit, Result};

pub use context::Context;

/// Declares an enum of commands, and the function that runs one. A command is a module with `Args` and
/// `run`, which returns an exit status, or nothing if success is the only one.
macro_rules! declare_commands {
    ($(#[$enum:meta])* enum Command { $($(#[$attribute:meta])* $name:ident($module:ident),)+ }) => {
        $(#[$enum])*
        #[derive(Debug, clap::Subcommand)]
        #[command(defer = true)]
        pub enum Command {
            $($(#[$attribute])* $name($module::Args),)+
        }

        /// Runs a command.
        pub fn run(context: &$crate::commands::Context<'_>, command: Command) -> Result<Exit> {
            match command {
                $(Command::$name(args) => $module::run(context, &args).map(Exit::from),)+
            }
        }
    };
}
pub(crate) use declare_commands;

declare_commands! {
/// The commands for people. The doc comment of each `Args` is the help of the command.
enum Command {
    Init(init),
    #[command(alias = "ci")]
    Commit(commit),
    #[command(alias = "st")]
    Status(status),
    Log(log),
    Show(show),
    Diff(diff),
    #[command(alias = "co")]
    Checkout(checkout),
    Restore(restore),
    Run(run),
    Agent(agent),
    Undo(undo),
    Redo(redo),
    Op(op),
    Revive(revive),
    Export(export),
    Branch(branch),
    Tag(tag),
    Forget(forget),
    Gc(gc),
    Recall(recall),
    Purge(purge),
    Ls(ls),
    Cat(cat),
    Stores(stores),
    Stats(stats),
    Verify(verify),
    Repair(repair),
    Config(config),
    Completions(completions),
    ShellHook(shell_hook),
    Man(man),
    Help(help),
}
}

/// Finds a command by its words: `op log`. Without words, returns the root.
fn find<'a>(root: &'a mut clap::Command, words: &[String]) -> Option<&'a mut clap::Command> {
    words.iter().try_fold(root, |command, word| command.find_subcommand_mut(word))
}
