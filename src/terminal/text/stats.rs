//! Statistics as text, and growth as a chart.

use std::io;

use crate::number::plural;
use crate::report::stats::{CommitCostRecord, GrowthChart, PathCostRecord, PeriodRecord, StatsRecord};
#[cfg(feature = "targets")]
use crate::report::targets::{PartRecord, TargetStatsRecord};
use crate::terminal::human::{Count, Size};
use crate::terminal::page::is_unicode_locale;
use crate::terminal::table::Table;
use crate::terminal::{Page, Print, Role, sanitize};
use crate::workspace::{DiskUsage, Garbage, Period, Stats, UnneededTotals};

impl Print for StatsRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let Stats { disk, commits, garbage, .. } = &self.stats;
        let repository = page.paint(Role::Path, sanitize::text(&self.repository));
        page.line(format_args!("{} on disk: {repository}", Size(disk.total.allocated)))?;
        let mut table = Table::default();
        for (name, bytes, note) in parts(disk, &self.stats, page) {
            if bytes > 0 {
                table.row([format!("  {name}"), Size(bytes).to_string(), note]);
            }
        }
        print_trimmed(&table, page)?;
        page.line(match commits.automatic {
            0 => plural(commits.kept, "commit"),
            automatic => format!("{}, {} automatic", plural(commits.kept, "commit"), Count(automatic)),
        })?;
        if self.stats.stored > 0 {
            page.line(self.stats.describe_content())?;
        }
        print_garbage(garbage, page)
    }
}

/// The parts of a repository: name, allocated bytes, and a note.
fn parts(disk: &DiskUsage, stats: &Stats, page: &Page<'_>) -> [(&'static str, u64, String); 9] {
    let objects = format!("{}, {}", plural(stats.packs, "pack"), plural(stats.objects, "object"));
    let UnneededTotals { files, until, .. } = stats.garbage.unneeded;
    let until = until.map_or_else(String::new, |time| match page.is_future(time) {
        true => format!(", deleted after {}", page.local_date(time)),
        false => ", deleted by the next command that writes".to_owned(),
    });
    let unneeded = match disk.packs_with_commits {
        0 => format!("{}{until}", plural(files, "file")),
        packs => format!(
            "{}, {} of them with commits that the journal does not name (to restore them: undo repair){until}",
            plural(files, "file"),
            Count(packs)
        ),
    };
    let note = |text: &str| text.to_owned();
    [
        ("packs", disk.packs.allocated, objects),
        ("catalog", disk.catalog.allocated, String::new()),
        ("index", disk.index.allocated, String::new()),
        ("journal", disk.journal.allocated, String::new()),
        ("masks", disk.masks.allocated, String::new()),
        ("reserve", disk.reserve.allocated, note("released when the disk is full")),
        ("staged", disk.staged.allocated, note("files under construction")),
        ("unneeded", disk.unneeded.allocated, unneeded),
        ("other", disk.other.allocated, note("folders, settings, locks")),
    ]
}

impl Stats {
    /// The sizes of content and objects, and their ratios.
    fn describe_content(&self) -> String {
        format!(
            "{} in all commits, {} without repetitions{}; {} compressed to {}{}",
            Size(self.content_of_commits),
            Size(self.content),
            describe_ratio(self.deduplication),
            Size(self.raw),
            Size(self.stored),
            describe_ratio(self.compression)
        )
    }
}

/// A ratio in parentheses. Nothing for one of tiny contents, which objects outweigh, or of contents that are all holes.
fn describe_ratio(ratio: Option<f64>) -> String {
    let plausible = ratio.filter(|ratio| (1.0..=1000.0).contains(ratio));
    plausible.map(|ratio| format!(" ({ratio:.1} : 1)")).unwrap_or_default()
}

fn print_garbage(garbage: &Garbage, page: &mut Page<'_>) -> io::Result<()> {
    let Garbage { hidden, forgotten, purged, .. } = garbage;
    if hidden.objects > 0 {
        let (count, size) = (plural(hidden.objects, "removed object"), Size(hidden.bytes));
        page.line(format_args!("{count} still in packs, {size}: freed by undo gc"))?;
    }
    if hidden.purged_packs > 0 {
        let (packs, size) = (plural(hidden.purged_packs, "pack"), Size(hidden.purged_bytes));
        page.line(format_args!("purged content is still on disk in {packs}, {size}: destroyed by undo gc"))?;
    }
    let from = |first| page.date(first);
    let forgotten_line = forgotten.first.map(|first| {
        format!("{}: removed by undo gc from {} on", plural(forgotten.count, "forgotten commit"), from(first))
    });
    let purged_line = purged.first.map(|first| {
        let (count, size) = (plural(purged.count, "purged content"), Size(purged.bytes));
        format!("{count}, {size}: destroyed by undo gc from {} on", from(first))
    });
    [forgotten_line, purged_line].into_iter().flatten().try_for_each(|line| page.line(line))
}

