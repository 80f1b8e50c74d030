//! `undo restore`: some paths become what a commit holds.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::back::{self, Request};
use crate::commands::{Context, complete};
use crate::error::{Exit, Result};
use crate::object::operation::Verb;

/// Make some paths exactly what a commit holds
///
/// A path that the commit does not hold is removed. What is unsaved is recorded first. The branch stays where it is.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo restore notes.txt              as in the current commit
  undo restore --from @~3 data        a directory, as three commits ago")]
pub struct Args {
    /// Commit, branch or tag
    #[arg(long, value_name = "REV", default_value = "@", hide_default_value = true,
          add = ArgValueCompleter::new(complete::revisions))]
    from: String,
    /// Which
    #[arg(required = true, value_name = "PATH", add = ArgValueCompleter::new(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    /// Only show what would be done
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Save and replace ignored files that are in the way, and replace files that programs are using
    #[arg(short, long)]
    force: bool,
    /// As root, also set owners, set-id bits, capabilities and devices that another user recorded
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
