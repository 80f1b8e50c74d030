//! `undo restore`: restores paths to their state in a commit.

use std::path::PathBuf;

use crate::commands::checkouts::{self, ModeArgs, Reported};
#[cfg(feature = "targets")]
use crate::commands::targets::history::TargetArgs;
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
  undo restore --from @~3 data        a directory, as of three commits ago
  undo restore --target nas --from 3fa4 notes.txt   from a commit that only a target has")]
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
    #[cfg(feature = "targets")]
    #[command(flatten)]
    target: TargetArgs,
    /// The directory in the target, if it has several: its path, `host:path` or id [default: this one]
    #[cfg(feature = "targets")]
    #[arg(long, value_name = "DIRECTORY", requires = "target", help_heading = "Options for targets")]
    directory: Option<String>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut workspace = context.workspace()?;
    #[cfg(feature = "targets")]
    if let Some(target) = &args.target.target {
        return args.restore_from(context, workspace, target);
    }
    let commit = workspace.resolve(&args.from)?;
    let paths = context.selection_in(&workspace, &args.paths, &[commit])?;
    restore(context, &mut workspace, args.mode.mode(), &args.from, &paths)
}

#[cfg(feature = "targets")]
impl Args {
    /// Restores paths of a commit in a target. A dry run fetches nothing into the repository.
    fn restore_from(&self, context: &Context<'_>, mut workspace: Workspace, target: &str) -> Result<Exit> {
        let target = self.target.open(context, &workspace, target)?;
        let mut shown = context.workspace_to_finish()?.with_target(target, self.directory.as_deref())?;
        let commit = shown.resolve(&self.from)?;
        let (mode, paths) = (self.mode.mode(), context.selection_in(&shown, &self.paths, &[commit])?);
        if mode.dry_run {
            return restore(context, &mut shown, mode, &self.from, &paths);
        }
        let commit = workspace.fetch_paths(&shown, commit, &paths, context.ui.progress())?;
        restore(context, &mut workspace, mode, &commit.to_string(), &paths)
    }
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
