//! `undo ls`: lists the files of a commit.

use std::ffi::OsString;

use crate::commands::{Context, complete};
use crate::error::Result;
use crate::report::entries::{EntryRecord, EntryTotals};
use crate::terminal::text::ListedEntry;

/// List the files of a commit
///
/// Reads the history only; does not touch the directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo ls                 the current commit
  undo ls @~3:data -l     a directory, three commits ago
  undo ls -R -z v1        every path, for scripts")]
pub struct Args {
    /// Commit, and path in it
    #[arg(value_name = "REV[:PATH]", default_value = "@", add = complete::with(complete::revision_paths))]
    what: OsString,
    /// Show mode, owner, size and time
    #[arg(short, long)]
    long: bool,
    /// Descend into directories
    #[arg(short = 'R', long)]
    recursive: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let workspace = context.workspace()?;
    let (id, path) = context.commit_path(&workspace.repository, &args.what, "ls")?;
    let entries = workspace.list(id, &path.unwrap_or_default(), args.recursive)?;
    context.ui.page_long_output();
    let mut totals = EntryTotals::default();
    for entry in entries {
        let (path, entry) = entry?;
        totals.count(&entry);
        context.ui.show(&ListedEntry { record: EntryRecord::new(&path, &entry), is_long: args.long })?;
    }
    context.ui.show(&totals)
}
