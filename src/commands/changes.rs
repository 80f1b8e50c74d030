//! Shows changes, for `diff`, `log`, `show` and `status`.

use crate::commands::Context;
use crate::commands::context::Remedies;
use crate::commands::format::Style;
use crate::diff::{Change, ChangeCounts, Status, rename};
use crate::error::Result;
use crate::report::changes::{StatRecord, Tally};
use crate::terminal::Ui;
use crate::terminal::text::{ChangeLine, Fold, Listing, Patch, StatTable};
use crate::workspace::Differences;

/// Shows all changes between two states and the summary.
pub fn show(context: &Context<'_>, differences: &Differences<'_>, style: Style) -> Result<Tally> {
    let waiting = match style {
        Style::List(_) => None,
        Style::Patch(_) | Style::Stat => Some(Vec::new()),
    };
    let (fold, stats) = (Fold::default(), Vec::new());
    let mut shown = Shown { ui: context.ui, differences, style, fold, waiting, stats };
    let counts = differences.for_each(&mut |change| shown.take(change))?;
    shown.finish(counts)
}

/// Like [`show`], and reports alarms.
pub fn show_watched(context: &Context<'_>, differences: &Differences<'_>) -> Result<Tally> {
    let (fold, style) = (Fold::default(), Style::List(Listing::Words));
    let mut shown = Shown { ui: context.ui, differences, style, fold, waiting: None, stats: Vec::new() };
    let (counts, findings) = differences.for_each_watched(&mut |change| shown.take(change))?;
    context.report_alongside(&findings, &Remedies::OF_CHANGES, || shown.finish(counts))
}

/// Maximum number of changes kept in memory to find renames.
const MOST_FOR_RENAMES: usize = 100_000;

/// Shows changes one by one.
struct Shown<'a> {
    ui: &'a Ui,
    differences: &'a Differences<'a>,
    style: Style,
    fold: Fold,
    /// Changes held back until renames have been found.
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
            // The line of an ignored directory covers the entries below it.
            _ if !json && change.status == Status::Ignored && self.fold.place(change).is_none() => Ok(()),
            Style::Patch(_) if json => ui.show(&ChangeLine { change, listing: Listing::Words, folded: 0 }),
            // The change at the new name shows the rename.
            _ if !json && change.status == Status::Deleted && change.renamed.is_some() => Ok(()),
            Style::Patch(context) => {
                let (attributes, body) =
                    (self.differences.attributes(change)?, self.differences.body(change, context)?);
                ui.print(&Patch { change, attributes, body })
            }
            Style::Stat => {
                let record = StatRecord::new(change, &self.differences.body(change, 0)?);
                if json {
                    return ui.show(&record);
                }
                self.stats.push(record);
                Ok(())
            }
        }
    }

    /// Lists a change. For people, an added or deleted directory stands for all entries below it.
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
