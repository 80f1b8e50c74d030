//! `undo ls`: what a commit holds.

use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::history;
use crate::history::listing::{self, Options};
use crate::object::Entry;
use crate::path::RepoPath;
use crate::report::entries::{EntryRecord, EntryTotals};
use crate::terminal::text::ListedEntry;

/// List what a commit holds
///
/// Looks into history without touching the directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo ls                 the current commit
  undo ls @~3:data -l     a directory, three commits ago
  undo ls -R -z v1        every path, for programs")]
pub struct Args {
    /// Which commit, and where in it
    #[arg(value_name = "REV[:PATH]", default_value = "@", add = ArgValueCompleter::new(complete::revision_paths))]
    what: OsString,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
    /// Descend into directories
    #[arg(short = 'R', long)]
    recursive: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let (id, path) = context.commit_path(&repository, &args.what, "ls")?;
    let path = path.unwrap_or_default();
    let entry = history::recorded(repository.store(), id, &path)?;
    context.ui.page_long_output();
    let mut totals = EntryTotals::default();
    let mut show = |path: &RepoPath, entry: &Entry| {
        totals.count(entry);
        context.ui.show(&ListedEntry { record: EntryRecord::new(path, entry), is_long: args.long })
    };
    match entry.tree() {
        Some(tree) => {
            let options = Options { recursive: args.recursive, with_trees: true, ..Options::default() };
            for found in listing::list(repository.store(), tree, options) {
                let (below, entry) = found?;
                show(&path.join_path(&below), &entry)?;
            }
        }
        None => show(&path, &entry)?,
    }
    context.ui.show(&totals)?;
    Ok(Exit::DONE)
}
