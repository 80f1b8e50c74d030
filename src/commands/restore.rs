//! `undo restore`: restores paths to their state in a commit.

use std::path::PathBuf;

use crate::commands::checkouts::{self, ModeArgs, Reported};
use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::message::Message;
use crate::object::operation::Verb;
use crate::path::selection::PathSelection;
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
    let commit = workspace.resolve(&args.from)?;
    let paths = context.selection_in(&workspace, &args.paths, &[commit])?;
    restore(context, &mut workspace, args.mode.mode(), &args.from, &paths)
}

/// Restores paths; `checkout REV -- PATH…` too.
pub fn restore(
    context: &Context<'_>,
    workspace: &mut Workspace,
    mode: CheckoutMode,
    revision: &str,
    paths: &PathSelection,
) -> Result<Exit> {
    let paths = match paths.as_paths() {
        Some(paths) => paths,
        None => {
            let commits: Vec<_> = [workspace.resolve(revision)?].into_iter().chain(workspace.view().at()).collect();
            workspace.selected_paths(paths, &commits, context.ui.progress())?
        }
    };
    let reported = Reported { verb: Verb::Restore, is_whole: false, destination: None };
    let restored = checkouts::run(context, workspace, mode, &reported, |workspace, progress| {
        workspace.prepare_restore(revision, paths, mode, progress)
    });
    restored.map_err(|error| {
        context.explain_missing(workspace, error, |id, path| {
            Message::from(format!("undo restore --from {} ", id.short())) + Message::argument(path)
        })
    })
}
