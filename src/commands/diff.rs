//! `undo diff`: shows changes between two states.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::commands::format::{Format, Style};
use crate::commands::history::HistoryArgs;
use crate::commands::{Context, changes, complete};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::id::CommitId;
use crate::path::RepoPathBuf;
use crate::workspace::{DiffOptions, Workspace};

/// Show changes between commits, or between a commit and the directory
///
/// Compares REV, by default the current commit, with the directory, or two revisions with each other. With `-q`, prints
/// nothing, for use with `--exit-code`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo diff                       all changes
  undo diff notes.txt             one file
  undo diff @~3 -- data           a directory, since three commits ago
  undo diff v1 v2 --stat          or v1..v2
  undo diff v1:old.csv v2:new.csv two recorded files or directories
  undo diff --target nas          changes since the last push
  undo diff --tool meld           in another program
  undo diff -q --exit-code && echo clean")]
pub struct Args {
    /// One or two revisions, or a range `A..B`; any other words are paths
    #[arg(value_name = "REV", add = complete::with(complete::revisions_or_paths))]
    revisions: Vec<OsString>,
    /// Show only changes in these paths
    #[arg(last = true, value_name = "PATH", add = complete::with(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    format: Format,
    /// Run CMD for each changed file, with the paths of its old and its new version
    #[arg(long, value_name = "CMD", conflicts_with_all = ["patch", "stat", "numstat", "shortstat", "name_only", "name_status"])]
    tool: Option<String>,
    /// Exit with status 1 if there are changes
    #[arg(long)]
    exit_code: bool,
    /// Also show changed modification times
    #[arg(long)]
    metadata: bool,
    #[command(flatten)]
    history: HistoryArgs,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let workspace = args.history.workspace(context)?;
    let (revisions, mut paths) = context.split_paths(&workspace, &args.revisions);
    paths.extend_from_slice(&args.paths);
    let entries = entries(&workspace, &revisions, &paths);
    let (old, new) = match entries {
        Some(_) => (None, None),
        None => ends(context, &workspace, &revisions)?,
    };
    let commits: Vec<CommitId> = [old, new].into_iter().flatten().collect();
    let options = DiffOptions {
        paths: context.selection_in(&workspace, &paths, &commits)?,
        mtimes: args.metadata,
        renames: args.format.renames.options(),
    };
    let differences = match (entries, new) {
        (Some([old, new]), _) => workspace.diff_entries((old.0, &old.1), (new.0, &new.1), options)?,
        (None, Some(_)) => workspace.diff_commits(old, new, options)?,
        (None, None) => workspace.diff_worktree(old, options, context.ui.progress())?,
    };
    let style = args.format.style().unwrap_or(Style::Patch(args.format.patch_style()));
    let tally = if let Some(tool) = &args.tool {
        differences.for_each(&mut |change| differences.run_tool(&change, tool))?.into()
    } else if context.ui.is_silent() {
        differences.count()?.into()
    } else {
        context.ui.page_long_output();
        changes::show(context, &differences, style)?
    };
    let exit = context.warn_about_differences(&differences)?;
    Ok(if args.exit_code && !tally.clean { Exit::NO } else { exit })
}

/// The commits and paths of `A:PATH B:PATH`.
fn entries(workspace: &Workspace, revisions: &[String], paths: &[PathBuf]) -> Option<[(CommitId, RepoPathBuf); 2]> {
    let [old, new] = revisions else { return None };
    let entry = |text: &String| match workspace.resolve_path(text) {
        Ok((commit, Some(path))) => Some((commit, path)),
        _ => None,
    };
    paths.is_empty().then(|| Some([entry(old)?, entry(new)?])).flatten()
}

/// The two states to compare: the old commit, if there is one, and the new one. `None` as the new one is the worktree.
fn ends(
    context: &Context<'_>,
    workspace: &Workspace,
    revisions: &[String],
) -> Result<(Option<CommitId>, Option<CommitId>)> {
    let resolve = |text: &String| context.revision(workspace, text).map(Some);
    Ok(match revisions {
        [] => (workspace.view().at(), None),
        [text] => match workspace.resolve_range(text)? {
            Some((old, new)) => (Some(old), Some(new)),
            None => (resolve(text)?, None),
        },
        [old, new] => (resolve(old)?, resolve(new)?),
        several => {
            several.iter().try_for_each(|text| resolve(text).map(drop))?;
            let message = format!("`diff` compares at most two revisions, not {}", several.len());
            return Err(Error::new(ErrorKind::Usage, message).hint("undo diff A B -- PATH…"));
        }
    })
}
