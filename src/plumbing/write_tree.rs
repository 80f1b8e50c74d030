//! `undo write-tree`: records the worktree without a commit.

use std::path::PathBuf;

use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::report::plumbing::WrittenTree;
use crate::snapshot;
use crate::worktree::{Scan, Worktree};

/// Record the directory as a tree without a commit
///
/// Prints the id of the tree and, if files have hard links, the id of their table. Moves no ref.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo commit-tree $(undo write-tree) -p @ -m \"by hand\"
  undo checkout-tree /tmp/data $(undo write-tree --prefix data)")]
pub struct Args {
    /// Record only this directory, as a separate tree
    #[arg(long, value_name = "DIR", add = complete::with(complete::live_paths))]
    prefix: Option<PathBuf>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut repository = context.repository()?;
    let worktree = Worktree::of(&repository)?;
    let prefix = context.paths(&repository, args.prefix.as_slice())?.pop().unwrap_or_default();
    let mut transaction = repository.begin()?;
    let written = snapshot::write_tree(&mut transaction, &worktree, &prefix, context.ui.progress())?;
    drop(transaction);
    context.ui.show(&WrittenTree {
        id: written.tree,
        links: written.links,
        uncovered: &written.scan.uncovered,
        torn: &written.scan.torn,
    })?;
    context.warn_about_rules(&written.scan.ignore_warnings);
    let Scan { uncovered, torn, without_attributes, .. } = &written.scan;
    let exit = context.warn_incomplete(uncovered, torn, without_attributes);
    context.report_left_out(uncovered);
    Ok(exit)
}
