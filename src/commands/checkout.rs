//! `undo checkout`: restores the whole worktree to a commit.

use std::path::PathBuf;

use crate::commands::checkouts::{self, ModeArgs, Reported};
use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::object::operation::Verb;

/// Restore the whole directory to a commit
///
/// Moves the current branch to the commit, or switches to another branch if REV is its name. Records unsaved changes
/// first. Later commits stay in the log. Does not touch files that no commit records: ignored ones, and those whose content
/// was purged.
#[derive(Debug, clap::Args)]
#[command(override_usage = "undo checkout [OPTIONS] <REV> [-- <PATH>...]
       undo checkout [OPTIONS] -b <NAME> [REV]
       undo checkout [OPTIONS] --continue")]
#[command(after_help = "Examples:
  undo checkout @                     discard unsaved changes (they are saved first)
  undo checkout @~2 -n                show what would change
  undo checkout -                     return to the previous commit or branch
  undo checkout trial                 switch to a branch
  undo checkout -b trial              create a branch here and switch to it
  undo checkout v1 -- data            restore some paths, like `undo restore --from v1 data`")]
pub struct Args {
    /// Commit, branch or tag to restore
    #[arg(value_name = "REV", required_unless_present_any = ["resume", "branch"], add = complete::with(complete::revisions_or_paths))]
    revision: Option<String>,
    /// Restore only these paths
    #[arg(last = true, value_name = "PATH", add = complete::with(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    /// Create a branch and switch to it; without REV, leave the directory unchanged
    #[arg(short, value_name = "NAME", conflicts_with_all = ["paths", "resume"])]
    branch: Option<String>,
    #[command(flatten)]
    mode: ModeArgs,
    /// Finish an interrupted checkout
    #[arg(long = "continue", conflicts_with_all = ["revision", "paths"])]
    resume: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mode = args.mode.mode();
    if let Some(name) = &args.branch {
        let mut workspace = context.workspace()?;
        let reported = Reported { verb: Verb::Checkout, is_whole: true, destination: None };
        return checkouts::run(context, &mut workspace, mode, &reported, |workspace, progress| {
            workspace.prepare_checkout_of_new_branch(name, args.revision.as_deref(), mode, progress)
        });
    }
    let Some(revision) = &args.revision else {
        let mut workspace = context.workspace_to_finish()?;
        let unfinished = workspace.repository.unfinished();
        let verb = unfinished.map_or(Verb::Checkout, |intent| intent.verb.clone());
        let is_whole = unfinished.is_none_or(|intent| intent.paths.is_empty());
        let reported = Reported { verb, is_whole, destination: None };
        return checkouts::run(context, &mut workspace, mode, &reported, |workspace, progress| {
            workspace.prepare_continue(mode, progress)
        });
    };
    // A checkout of the whole directory ends an unfinished one, so the advice to finish it is given only if that fails.
    let mut workspace = context.workspace_to_finish()?;
    let is_ending = workspace.repository.unfinished().is_some() && args.paths.is_empty() && !mode.dry_run;
    if !is_ending {
        context.report_checkout(&mut workspace.repository)?;
    }
    if !args.paths.is_empty() {
        let commit = workspace.resolve(revision)?;
        let paths = context.selection_in(&workspace, &args.paths, &[commit])?;
        return super::restore::restore(context, &mut workspace, mode, revision, &paths);
    }
    let reported = Reported { verb: Verb::Checkout, is_whole: true, destination: None };
    let ended = checkouts::run(context, &mut workspace, mode, &reported, |workspace, progress| {
        workspace.prepare_checkout(revision, mode, progress)
    });
    if ended.is_err() && is_ending {
        context.report_checkout(&mut workspace.repository)?;
    }
    ended
}
