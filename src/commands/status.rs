//! `undo status`: what differs between the current commit and the worktree.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::{Context, changes, complete};
use crate::compare::{Comparison, Side};
use crate::diff;
use crate::error::{Exit, Result};
use crate::report::refs::Position;

/// Show what has changed since the current commit
///
/// Changed modification times alone do not count.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo status
  undo status --json data")]
pub struct Args {
    /// Show changed modification times too
    #[arg(long)]
    metadata: bool,
    /// Look only at these
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(complete::live_paths))]
    paths: Vec<PathBuf>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let worktree = context.worktree(&repository)?;
    let paths = context.paths(&repository, &args.paths)?;
    let old = Side::commit(&repository, repository.view().at())?;
    let new = Side::live(&repository, &worktree, &paths, context.ui.progress())?;
    let options = context.ui.options();
    if !options.json && !options.nul {
        context.ui.print(&Position::new(repository.view(), old.as_commit()))?;
    }
    let selected = diff::Options { mtimes: args.metadata, paths, ..diff::Options::default() };
    let comparison = Comparison { repository: &repository, worktree: Some(&worktree), old: &old, new: &new };
    changes::show_watched(context, comparison, &selected)?;
    context.check_paths_exist(&comparison, &selected.paths)?;
    if let Side::Live(scan) = &new {
        return Ok(context.warn_about_scan(scan).or(context.warn_about_mounts(&comparison.mounted_over()?)));
    }
    Ok(Exit::DONE)
}
