//! `undo rev-list`: lists commits and their objects.

use std::path::PathBuf;

use crate::commands::{Context, complete};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history;
use crate::history::reachable::{self, ReachableObject, ReachableObjects, ReadCommit, UnreadableObject};
use crate::history::walk::WalkOptions;
use crate::id::CommitId;
use crate::path::selection::PathSelection;
use crate::repo::Repository;
use crate::report::End;
use crate::report::plumbing::{Reached, Total};

/// List commits, newest first, and their objects
///
/// Lists REV and its ancestors; a range `A..B` or `^A` excludes A and its ancestors.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo rev-list --max-count 3 @
  undo rev-list v1..@ -- data
  undo rev-list --all --objects | undo cat-file --batch-check")]
pub struct Args {
    /// Commits to list, a range `A..B`, or `^A` to exclude
    #[arg(value_name = "REV", add = complete::with(complete::revisions))]
    revisions: Vec<String>,
    /// List only commits that change these paths
    #[arg(last = true, value_name = "PATH", add = complete::with(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    /// List the whole history, on a branch or not
    #[arg(long)]
    all: bool,
    /// After each commit, list its objects that were not listed before
    #[arg(long)]
    objects: bool,
    /// List at most N commits
    #[arg(short = 'n', long, value_name = "N")]
    max_count: Option<usize>,
    /// List commits newer than TIME
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    since: Option<String>,
    /// List commits older than TIME
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    until: Option<String>,
    /// List the oldest commit first
    #[arg(long)]
    reverse: bool,
    /// Print only the number of lines
    #[arg(long)]
    count: bool,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let (mut count, mut exit) = (0, Exit::SUCCESS);
    for found in args.objects(context, &repository)? {
        match found {
            Ok(object) if !args.count => context.ui.show(&Reached::from(&object))?,
            Ok(_) => {}
            Err(UnreadableObject { object, error }) if error.kind() == ErrorKind::Damaged => {
                let place = object.and_then(|object| object.path).filter(|path| !path.is_root());
                let place = place.map(|path| format!("`{}`: ", path.display())).unwrap_or_default();
                context.ui.warning(format_args!("skipped: {place}{error}"));
                exit = ErrorKind::Damaged.exit();
                continue;
            }
            Err(lost) => return Err(lost.error),
        }
        count += 1;
    }
    if args.count {
        context.ui.show(&Total { count })?
    } else {
        context.ui.show(&End { count })?
    }
    Ok(exit)
}

impl Args {
    /// The objects to list.
    fn objects<'r>(
        &self,
        context: &Context<'_>,
        repository: &'r Repository,
    ) -> Result<Box<dyn Iterator<Item = Result<ReachableObject, UnreadableObject>> + 'r>> {
        let options = self.options(context, repository)?;
        if options.from.is_empty() {
            // For the walk, an empty list means all commits.
            return Ok(Box::new(std::iter::empty()));
        }
        let exclude = options.exclude.clone();
        let commits = reachable::walked(repository, options)?;
        let commits: Box<dyn Iterator<Item = ReadCommit>> =
            if self.reverse { Box::new(reversed(repository, commits)) } else { Box::new(commits) };
        if !self.objects {
            return Ok(Box::new(commits.map(|given| given.map(|(id, _)| ReachableObject::commit(id)))));
        }
        let reach = ReachableObjects::new(repository.store(), commits);
        if exclude.is_empty() {
            return Ok(Box::new(reach));
        }
        let without = WalkOptions { from: exclude, ..WalkOptions::default() };
        Ok(Box::new(reach.without(reachable::walked(repository, without)?)))
    }

    fn options(&self, context: &Context<'_>, repository: &Repository) -> Result<WalkOptions> {
        if self.revisions.is_empty() && !self.all {
            return Err(Error::new(ErrorKind::Usage, "no commit given").hint("undo rev-list @, or --all"));
        }
        let mut options = WalkOptions { limit: self.max_count, ..WalkOptions::default() };
        if self.all {
            options.from.extend(repository.view().starting_points());
        }
        for text in &self.revisions {
            let commit = |text: &str| context.commit(repository, text, "undo rev-list @ --");
            let range = history::resolve_range(repository, text)?;
            match text.strip_prefix('^') {
                Some(text) => options.exclude.push(commit(text)?),
                None => options.add(range, || commit(text))?,
            }
        }
        options.paths = PathSelection::of_paths(context.paths(repository, &self.paths)?);
        (options.since, options.until) = context.period(&self.since, &self.until)?;
        Ok(options)
    }
}

/// Reverses the commits. Keeps only their ids in memory.
fn reversed<'r>(
    repository: &'r Repository,
    commits: impl Iterator<Item = ReadCommit>,
) -> impl Iterator<Item = ReadCommit> + 'r {
    let mut ids: Vec<Result<CommitId, UnreadableObject>> = commits.map(|given| given.map(|(id, _)| id)).collect();
    ids.reverse();
    ids.into_iter().flat_map(|id| {
        let read = |id| reachable::read(repository.store(), [id]).next();
        id.map_or_else(|lost| Some(Err(lost)), read)
    })
}
