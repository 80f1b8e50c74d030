//! The log: each commit beside its row of the graph.

use std::io;
use std::rc::Rc;

use serde::Serialize;

use crate::history::folding::Folded;
use crate::history::graph::{GraphRow, Style};
use crate::number::plural;
use crate::report::commits::{CommitRecord, FoldedRecord};
use crate::terminal::page::is_unicode_locale;
use crate::terminal::text::{LogFormat, commits};
use crate::terminal::{Page, Print, Role};

/// A commit in the log.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct LogEntry {
    /// The commit.
    pub record: CommitRecord,
    /// Its row of the graph, if there is a graph.
    #[serde(skip)]
    pub row: Option<GraphRow>,
    /// Whether to show one line only.
    #[serde(skip)]
    pub oneline: bool,
    /// A format that replaces the usual text.
    #[serde(skip)]
    pub format: Option<Rc<LogFormat>>,
    /// Whether an empty line goes first, because the changes of another commit stand above.
    #[serde(skip)]
    pub gap: bool,
    /// Characters of the mark for forgotten commits.
    #[serde(skip)]
    pub drawing: Style,
}

/// Automatic commits that the log leaves out.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct FoldedEntry {
    record: FoldedRecord,
    /// The columns of the graph to the left.
    #[serde(skip)]
    prefix: String,
    #[serde(skip)]
    oneline: bool,
    #[serde(skip)]
    drawing: Style,
}

impl FoldedEntry {
    /// The line between two commits, or at an end of the log.
    pub fn new(folded: Folded, prefix: String, oneline: bool, drawing: Style) -> FoldedEntry {
        let Folded { count, newest, oldest, since, until } = folded;
        FoldedEntry { record: FoldedRecord { count, newest, oldest, since, until }, prefix, oneline, drawing }
    }
}

impl Print for FoldedEntry {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let mark = if self.drawing == Style::Unicode { "⋮" } else { "..." };
        let words =
            page.paint(Role::Dim, format!("{mark} {}", plural(self.record.count, "automatic commit"))).to_string();
        page.line(format!("{}{words}", self.prefix))?;
        if self.oneline { Ok(()) } else { page.line(self.prefix.trim_end()) }
    }
}

/// Box-drawing characters in a UTF-8 locale, else ASCII.
pub fn graph_style() -> Style {
    if is_unicode_locale() { Style::Unicode } else { Style::Ascii }
}

impl Print for LogEntry {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.gap {
            page.line("")?;
        }
        let record = &self.record;
        if let Some(format) = &self.format {
            return format.print(record, page);
        }
        let mut lines =
            if self.oneline { vec![commits::oneline(record, page)] } else { commits::log_lines(record, page) };
        if record.forgotten > 0 {
            lines.extend((!self.oneline).then(String::new));
            let mark = if self.drawing == Style::Unicode { "⋮" } else { "..." };
            let words = format!("{mark} {} forgotten", plural(record.forgotten, "commit"));
            lines.push(page.paint(Role::Dim, words).to_string());
        }
        let Some(row) = &self.row else {
            let mark = if record.current { "@ " } else { "* " };
            for (n, line) in lines.iter().enumerate() {
                page.line(format!("{}{line}", if n == 0 { mark } else { "  " }).trim_end())?;
            }
            return if self.oneline { Ok(()) } else { page.line("") };
        };
        let blank = usize::from(!self.oneline);
        for n in 0..row.min_lines().max(lines.len() + blank) {
            let line = format!("{}{}", row.prefix(n), lines.get(n).map_or("", String::as_str));
            page.line(line.trim_end())?;
        }
        Ok(())
    }
}