#[cfg(feature = "targets")]
impl Print for TargetStatsRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let name = page.paint(Role::Branch, sanitize::line(&self.target));
        page.line(format_args!("{} in {name}: {}", Size(self.total), sanitize::text(&self.url)))?;
        let count = |part: &PartRecord, word| plural(part.files, word);
        let files = plural(self.condemned.files, "file");
        let parts = [
            ("content", self.data, count(&self.data, "pack")),
            ("metadata", self.meta, format!("{}, {}", count(&self.meta, "pack"), plural(self.objects, "object"))),
            ("indexes", self.indexes, count(&self.indexes, "file")),
            ("log", self.log, count(&self.log, "entry")),
            ("folds", self.folds, count(&self.folds, "file")),
            ("keys", self.keys, count(&self.keys, "file")),
            ("condemned", self.condemned, format!("{files}, deleted by undo gc --target {}", self.target)),
            ("unnamed", self.unnamed, "left by interrupted pushes, or part of a running one".to_owned()),
        ];
        let mut table = Table::default();
        for (name, part, note) in parts.into_iter().filter(|(_, part, _)| part.bytes > 0) {
            table.row([format!("  {name}"), Size(part.bytes).to_string(), note]);
        }
        print_trimmed(&table, page)?;
        let (commits, directories) = (plural(self.commits, "commit"), plural(self.directories, "directory"));
        page.line(format_args!("{commits} of {directories}; what nothing needs: undo gc --target {} -n", self.target))
    }
}

impl Print for CommitCostRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (id, date) = (page.short(Some(self.id)), page.date(self.time));
        let (own, shared) = (Size(self.own), Size(self.shared));
        let subject = sanitize::line(self.message.lines().next().unwrap_or_default());
        page.text(format!("{id}  {date}  {own:>9} own  {shared:>9} shared"))?;
        if !subject.is_empty() {
            page.text(format!("  {subject}"))?;
        }
        if self.automatic {
            page.text(format!("  {}", page.paint(Role::Dim, "(automatic)")))?;
        }
        page.line("")
    }
}

impl Print for PathCostRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (alone, shared) = (Size(self.alone), Size(self.shared));
        page.line(format_args!("{alone:>9} alone  {shared:>9} shared  {}", page.path(&self.path)))
    }
}

/// Number of columns of the longest bar.
const LONGEST_BAR: usize = 40;

/// Blocks of one to eight eighths of a column.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

impl Print for GrowthChart {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let most = self.0.periods.iter().map(|period| period.bytes).max().unwrap_or(0);
        let is_unicode = is_unicode_locale();
        let mut table = Table::default();
        for period in &self.0.periods {
            let date = page.local_date(period.start);
            let date = date.get(..if self.0.period == Period::Month { 7 } else { 10 }).unwrap_or(&date);
            let (size, commits) = (Size(period.bytes).to_string(), plural(period.commits, "commit"));
            table.row([date.to_owned(), size, commits, bar(period.bytes, most, is_unicode)]);
        }
        print_trimmed(&table, page)
    }
}

/// Prints a table whose last column has empty cells.
fn print_trimmed(table: &Table, page: &mut Page<'_>) -> io::Result<()> {
    table.lines().iter().try_for_each(|line| page.line(line.trim_end()))
}

/// In JSON only; the text is [`GrowthChart`].
impl Print for PeriodRecord {}

/// A bar whose length is the share of `bytes` in `most`. A bar of any byte is visible.
fn bar(bytes: u64, most: u64, is_unicode: bool) -> String {
    if bytes == 0 {
        return String::new();
    }
    let share = bytes as f64 / most.max(1) as f64;
    if !is_unicode {
        return "#".repeat(((share * LONGEST_BAR as f64).round() as usize).max(1));
    }
    let eighths = ((share * LONGEST_BAR as f64 * 8.0).round() as usize).max(1);
    let last = (eighths % 8).checked_sub(1).map(|n| EIGHTHS[n]);
    let full = std::iter::repeat_n('█', eighths / 8);
    full.chain(last).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plausible_ratios_are_shown() {
        let shown = [0.1, 0.99, 1.0, 2.34, 1000.0, 43_500_030.0].map(|ratio| describe_ratio(Some(ratio)));
        assert_eq!(shown, ["", "", " (1.0 : 1)", " (2.3 : 1)", " (1000.0 : 1)", ""]);
        assert_eq!(describe_ratio(None), "");
    }

    #[test]
    fn bars_are_proportional_and_never_empty() {
        assert_eq!(bar(0, 100, true), "");
        assert_eq!(bar(1, 1_000_000, true), "▏");
        assert_eq!(bar(1, 1_000_000, false), "#");
        assert_eq!(bar(100, 100, true), "█".repeat(40));
        assert_eq!(bar(50, 100, false), "#".repeat(20));
        assert_eq!(bar(9, 320, true), "█▏");
    }
}
