//! `undo stores`: lists the stores outside, and attaches moved and copied directories.

use std::path::{Path, PathBuf};

use crate::commands::{Context, init};
use crate::error::{Exit, Result};
use crate::fs;
use crate::quote::shell_path;
use crate::report::stores::{StoreRecord, StoresEnd};
use crate::workspace::{Workspace, stores};

/// List the histories stored outside their directories
///
/// Lists the stores in `$XDG_STATE_HOME/undo` [default: `~/.local/state/undo`] that `undo init --outside` has created, with the directories
/// that use them. Directories that are missing come first: they were removed or moved, or their disk is not mounted.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo stores
  undo revive shop              revive a directory that was removed
  undo stores adopt             continue the history of a directory that this one replaces
  undo stores split shop-copy   give a copy its own branch")]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Continue the history of a directory that this one replaces
    ///
    /// For a directory that was moved or restored while another one exists at the old path, whose owner has changed, or whose file `.undo`
    /// was lost. Changes no files.
    Adopt {
        /// Directory that continues the history [default: the current directory]
        #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        directory: Option<PathBuf>,
        /// For a directory without `.undo`: its former path, or path or name of its store [default: DIR]
        #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
        from: Option<PathBuf>,
    },
    /// Give a copy of a directory its own branch in the same store
    ///
    /// The copy and the original share their history so far. From now on, each has its own branch and its own `undo undo`. Changes no files.
    Split {
        /// The copy [default: the current directory]
        #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
        directory: Option<PathBuf>,
        /// Name of the branch [default: the name of the directory]
        #[arg(long, value_name = "NAME")]
        branch: Option<String>,
    },
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    match &args.command {
        None => list(context),
        Some(Command::Adopt { directory, from }) => {
            let directory = place(context, directory.as_deref())?;
            let from = from.as_ref().map(|from| from_argument(context, from)).transpose()?;
            let workspace = Workspace::adopt(&directory, from.as_deref(), context.environment.clone())?;
            report(context, workspace)
        }
        Some(Command::Split { directory, branch }) => {
            let directory = place(context, directory.as_deref())?;
            let workspace = Workspace::split(&directory, branch.as_deref(), context.environment.clone())?;
            report(context, workspace)
        }
    }
}

fn place(context: &Context<'_>, directory: Option<&Path>) -> Result<PathBuf> {
    context.place(directory.unwrap_or(Path::new(".")))
}

/// The value of `--from`: a path, or the name of a store as `undo stores` prints it.
pub fn from_argument(context: &Context<'_>, from: &Path) -> Result<PathBuf> {
    stores::named(from, &context.environment).map_or_else(|| context.place(from), Ok)
}

fn list(context: &Context<'_>) -> Result<Exit> {
    let known = stores::known(&context.environment)?;
    context.ui.page_long_output();
    let mut exit = Exit::SUCCESS;
    for store in &known {
        let record = StoreRecord::new(store, store.content(&context.environment), store.disk_size());
        if record.is_damaged {
            exit = Exit::INCOMPLETE;
        }
        context.ui.show(&record)?;
    }
    context.ui.show(&StoresEnd { count: known.len() as u64 })?;
    let recorded = known.iter().filter(|store| store.has_commits);
    let mut directories = recorded.flat_map(|store| store.directories.iter().map(move |directory| (store, directory)));
    match directories.find(|(_, directory)| directory.is_missing) {
        // Something else is at its path.
        Some((store, directory)) if fs::exists(&directory.path).unwrap_or(false) => {
            context.ui.hint(format_args!("to revive a directory: undo revive NEW --from {}", shell_path(&store.path)));
        }
        Some((_, directory)) => {
            context.ui.hint(format_args!("to revive a directory: undo revive {}", shell_path(&directory.path)));
        }
        None if known.is_empty() => context.ui.hint("to keep a directory's history outside it: undo init --outside"),
        None => {}
    }
    Ok(exit)
}

fn report(context: &Context<'_>, mut workspace: Workspace) -> Result<Exit> {
    let notices = workspace.take_notices();
    let mut repository = workspace.repository;
    init::report(context, &repository, false)?;
    context.report_notices(&notices);
    context.report_checkout(&mut repository)?;
    context.ui.hint("to see changes since the last commit of its branch: undo status");
    Ok(Exit::SUCCESS)
}
