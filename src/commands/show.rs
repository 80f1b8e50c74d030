//! `undo show`: a commit and its changes, or a file in it.

use std::ffi::OsString;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::format::{Format, Style};
use crate::commands::{Context, cat, changes, complete};
use crate::error::{Exit, Result};
use crate::history::Costs;
use crate::object::Objects;
use crate::report::commits::{CommitRecord, Names};
use crate::terminal::text::Listing;

/// Show a commit and what it changed, or print a file in it
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo show
  undo show @~2 -p
  undo show v1:notes.txt")]
pub struct Args {
    /// Which commit, and which file in it
    #[arg(value_name = "REV[:PATH]", default_value = "@", hide_default_value = true,
          add = ArgValueCompleter::new(complete::revision_paths))]
    what: OsString,
    #[command(flatten)]
    format: Format,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let (id, path) = context.commit_path(&repository, &args.what, "show")?;
    if let Some(path) = path {
        return cat::print(context, &repository, id, &path);
    }
    let commit = repository.store().commit(id)?;
    context.ui.page_long_output();
    let cost = Costs::new(&repository).of(id)?;
    context.ui.show(&CommitRecord::new(id, &commit, Names::of(repository.view(), id), cost))?;
    let style = args.format.style().unwrap_or(Style::List(Listing::Words));
    changes::show_commit(context, &repository, &commit, &[], style)?;
    Ok(Exit::DONE)
}
