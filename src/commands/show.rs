//! `undo show`: a commit and its changes, or a file in it.

use clap_complete::engine::ArgValueCompleter;

use crate::commands::changes::{self, Format, Style};
use crate::commands::costs::Costs;
use crate::commands::sides::Side;
use crate::commands::{Context, cat, complete};
use crate::error::{Exit, Result};
use crate::history;
use crate::id::CommitId;
use crate::object::{Commit, Objects};
use crate::path::RepoPathBuf;
use crate::repo::Repository;
use crate::ui::changes::Listing;
use crate::ui::commits::{CommitRecord, Names};

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
    what: String,
    #[command(flatten)]
    format: Format,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let (id, path) = history::resolve_path(&repository, &args.what)?;
    if let Some(path) = path {
        return cat::print(context, &repository, id, &path);
    }
    let commit = repository.store().commit(id)?;
    context.ui.page_long_output();
    let cost = Costs::new(&repository)?.of(id)?;
    context.ui.show(&CommitRecord::new(id, &commit, Names::of(repository.view(), id), cost))?;
    self::changes(context, &repository, &commit, &[], args.format.style().unwrap_or(Style::List(Listing::Words)))?;
    Ok(Exit::DONE)
}

/// Shows what a commit changed: how it differs from its first parent.
pub fn changes(
    context: &Context<'_>,
    repository: &Repository,
    commit: &Commit,
    paths: &[RepoPathBuf],
    style: Style,
) -> Result<()> {
    let parent: Option<CommitId> = commit.parents.first().copied();
    let (old, new) = (Side::commit(repository, parent)?, Side::Commit(Box::new(commit.clone())));
    let options = crate::diff::Options { paths: paths.to_vec(), ..crate::diff::Options::default() };
    changes::show(context, repository, None, (&old, &new), &options, style)?;
    Ok(())
}
