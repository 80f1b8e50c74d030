//! The log as it is shown: a commit beside its row of the graph.

use std::io;

use serde::Serialize;

use crate::history::graph::{GraphRow, Style};
use crate::report::Report;
use crate::report::commits::CommitRecord;
use crate::terminal::Page;

/// A commit in the log.
#[derive(Clone, Debug, Serialize)]
pub struct LogRecord {
    /// The commit.
    #[serde(flatten)]
    pub record: CommitRecord,
    /// Beside it, if there is a graph.
    #[serde(skip)]
    pub row: Option<GraphRow>,
    /// A line each.
    #[serde(skip)]
    pub oneline: bool,
    /// Something of another commit is above it.
    #[serde(skip)]
    pub gap: bool,
}

/// Box drawing where the locale can show it.
pub fn graph_style() -> Style {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let is_unicode = set.is_some_and(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"));
    if is_unicode { Style::Unicode } else { Style::Ascii }
}

impl Report for LogRecord {
    const TYPE: &'static str = "commit";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if self.gap {
            page.line("")?;
        }
        let lines = if self.oneline { vec![self.record.line(page)] } else { self.record.lines(page) };
        let Some(row) = &self.row else {
            let mark = if self.record.is_current() { "@ " } else { "* " };
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
