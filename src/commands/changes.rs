//! Shows changes, for `diff`, `log`, `show` and `status`.

use crate::commands::Context;
use crate::commands::context::Remedies;
use crate::commands::format::{PatchStyle, Style};
use crate::diff::{Change, ChangeCounts, Status};
use crate::error::Result;
use crate::report::changes::{StatRecord, Tally};
use crate::report::copies::{CopyRecord, StatusSummary};
use crate::terminal::text::{ChangeLine, EmptyLine, Fold, Listing, Patch, StatSummary, StatTable};
use crate::terminal::{Stream, Ui};
use crate::workspace::{Differences, TextOptions};

/// Shows all changes between two states and the summary.
pub fn show(context: &Context<'_>, differences: &Differences<'_>, style: Style) -> Result<Tally> {
    let mut shown = Shown::new(context.ui, differences, style);
    let counts = differences.for_each(&mut |change| shown.show(&change))?;
    let tally = shown.finish(counts)?;
    warn_about_renames(context, differences);
    Ok(tally)
}

/// Like [`show`], and reports alarms, on stderr if scripts may read the list. The copies become part of the summary.
pub fn show_watched(
    context: &Context<'_>,
    differences: &Differences<'_>,
    listing: Listing,
    copies: &[CopyRecord],
) -> Result<Tally> {
    let mut shown = Shown { copies, ..Shown::new(context.ui, differences, Style::List(listing)) };
    let (counts, findings) = differences.for_each_watched(&mut |change| shown.show(&change))?;
    let tally = if listing == Listing::Short && !context.ui.options().json {
        context.report_findings(&findings, Stream::Err)?;
        shown.finish(counts)?
    } else {
        context.report_alongside(&findings, &Remedies::OF_CHANGES, || shown.finish(counts))?
    };
    warn_about_renames(context, differences);
    Ok(tally)
}

fn warn_about_renames(context: &Context<'_>, differences: &Differences<'_>) {
    if differences.has_incomplete_renames() {
        context.ui.warning("too many files to find all renames: some may be shown as additions and deletions");
    }
}

/// Shows changes one by one.
struct Shown<'a> {
    ui: &'a Ui,
    differences: &'a Differences<'a>,
    style: Style,
    fold: Fold,
    /// Records of a table, which is shown at the end.
    stats: Vec<StatRecord>,
    /// Changes to show as patches after the table.
    patches: Vec<Change>,
    /// Copies in targets, for the summary.
    copies: &'a [CopyRecord],
}

impl<'a> Shown<'a> {
    fn new(ui: &'a Ui, differences: &'a Differences<'a>, style: Style) -> Shown<'a> {
        let (stats, patches) = (Vec::new(), Vec::new());
        Shown { ui, differences, style, fold: Fold::default(), stats, patches, copies: &[] }
    }

    fn show(&mut self, change: &Change) -> Result<()> {
        let ui = self.ui;
        let json = ui.options().json;
        match self.style {
            Style::List(listing) => self.list(change, listing),
            // The line of an ignored directory covers the entries below it.
            _ if !json && change.status == Status::Ignored && self.fold.place(change).is_none() => Ok(()),
            Style::Patch(_) if json => ui.show(&ChangeLine { change, listing: Listing::Words, folded: 0 }),
            Style::Patch(patch) => self.print_patch(change, patch),
            Style::StatAndPatch(patch) => {
                if !json {
                    self.patches.push(change.clone());
                }
                self.count_lines(change, patch.options.text)
            }
            Style::Stat(options) | Style::NumStat(options) | Style::ShortStat(options) => {
                self.count_lines(change, options)
            }
        }
    }

    fn print_patch(&self, change: &Change, PatchStyle { options, words }: PatchStyle) -> Result<()> {
        let attributes = self.differences.attributes(change)?;
        let files = self.differences.file_patches(change, options)?;
        self.ui.print(&Patch { change, attributes, files, full_ids: options.binary, words })
    }

    /// Counts the changed lines. Shows them now, or for people in a table at the end.
    fn count_lines(&mut self, change: &Change, options: TextOptions) -> Result<()> {
        let body = self.differences.body(change, TextOptions { context: 0, ..options })?;
        let record = StatRecord::new(change, &body);
        let is_summed = matches!(self.style, Style::ShortStat(_));
        let is_shown_now = matches!(self.style, Style::NumStat(_)) || self.ui.options().json && !is_summed;
        if is_shown_now {
            return self.ui.show(&record);
        }
        self.stats.push(record);
        Ok(())
    }

    /// Lists a change. For people, an added or deleted directory stands for all entries below it.
    fn list(&mut self, change: &Change, listing: Listing) -> Result<()> {
        let options = self.ui.options();
        let is_folded =
            matches!(listing, Listing::Words | Listing::Short) && !options.json && !options.nul && !options.verbose;
        match if is_folded { self.fold.place(change) } else { Some(0) } {
            Some(folded) => self.ui.show(&ChangeLine { change, listing, folded }),
            None => Ok(()),
        }
    }

    fn finish(self, counts: ChangeCounts) -> Result<Tally> {
        let (ui, tally) = (self.ui, Tally::from(counts));
        match self.style {
            Style::Stat(_) if !ui.options().json => ui.print(&StatTable { records: &self.stats, tally })?,
            Style::StatAndPatch(patch) if !ui.options().json => {
                ui.print(&StatTable { records: &self.stats, tally })?;
                ui.print(&EmptyLine)?;
                self.patches.iter().try_for_each(|change| self.print_patch(change, patch))?;
            }
            Style::ShortStat(_) if !ui.options().json => ui.print(&StatSummary { records: &self.stats, tally })?,
            Style::List(Listing::Words) => ui.show(&StatusSummary { tally, copies: self.copies })?,
            _ if ui.options().json => ui.show(&StatusSummary { tally, copies: self.copies })?,
            _ => {}
        }
        Ok(tally)
    }
}
