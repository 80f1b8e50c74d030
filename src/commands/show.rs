//! `undo show`: shows a commit and its changes, or prints a file in it.

use std::ffi::OsString;

use crate::commands::format::{Format, Style};
use crate::commands::{Context, cat, changes, complete};
use crate::error::{Exit, Result};
use crate::report::commits::{CommitRecord, Names};
use crate::terminal::text::Listing;
use crate::workspace::DiffOptions;

/// Show a commit and its changes, or print a recorded file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo show
  undo show @~2 -p
  undo show v1:notes.txt")]
pub struct Args {
    /// Commit, and path of a file in it
    #[arg(value_name = "REV[:PATH]", default_value = "@", hide_default_value = true,
          add = complete::with(complete::revision_paths))]
    what: OsString,
    #[command(flatten)]
    format: Format,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let workspace = context.workspace()?;
    let (id, path) = context.commit_path(&workspace, &args.what)?;
    if let Some(path) = path {
        return cat::print(context, &workspace, id, &path);
    }
    args.format.check_null(context, "undo show --json")?;
    let commit = workspace.read_commit(id)?;
    context.ui.page_long_output();
    let cost = workspace.costs().of(id)?;
    let record = CommitRecord::new(id, &commit, Names::of(workspace.view(), id), cost);
    context.ui.show(&record.in_history(workspace.view()))?;
    let style = args.format.style().unwrap_or(Style::List(Listing::Words));
    let options = DiffOptions { renames: args.format.renames.options(), ..DiffOptions::default() };
    changes::show(context, &workspace.diff_commit(&commit, options)?, style)?;
    Ok(Exit::SUCCESS)
}
