//! `undo diff-tree`: prints changes between two trees.

use std::path::PathBuf;

use crate::commands::{Context, complete};
use crate::compare::directories;
use crate::diff::{ChangeCounts, Depth, Options};
use crate::error::{Exit, Result};
use crate::history::objects::treeish;
use crate::report::changes::Tally;
use crate::terminal::text::{Columns, TreeChangeLine};

/// Print changes between two trees
///
/// With one commit, compares it with its first parent.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo diff-tree -r @~3 @
  undo diff-tree -r -z --name-only v1 @ -- data
  undo diff-tree -r --root \"$commit\"
  undo diff-tree @:old @:new")]
pub struct Args {
    /// Two commits or trees, or one commit
    #[arg(value_name = "TREE", num_args = 1..=2, required = true, add = complete::with(complete::revision_paths))]
    trees: Vec<String>,
    /// Print only changes in these paths
    #[arg(last = true, value_name = "PATH", add = complete::with(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    /// Descend into directories
    #[arg(short = 'r')]
    recursive: bool,
    /// Descend into directories and print them too
    #[arg(short = 't')]
    directories: bool,
    /// Print only paths
    #[arg(long)]
    name_only: bool,
    /// Print only paths and status letters: A, M, D, T or m
    #[arg(long, conflicts_with = "name_only")]
    name_status: bool,
    /// Print all entries of a commit without a parent
    #[arg(long)]
    root: bool,
    /// Exit with status 1 if there are changes
    #[arg(long)]
    exit_code: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let paths = context.paths(&repository, &args.paths)?;
    let first = treeish(&repository, &args.trees[0])?;
    let (old, new) = match args.trees.get(1) {
        Some(second) => (Some(first), treeish(&repository, second)?),
        None => (directories::parent(&repository, &first, &args.trees[0])?, first),
    };
    let mut counts = ChangeCounts::default();
    if old.is_some() || args.root {
        let options = Options { paths, depth: args.depth(), ..Options::default() };
        counts = directories::compare_directories(&repository, old.as_ref(), &new, &options, &mut |change| {
            context.ui.show(&TreeChangeLine { change, columns: args.columns() })
        })?;
    }
    let tally = Tally::from(counts);
    if context.ui.options().json {
        context.ui.show(&tally)?;
    }
    Ok(if args.exit_code && !tally.clean { Exit::NO } else { Exit::SUCCESS })
}

impl Args {
    fn depth(&self) -> Depth {
        match self {
            Args { directories: true, .. } => Depth::Directories,
            Args { recursive: true, .. } => Depth::Contents,
            _ => Depth::Names,
        }
    }

    fn columns(&self) -> Columns {
        match self {
            Args { name_only: true, .. } => Columns::Path,
            Args { name_status: true, .. } => Columns::Status,
            _ => Columns::All,
        }
    }
}
