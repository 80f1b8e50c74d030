//! Changes on their way to the user: what `diff`, `log`, `show` and `status` share.

use crate::commands::Context;
use crate::commands::context::Remedies;
use crate::commands::format::Style;
use crate::compare::{Comparison, Side};
use crate::diff::{self, Change, ChangeCounts, Status, rename};
use crate::error::Result;
use crate::object::Commit;
use crate::path::RepoPathBuf;
use crate::repo::Repository;
use crate::report::changes::{StatRecord, Tally};
use crate::terminal::Ui;
use crate::terminal::text::{ChangeLine, Fold, Listing, Patch, StatTable};

/// Shows all changes between two sides and the summary.
pub fn show(context: &Context<'_>, comparison: Comparison<'_>, options: &diff::Options, style: Style) -> Result<Tally> {
    let waiting = match style {
        Style::List(_) => None,
        Style::Patch(_) | Style::Stat => Some(Vec::new()),
    };
    let (fold, stats) = (Fold::default(), Vec::new());
    let mut shown = Shown { ui: context.ui, comparison, style, fold, waiting, stats };
    let counts = comparison.changes(options, &mut |change| shown.take(change))?;
    shown.finish(counts)
}

/// The same, and what the changes look like, for a live directory against the current commit.
pub fn show_watched(context: &Context<'_>, comparison: Comparison<'_>, options: &diff::Options) -> Result<Tally> {
    let (fold, style) = (Fold::default(), Style::List(Listing::Words));
    let mut shown = Shown { ui: context.ui, comparison, style, fold, waiting: None, stats: Vec::new() };
    let (counts, findings) = comparison.watched(options, &mut |change| shown.take(change))?;
    context.report_alongside(&findings, &Remedies::OF_CHANGES, || shown.finish(counts))
}

/// Shows what a commit changed: how it differs from its first parent.
pub fn show_commit(
    context: &Context<'_>,
    repository: &Repository,
    commit: &Commit,
    paths: &[RepoPathBuf],
    style: Style,
) -> Result<Tally> {
    let (old, new) =
        (Side::commit(repository, commit.parents.first().copied())?, Side::Commit(Box::new(commit.clone())));
    let options = diff::Options { paths: paths.to_vec(), ..diff::Options::default() };
    show(context, Comparison { repository, worktree: None, old: &old, new: &new }, &options, style)
}

/// Up to so many changes are kept in memory to find the renames among them.
const MOST_FOR_RENAMES: usize = 100_000;

/// Changes on their way to the user.
struct Shown<'a> {
    ui: &'a Ui,
    comparison: Comparison<'a>,
    style: Style,
    fold: Fold,
    /// Kept until it is known what was renamed.
    waiting: Option<Vec<Change>>,
    stats: Vec<StatRecord>,
}

impl Shown<'_> {
    fn take(&mut self, change: Change) -> Result<()> {
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
        let ui = self.ui;
        let json = ui.options().json;
        match self.style {
            Style::List(listing) => self.list(change, listing),
            // It stands for all that is in it, of which there is no more to say.
            _ if !json && change.status == Status::Ignored && self.fold.place(change).is_none() => Ok(()),
            Style::Patch(_) if json => ui.show(&ChangeLine { change, listing: Listing::Words, folded: 0 }),
            // The new name tells it all.
            _ if !json && change.status == Status::Deleted && change.renamed.is_some() => Ok(()),
            Style::Patch(context) => {
                let (attributes, body) = (self.comparison.attributes(change)?, self.comparison.body(change, context)?);
                ui.print(&Patch { change, attributes, body })
            }
            Style::Stat => {
                let record = StatRecord::new(change, &self.comparison.body(change, 0)?);
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
        let options = self.ui.options();
        let is_folded = listing == Listing::Words && !options.json && !options.nul && !options.verbose;
        match if is_folded { self.fold.place(change) } else { Some(0) } {
            Some(folded) => self.ui.show(&ChangeLine { change, listing, folded }),
            None => Ok(()),
        }
    }

    fn finish(mut self, counts: ChangeCounts) -> Result<Tally> {
        self.release()?;
        let (ui, tally) = (self.ui, Tally::from(counts));
        match self.style {
            Style::Stat if !ui.options().json => ui.print(&StatTable { records: &self.stats, tally })?,
            Style::List(Listing::Words) => ui.show(&tally)?,
            _ if ui.options().json => ui.show(&tally)?,
            _ => {}
        }
        Ok(tally)
    }
}
