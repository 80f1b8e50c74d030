//! `undo restore`: restores paths to their state in a commit.

use std::path::PathBuf;

use crate::commands::checkouts::{self, ModeArgs, Reported};
use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::object::operation::Verb;
use crate::path::RepoPathBuf;
use crate::workspace::{CheckoutMode, Workspace};

/// Restore paths to their state in a commit
///
/// Removes paths that the commit does not have. Records unsaved changes first. Does not move the branch.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo restore notes.txt              as in the current commit
  undo restore --from @~3 data        a directory, as of three commits ago")]
pub struct Args {
    /// Commit, branch or tag to restore from
    #[arg(long, value_name = "REV", default_value = "@", hide_default_value = true,
          add = complete::with(complete::revisions))]
    from: String,
    /// Paths to restore
    #[arg(required = true, value_name = "PATH", add = complete::with(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    mode: ModeArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut workspace = context.workspace()?;
    let paths = context.paths(&workspace.repository, &args.paths)?;
    restore(context, &mut workspace, args.mode.mode(), &args.from, paths)
}

/// Restores paths; `checkout REV -- PATH…` too.
pub fn restore(
    context: &Context<'_>,
    workspace: &mut Workspace,
    mode: CheckoutMode,
    revision: &str,
    paths: Vec<RepoPathBuf>,
) -> Result<Exit> {
    let reported = Reported { verb: Verb::Restore, is_whole: false, destination: None };
    checkouts::run(context, workspace, mode, &reported, |workspace, progress| {
        workspace.prepare_restore(revision, paths, mode, progress)
    })
}
