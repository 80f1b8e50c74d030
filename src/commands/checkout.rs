//! `undo checkout`: restores the whole worktree to a commit.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::back::{self, Request};
use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::object::operation::Verb;
use crate::repo::Repository;

/// Restore the whole directory to a commit
///
/// Moves the current branch to the commit, or switches to another branch if REV is its name. Records unsaved changes
/// first. Later commits stay in the log. Does not touch ignored files.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo checkout @                     discard unsaved changes (they are saved first)
  undo checkout @~2 -n                show what would change
  undo checkout -                     return to the previous commit or branch
  undo checkout trial                 switch to a branch
  undo checkout v1 -- data            restore some paths, like `undo restore --from v1 data`")]
pub struct Args {
    /// Commit, branch or tag to restore
    #[arg(value_name = "REV", required_unless_present = "resume", add = ArgValueCompleter::new(complete::revisions_or_paths))]
    revision: Option<String>,
    /// Restore only these paths
    #[arg(last = true, value_name = "PATH", add = ArgValueCompleter::new(complete::recorded_paths))]
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
    /// Finish an interrupted checkout
    #[arg(long = "continue", conflicts_with_all = ["revision", "paths"])]
    resume: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut repository = if args.resume { context.repository_to_finish()? } else { context.repository()? };
    let request = match &args.revision {
        Some(text) => request(context, &repository, args, text)?,
        None => unfinished(context, &mut repository, args)?,
    };
    back::go(context, repository, &request)
}

fn request(context: &Context<'_>, repository: &Repository, args: &Args, text: &str) -> Result<Request> {
    let view = repository.view();
    let paths = context.paths(repository, &args.paths)?;
    let branch = match text {
        _ if !paths.is_empty() => None,
        "-" => branch_before(repository)?,
        name => Some(name.to_owned()),
    };
    let branch = branch.filter(|name| *name != view.current && view.branches.contains_key(name));
    let to = context.commit(repository, branch.as_deref().unwrap_or(text), "undo restore")?;
    let is_relative = text == view.current || matches!(text, "-" | "latest") || text.starts_with('@');
    let relative = is_relative.then(|| text.to_owned());
    let verb = if paths.is_empty() { Verb::Checkout } else { Verb::Restore };
    let (force, dry_run, trust_owner) = (args.force, args.dry_run, args.trust_owner);
    Ok(Request { relative, paths, branch, force, dry_run, trust_owner, ..Request::new(to, verb) })
}

/// The branch you came from, if you switched when you went last.
fn branch_before(repository: &Repository) -> Result<Option<String>> {
    for operation in repository.own_operations() {
        let (_, operation) = operation?;
        if operation.worktree.is_some() {
            return Ok(operation.switched.map(|(old, _)| old));
        }
    }
    Ok(None)
}

fn unfinished(context: &Context<'_>, repository: &mut Repository, args: &Args) -> Result<Request> {
    repository.check_same_worktree()?;
    if !args.dry_run {
        back::close_directories(context, repository)?;
    }
    let Some(intent) = repository.unfinished() else {
        return Err(Error::new(ErrorKind::NotFound, "no checkout was interrupted").hint("undo status"));
    };
    let (paths, branch, resumed) = (intent.paths.clone(), intent.switch.clone(), Some(intent.clone()));
    let (force, dry_run, trust_owner) = (args.force, args.dry_run, args.trust_owner);
    Ok(Request { paths, branch, resumed, force, dry_run, trust_owner, ..Request::new(intent.to, intent.verb.clone()) })
}
