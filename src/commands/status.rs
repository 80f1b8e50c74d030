//! `undo status`: shows changes since the current commit.

use std::path::PathBuf;

use crate::commands::format::Renames;
use crate::commands::{Context, changes, complete, copies};
use crate::error::{Exit, Result};
use crate::report::refs::Position;
use crate::terminal::text::{LastCopy, Listing};
use crate::workspace::DiffOptions;

/// Show changes since the current commit
///
/// A changed modification time alone is not a change. Also shows how new the newest copy in a target is, without asking the
/// target, and warns if a copy lacks commits and is older than 7 days (setting target.max_age).
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo status
  undo status --short          M changed.txt, R old.txt -> new.txt
  undo status --json data")]
pub struct Args {
    /// Show one line per change: A, M, D, R, T, m or I (ignored now), and the path
    #[arg(short, long)]
    short: bool,
    /// Also show changed modification times
    #[arg(long)]
    metadata: bool,
    #[command(flatten)]
    renames: Renames,
    /// Show only changes in these paths
    #[arg(value_name = "PATH", add = complete::with(complete::live_paths))]
    paths: Vec<PathBuf>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let workspace = context.workspace()?;
    let paths = context.selection(&workspace, &args.paths)?;
    let options = DiffOptions { paths, mtimes: args.metadata, renames: args.renames.options() };
    let differences = workspace.status(options, context.ui.progress())?;
    let copies = copies::records(&workspace)?;
    let options = context.ui.options();
    if !options.json && !options.nul && !args.short {
        context.ui.print(&Position::new(workspace.view(), differences.old_commit()))?;
        context.ui.print(&LastCopy(&copies))?;
        copies::hint_first_push(context, &copies);
    }
    let listing = if args.short { Listing::Short } else { Listing::Words };
    changes::show_watched(context, &differences, listing, &copies)?;
    copies::warn(context, &copies);
    context.warn_if_automatic_waits(&workspace)?;
    context.warn_about_differences(&differences)
}
