//! How changes are shown: what `diff`, `log` and `show` share.

use crate::commands::Context;
use crate::commands::contents::{self, Contents};
use crate::commands::sides::{self, Side};
use crate::diff::{self, Change, Status, rename};
use crate::error::Result;
use crate::object::{Attributes, Entry, Objects};
use crate::path::RepoPath;
use crate::repo::Repository;
use crate::ui::changes::{ChangeRecord, Fold, Listing, Tally};
use crate::ui::patch::{Body, Patch, StatRecord, StatTable};
use crate::worktree::{Overlay, Worktree};

/// How changes are shown; the same in `diff`, `log` and `show`.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Format {
    /// All that differs inside each path
    #[arg(short, long)]
    patch: bool,
    /// How much has changed in each path
    #[arg(long, conflicts_with = "patch")]
    stat: bool,
    /// Only the paths
    #[arg(long, conflicts_with_all = ["patch", "stat"])]
    name_only: bool,
    /// Only the paths and A, M, D, T or m
    #[arg(long, conflicts_with_all = ["patch", "stat", "name_only"])]
    name_status: bool,
    /// Lines of context
    #[arg(short = 'U', long = "unified", value_name = "N", default_value_t = 3, hide_default_value = true)]
    pub context: usize,
}

/// One way to show changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// All that differs, with so many lines of context.
    Patch(usize),
    /// How much.
    Stat,
    /// A line each.
    List(Listing),
}

impl Format {
    /// What was asked for, if anything was.
    pub fn style(&self) -> Option<Style> {
        match self {
            Format { patch: true, context, .. } => Some(Style::Patch(*context)),
            Format { stat: true, .. } => Some(Style::Stat),
            Format { name_only: true, .. } => Some(Style::List(Listing::NameOnly)),
            Format { name_status: true, .. } => Some(Style::List(Listing::NameStatus)),
            _ => None,
        }
    }
}

/// Shows all changes between two sides and the summary. The worktree is needed where one side is live.
pub fn show(
    context: &Context<'_>,
    repository: &Repository,
    worktree: Option<&Worktree>,
    sides: (&Side, &Side),
    options: &diff::Options,
    style: Style,
) -> Result<Tally> {
    let contents = Contents { store: repository.store(), worktree };
    let waiting = match style {
        Style::List(_) => None,
        Style::Patch(_) | Style::Stat => Some(Vec::new()),
    };
    let (tally, fold, stats) = (Tally::new(), Fold::default(), Vec::new());
    let mut shown = Shown { context, repository, contents, sides, style, tally, fold, waiting, stats };
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
    style: Style,
    tally: Tally,
    fold: Fold,
    /// Kept until it is known what was renamed.
    waiting: Option<Vec<Change>>,
    stats: Vec<StatRecord>,
}

impl Shown<'_> {
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
        let ui = self.context.ui;
        let json = ui.options().json;
        match self.style {
            Style::List(listing) => self.list(change, listing),
            Style::Patch(_) if json => ui.show(&ChangeRecord::new(change, Listing::Words, 0)),
            // The new name tells it all.
            _ if !json && change.status == Status::Deleted && change.renamed.is_some() => Ok(()),
            Style::Patch(context) => {
                ui.show(&Patch::new(change, self.attributes(change)?, self.body(change, context)?))
            }
            Style::Stat => {
                let record = ChangeRecord::new(change, Listing::Words, 0);
                let record = StatRecord::new(change, record, &self.body(change, 0)?);
                if json {
                    return ui.show(&record);
                }
                self.stats.push(record);
                Ok(())
            }
        }
    }

    /// For people who want words, a directory that is new stands for all that is in it.
    fn list(&mut self, change: &Change, listing: Listing) -> Result<()> {
        let options = self.context.ui.options();
        let is_folded = listing == Listing::Words && !options.json && !options.nul && !options.verbose;
        match if is_folded { self.fold.place(change) } else { Some(0) } {
            Some(folded) => self.context.ui.show(&ChangeRecord::new(change, listing, folded)),
            None => Ok(()),
        }
    }

    fn body(&self, change: &Change, context: usize) -> Result<Body> {
        let is_content = change.what.content || matches!(change.status, Status::Added | Status::Deleted);
        if !is_content || change.renamed.is_some() {
            return Ok(Body::Nothing);
        }
        let path: &RepoPath = &change.path;
        contents::compare(self.contents, path, (change.old.as_ref(), change.new.as_ref()), context)
    }

    fn attributes(&self, change: &Change) -> Result<(Option<Attributes>, Option<Attributes>)> {
        if !change.what.attributes {
            return Ok((None, None));
        }
        let store = self.repository.store();
        let id = |entry: &Option<Entry>| entry.as_ref().and_then(|entry| entry.attributes);
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
        match self.style {
            Style::Stat => ui.show(&StatTable { records: &self.stats, tally: self.tally })?,
            Style::List(Listing::Words) => ui.show(&self.tally)?,
            _ if ui.options().json => ui.show(&self.tally)?,
            _ => {}
        }
        Ok(self.tally)
    }
}
