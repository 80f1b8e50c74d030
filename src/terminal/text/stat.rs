//! How much of each path changed: the table of `--stat`, and `--numstat` and `--shortstat`.

use std::io;

use crate::report::changes::{StatRecord, Tally};
use crate::terminal::human::{Count, Size};
use crate::terminal::table::{Table, shorten, width};
use crate::terminal::text::changes::describe;
use crate::terminal::{Page, Print, Role};

/// The longest bar.
const LONGEST_BAR: usize = 40;

/// The shortest bar and the shortest path that a narrow terminal gets.
const MIN_COLUMNS: usize = 10;

/// Columns of the spaces before and between the cells.
const GAPS: usize = 5;

/// The table of `--stat`, and the summary below it.
pub struct StatTable<'a> {
    /// One for each line.
    pub records: &'a [StatRecord],
    /// The summary.
    pub tally: Tally,
}

impl Print for StatTable<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let rows: Vec<_> = self.records.iter().map(|record| (name(record, page), amount(record))).collect();
        let most = self.records.iter().map(StatRecord::lines).max().unwrap_or(0);
        let has_bar = |record: &StatRecord| record.lines() > 0;
        let with_bar = || self.records.iter().zip(&rows).filter(|(record, _)| has_bar(record)).map(|(_, row)| row);
        let names = with_bar().map(|(name, _)| width(name)).max().unwrap_or(0);
        let amounts = with_bar().map(|(_, amount)| width(amount)).max().unwrap_or(0);
        let rest = page.columns().saturating_sub(amounts + GAPS);
        let bars = most.min(LONGEST_BAR).min(rest.saturating_sub(names).max(MIN_COLUMNS));
        // The longest amount without a bar must fit, too.
        let others = rows.iter().map(|(_, amount)| page.columns().saturating_sub(width(amount) + GAPS)).min();
        let names = others.unwrap_or(0).min(rest.saturating_sub(bars)).max(MIN_COLUMNS);
        let mut table = Table::default();
        for (record, (name, amount)) in self.records.iter().zip(&rows) {
            let scaled = |lines: Option<usize>| (lines.unwrap_or(0) * bars).div_ceil(most.max(1));
            let bar: String = [(Role::Added, "+", record.lines_added), (Role::Removed, "-", record.lines_removed)]
                .into_iter()
                .map(|(role, sign, lines)| page.paint(role, sign.repeat(scaled(lines))).to_string())
                .collect();
            let name = format!(" {}", shorten(name, names));
            table.row([name, amount.clone()].into_iter().chain(has_bar(record).then_some(bar)));
        }
        page.table(&table)?;
        print_summary(self.records, self.tally, page)
    }
}

/// The summary of `--stat` alone.
pub struct StatSummary<'a> {
    /// The changes that are counted.
    pub records: &'a [StatRecord],
    /// The summary.
    pub tally: Tally,
}

impl Print for StatSummary<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        print_summary(self.records, self.tally, page)
    }
}

fn print_summary(records: &[StatRecord], tally: Tally, page: &mut Page<'_>) -> io::Result<()> {
    let sum = |count: fn(&StatRecord) -> Option<usize>| records.iter().filter_map(count).sum::<usize>() as u64;
    let (added, removed) = (sum(|record| record.lines_added), sum(|record| record.lines_removed));
    let lines = match records.iter().any(|record| record.lines_added.is_some()) {
        true => format!("; lines: +{} -{}", Count(added), Count(removed)),
        false => String::new(),
    };
    page.line(format_args!("{}{lines}", describe(&tally.counts)))
}

/// A line of `--numstat`, as in git: added and removed lines, or `-` for each if the content is not text, and the path.
impl Print for StatRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let number = |lines: Option<usize>| lines.map_or_else(|| "-".to_owned(), |lines| lines.to_string());
        let is_binary = self.ranges.is_some() || self.purged;
        let [added, removed] = [self.lines_added, self.lines_removed].map(|lines| match lines {
            None if !is_binary => "0".to_owned(),
            lines => number(lines),
        });
        let path = &*self.change.path;
        match &self.change.renamed_from {
            // With `-z`, an empty name announces two names, as in git.
            Some(from) if page.is_raw() => page.records(&format!("{added}\t{removed}\t"), &[from, path]),
            Some(from) => {
                page.line(format_args!("{added}\t{removed}\t{} => {}", page.path_text(from), page.path_text(path)))
            }
            None => {
                page.text(format_args!("{added}\t{removed}\t"))?;
                page.record(None, path)
            }
        }
    }
}

/// The path, with the old one before it if the file was renamed.
fn name(record: &StatRecord, page: &Page<'_>) -> String {
    let path = page.path_text(&record.change.path);
    match &record.change.renamed_from {
        Some(from) => format!("{} → {path}", page.path_text(from)),
        None => path,
    }
}

/// How much of the content changed.
fn amount(record: &StatRecord) -> String {
    let change = &record.change;
    let status = change.status.word();
    match (record.lines_added, record.ranges) {
        (Some(_), _) => Count(record.lines() as u64).to_string(),
        (None, Some(_)) => match (change.old_size, change.size) {
            (Some(old), Some(new)) if old == new => format!("{}, {}", Size(new), difference(record)),
            (Some(old), Some(new)) => {
                let (sign, delta) = if new > old { ('+', new - old) } else { ('-', old - new) };
                format!("{} ({sign}{}), {}", Size(new), Size(delta), difference(record))
            }
            (old, new) => format!("{status}, {}", Size(old.or(new).unwrap_or(0))),
        },
        _ => status.to_owned(),
    }
}

/// `4 B differ in one place`, or `differs in more than 1,000 places`
fn difference(record: &StatRecord) -> String {
    let bytes = Size(record.bytes_changed.unwrap_or(0));
    match (record.ranges.unwrap_or(0), record.more_ranges) {
        (count, true) => format!("differs in more than {} places", Count(count as u64)),
        (1, false) => format!("{bytes} differ in one place"),
        (count, false) => format!("{bytes} differ in {} places", Count(count as u64)),
    }
}
