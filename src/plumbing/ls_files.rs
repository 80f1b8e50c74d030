//! `undo ls-files`: files of the worktree, for programs.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::{Context, complete};
use crate::compare::files::{File, Selected, State, files, files_known};
use crate::error::{Exit, Result};
use crate::progress::Silent;
use crate::report::End;
use crate::report::plumbing::FileRecord;
use crate::terminal::text::{Form, TreeLine};

/// Print files of the directory
///
/// Those that were there when it was last read; with an option those that it has or has not now. Options add up.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo ls-files -z data
  undo ls-files -m -o          what a commit would record anew
  undo ls-files -i             what ignore rules leave out")]
pub struct Args {
    /// Other than in the current commit, or deleted
    #[arg(short, long)]
    modified: bool,
    /// Only in the current commit
    #[arg(short, long)]
    deleted: bool,
    /// Not in the current commit, and not ignored
    #[arg(short, long)]
    others: bool,
    /// Left out by ignore rules; a directory with a `/` behind it
    #[arg(short, long)]
    ignored: bool,
    /// Entry lines, as ls-tree prints them, of what was there when the directory was last read
    #[arg(short, long, conflicts_with_all = ["modified", "deleted", "others", "ignored"])]
    stage: bool,
    /// Only these paths
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(complete::live_paths))]
    paths: Vec<PathBuf>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let paths = context.paths(&repository, &args.paths)?;
    let states = [
        (args.modified, State::Modified),
        (args.deleted, State::Deleted),
        (args.others, State::New),
        (args.ignored, State::Ignored),
    ];
    let states: Vec<State> = states.into_iter().filter_map(|(asked, state)| asked.then_some(state)).collect();
    let (mut count, mut exit) = (0, Exit::DONE);
    let mut each = |file: File<'_>| {
        count += 1;
        match file {
            File { path, entry: Some(entry), .. } if args.stage => {
                context.ui.show(&TreeLine { path, entry, form: &Form::Line })
            }
            File { path, state, kind, .. } => context.ui.show(&FileRecord { path, state: state.word(), kind }),
        }
    };
    if !states.is_empty() || !files_known(&repository, &paths, &mut each)? {
        let worktree = context.worktree(&repository)?;
        let states = if states.is_empty() { vec![State::Known] } else { states };
        let uncertain = files(&repository, &worktree, &Selected { states, paths }, &Silent, &mut each)?;
        context.warn_about_rules(&uncertain.ignore_warnings);
        exit = context.warn_incomplete(&uncertain.uncovered, &uncertain.torn, &uncertain.without_attributes);
    }
    context.ui.show(&End { count })?;
    Ok(exit)
}
