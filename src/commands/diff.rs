//! `undo diff`: what differs between two states.

use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;

use crate::commands::contents::{self, Contents};
use crate::commands::sides::{self, Side};
use crate::commands::{Context, complete};
use crate::diff::{self, Change, Status, rename};
use crate::error::{Exit, Result};
use crate::object::Objects;
use crate::path::RepoPath;
use crate::repo::Repository;
use crate::ui::changes::{ChangeRecord, Listing, Tally};
use crate::ui::patch::{Body, Patch, StatRecord, StatTable};
use crate::worktree::{Overlay, Worktree};

/// Show what differs between two commits, or between a commit and the directory
///
/// Without a revision: from the current commit to the directory as it is now. With one: from that commit to the directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo diff                       what has changed
  undo diff @~3 -- data           one directory, since three commits ago
  undo diff v1 v2 --stat          or v1..v2
  undo diff --exit-code && echo clean")]
pub struct Args {
    /// One commit, two, or `A..B`
    #[arg(value_name = "REV", num_args = 0..=2, add = ArgValueCompleter::new(complete::revisions))]
    revisions: Vec<String>,
    /// Only these paths
    #[arg(last = true, value_name = "PATH", add = ArgValueCompleter::new(complete::recorded_paths))]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    format: Format,
    /// End with 1 if there are changes
    #[arg(long)]
    exit_code: bool,
    /// Show changed modification times too
    #[arg(long)]
    metadata: bool,
}

/// How changes are shown; the same in `log` and `show`.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Format {
    /// How much has changed in each path
    #[arg(long)]
    pub stat: bool,
    /// Only the paths
    #[arg(long, conflicts_with = "stat")]
    pub name_only: bool,
    /// Only the paths and A, M, D, T or m
    #[arg(long, conflicts_with_all = ["stat", "name_only"])]
    pub name_status: bool,
    /// Lines of context
    #[arg(short = 'U', long = "unified", value_name = "N", default_value_t = 3, hide_default_value = true)]
    pub context: usize,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let paths = context.paths(&repository, &args.paths)?;
    let revisions: Vec<&str> = match args.revisions.as_slice() {
        [range] => range.split("..").collect(),
        list => list.iter().map(String::as_str).collect(),
    };
    let resolve = |text: &str| {
        let text = if text.is_empty() { "@" } else { text };
        context.commit(&repository, text, "undo diff --")
    };
    let old = match revisions.first() {
        Some(text) => Some(resolve(text)?),
        None => repository.view().at(),
    };
    let old = Side::commit(&repository, old)?;
    let worktree = context.worktree(&repository)?;
    let new = match revisions.get(1) {
        Some(text) => Side::commit(&repository, Some(resolve(text)?))?,
        None => Side::live(context.ui, &repository, &worktree, &paths)?,
    };
    context.ui.page_long_output();
    let options = diff::Options { mtimes: args.metadata, paths };
    let tally = show(context, &repository, &worktree, (&old, &new), &options, args.format)?;
    if let Side::Live(scan) = &new {
        context.tell_uncovered(&scan.uncovered, &scan.torn);
    }
    Ok(if args.exit_code && !tally.clean { Exit::NO } else { Exit::DONE })
}

/// Shows all changes between two sides and the summary.
pub fn show(
    context: &Context<'_>,
    repository: &Repository,
    worktree: &Worktree,
    sides: (&Side, &Side),
    options: &diff::Options,
    format: Format,
) -> Result<Tally> {
    let mut shown = Shown::new(context, repository, worktree, sides, format);
    sides::compare(repository, sides, options, &mut |change| shown.take(change))?;
    shown.finish()
}

/// Up to so many changes are kept in memory to find the renames among them.
const MOST_FOR_RENAMES: usize = 100_000;

/// Changes on their way to the user.
struct Shown<'a> {
    context: &'a Context<'a>,
    repository: &'a Repository,
    contents: Contents<'a>,
    sides: (&'a Side, &'a Side),
    format: Format,
    tally: Tally,
    /// Kept until it is known what was renamed.
    waiting: Option<Vec<Change>>,
    stats: Vec<StatRecord>,
}

impl<'a> Shown<'a> {
    fn new(
        context: &'a Context<'a>,
        repository: &'a Repository,
        worktree: &'a Worktree,
        sides: (&'a Side, &'a Side),
        format: Format,
    ) -> Shown<'a> {
        let live = matches!(sides.1, Side::Live(_)).then_some(worktree);
        let contents = Contents { store: repository.store(), worktree: live };
        let waiting = (!format.name_only && !format.name_status).then(Vec::new);
        Shown { context, repository, contents, sides, format, tally: Tally::new(), waiting, stats: Vec::new() }
    }

    fn take(&mut self, change: Change) -> Result<()> {
        self.tally.count(change.status);
        let Some(waiting) = &mut self.waiting else { return self.show(&change) };
        waiting.push(change);
        if waiting.len() > MOST_FOR_RENAMES {
            return self.release();
        }
        Ok(())
    }

    fn release(&mut self) -> Result<()> {
        let mut changes = self.waiting.take().unwrap_or_default();
        rename::detect(&mut changes);
        changes.iter().try_for_each(|change| self.show(change))
    }

    fn show(&mut self, change: &Change) -> Result<()> {
        let (ui, format) = (self.context.ui, self.format);
        if format.name_only || format.name_status {
            let listing = if format.name_only { Listing::NameOnly } else { Listing::NameStatus };
            return ui.show(&ChangeRecord::new(change, listing, 0));
        }
        if ui.options().json && !format.stat {
            return ui.show(&ChangeRecord::new(change, Listing::Words, 0));
        }
        // The new name tells it all.
        if change.status == Status::Deleted && change.renamed.is_some() && !ui.options().json {
            return Ok(());
        }
        let body = self.body(change)?;
        if !format.stat {
            return ui.show(&Patch::new(change, self.attributes(change)?, body));
        }
        let record = StatRecord::new(change, ChangeRecord::new(change, Listing::Words, 0), &body);
        if ui.options().json {
            return ui.show(&record);
        }
        self.stats.push(record);
        Ok(())
    }

    fn body(&self, change: &Change) -> Result<Body> {
        let is_content = change.what.content || matches!(change.status, Status::Added | Status::Deleted);
        if !is_content || change.renamed.is_some() {
            return Ok(Body::Nothing);
        }
        let context = if self.format.stat { 0 } else { self.format.context };
        let path: &RepoPath = &change.path;
        contents::compare(self.contents, path, (change.old.as_ref(), change.new.as_ref()), context)
    }

    fn attributes(
        &self,
        change: &Change,
    ) -> Result<(Option<crate::object::Attributes>, Option<crate::object::Attributes>)> {
        if !change.what.attributes {
            return Ok((None, None));
        }
        let store = self.repository.store();
        let id = |entry: &Option<crate::object::Entry>| entry.as_ref().and_then(|entry| entry.attributes);
        let old = id(&change.old).map(|id| store.attributes(id)).transpose()?;
        let new = match self.sides.1 {
            Side::Live(scan) => {
                let objects = Overlay { below: store, objects: &scan.objects };
                id(&change.new).map(|id| objects.attributes(id)).transpose()?
            }
            _ => id(&change.new).map(|id| store.attributes(id)).transpose()?,
        };
        Ok((old, new))
    }

    fn finish(mut self) -> Result<Tally> {
        self.release()?;
        let ui = self.context.ui;
        if self.format.stat {
            ui.show(&StatTable { records: &self.stats, tally: self.tally })?;
        } else if ui.options().json {
            ui.show(&self.tally)?;
        }
        Ok(self.tally)
    }
}
