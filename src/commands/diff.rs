//! `undo diff`: what differs between two states.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::format::{Format, Style};
use crate::commands::{Context, changes, complete};
use crate::compare::{Comparison, Side};
use crate::diff;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history;
use crate::id::CommitId;
use crate::repo::Repository;

/// Show what differs between two commits, or between a commit and the directory
///
/// Without a revision: from the current commit to the directory as it is now. With one: from that commit to the directory.
/// With `-q` nothing is shown: `--exit-code` tells.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo diff                       what has changed
  undo diff notes.txt             one file
  undo diff @~3 -- data           one directory, since three commits ago
  undo diff v1 v2 --stat          or v1..v2
  undo diff -q --exit-code && echo clean")]
pub struct Args {
    /// One commit, two, or `A..B`; then paths, if no revision has such a name
    #[arg(value_name = "REV", add = ArgValueCompleter::new(complete::revisions_or_paths))]
    revisions: Vec<String>,
    /// Only these paths
    #[arg(last = true, value_name = "PATH", add = ArgValueCompleter::new(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    format: Format,
    /// End with 1 if there are changes
    #[arg(long)]
    exit_code: bool,
    /// Show changed modification times too
    #[arg(long)]
    metadata: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let (revisions, mut paths) = context.split_paths(&repository, &args.revisions);
    paths.extend_from_slice(&args.paths);
    let paths = context.paths(&repository, &paths)?;
    let (old, new) = ends(context, &repository, revisions)?;
    let worktree = context.worktree(&repository)?;
    let old = Side::commit(&repository, old)?;
    let new = match new {
        Some(id) => Side::commit(&repository, Some(id))?,
        None => Side::live(&repository, &worktree, &paths, context.ui.progress())?,
    };
    let options = diff::Options { mtimes: args.metadata, paths, ..diff::Options::default() };
    let style = args.format.style().unwrap_or(Style::Patch(args.format.context));
    let comparison = Comparison { repository: &repository, worktree: Some(&worktree), old: &old, new: &new };
    let tally = if context.ui.is_silent() {
        comparison.changes(&options, &mut |_| Ok(()))?.into()
    } else {
        context.ui.page_long_output();
        changes::show(context, comparison, &options, style)?
    };
    context.check_paths_exist(&comparison, &options.paths)?;
    let exit = match &new {
        Side::Live(scan) => context.warn_about_scan(scan).or(context.warn_about_mounts(&comparison.mounted_over()?)),
        _ => Exit::DONE,
    };
    Ok(if args.exit_code && !tally.clean { Exit::NO } else { exit })
}

/// What is compared: the old commit, if there is any, and the new one; `None`: the directory.
fn ends(
    context: &Context<'_>,
    repository: &Repository,
    revisions: &[String],
) -> Result<(Option<CommitId>, Option<CommitId>)> {
    let resolve = |text: &String| context.commit(repository, text, "undo diff --").map(Some);
    Ok(match revisions {
        [] => (repository.view().at(), None),
        [text] => match history::resolve_range(repository, text)? {
            Some((old, new)) => (Some(old), Some(new)),
            None => (resolve(text)?, None),
        },
        [old, new] => (resolve(old)?, resolve(new)?),
        several => {
            let message = format!("two revisions can be compared, and {} are there", several.len());
            return Err(Error::new(ErrorKind::Usage, message).hint("undo diff A B -- PATH…"));
        }
    })
}
