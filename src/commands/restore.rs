//! `undo restore`: restores paths to their state in a commit.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::back::{self, Request};
use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::object::operation::Verb;

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
          add = ArgValueCompleter::new(complete::revisions))]
    from: String,
    /// Paths to restore
    #[arg(required = true, value_name = "PATH", add = ArgValueCompleter::new(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    /// Show the changes without making them
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Save and overwrite ignored files in the way, and replace files in use
    #[arg(short, long)]
    force: bool,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user
    #[arg(long)]
    trust_owner: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let to = context.commit(&repository, &args.from, "undo restore")?;
    let paths = context.paths(&repository, &args.paths)?;
    let (force, dry_run, trust_owner) = (args.force, args.dry_run, args.trust_owner);
    let request = Request { paths, force, dry_run, trust_owner, ..Request::new(to, Verb::Restore) };
    back::go(context, repository, &request)
}
