//! `undo ls-files`: lists files of the worktree.

use std::path::PathBuf;

use crate::commands::{Context, complete};
use crate::compare::Side;
use crate::compare::files::{FileOptions, FileState, ListedFile, files, files_in_index};
use crate::error::{Exit, Result};
use crate::progress::Silent;
use crate::report::End;
use crate::report::plumbing::FileRecord;
use crate::terminal::text::{Form, TreeLine};
use crate::worktree::Worktree;

/// List files of the directory
///
/// Lists the files seen when the directory was last read; with options, files in these states now. Options can be combined.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo ls-files -z data
  undo ls-files -m -o          new and changed files
  undo ls-files -i             ignored files")]
pub struct Args {
    /// List files that differ from the current commit or were deleted
    #[arg(short, long)]
    modified: bool,
    /// List files that were deleted
    #[arg(short, long)]
    deleted: bool,
    /// List files that are not in the current commit and not ignored
    #[arg(short, long)]
    others: bool,
    /// List ignored files; directories with a trailing `/`
    #[arg(short, long)]
    ignored: bool,
    /// Print entry lines, as ls-tree does, of the directory when it was last read
    #[arg(short, long, conflicts_with_all = ["modified", "deleted", "others", "ignored"])]
    stage: bool,
    /// List only these paths
    #[arg(value_name = "PATH", add = complete::with(complete::live_paths))]
    paths: Vec<PathBuf>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let paths = context.paths(&repository, &args.paths)?;
    let states = [
        (args.modified, FileState::Modified),
        (args.deleted, FileState::Deleted),
        (args.others, FileState::New),
        (args.ignored, FileState::Ignored),
    ];
    let states: Vec<FileState> = states.into_iter().filter_map(|(asked, state)| asked.then_some(state)).collect();
    let (mut count, mut exit) = (0, Exit::SUCCESS);
    let mut each = |file: ListedFile<'_>| {
        count += 1;
        match file {
            ListedFile { path, entry: Some(entry), .. } if args.stage => {
                context.ui.show(&TreeLine { path, entry, form: &Form::Line })
            }
            ListedFile { path, state, kind, .. } => context.ui.show(&FileRecord { path, state: state.word(), kind }),
        }
    };
    if !states.is_empty() || !files_in_index(&repository, &paths, &mut each)? {
        let worktree = Worktree::of(&repository)?;
        let states = if states.is_empty() { vec![FileState::Known] } else { states };
        let side = files(&repository, &worktree, &FileOptions { states, paths }, &Silent, &mut each)?;
        if let Side::Live(scan) = side {
            context.warn_about_rules(&scan.ignore_warnings);
            exit = context.warn_incomplete(&scan.uncovered, &scan.torn, &scan.without_attributes);
        }
    }
    context.ui.show(&End { count })?;
    Ok(exit)
}
