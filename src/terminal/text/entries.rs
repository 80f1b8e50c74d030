//! The lines of `ls`.

use std::io;

use serde::Serialize;

use crate::metadata::Kind;
use crate::report::entries::{EntryRecord, EntryTotals};
use crate::terminal::human::{self, Size};
use crate::terminal::{Page, Print, sanitize};

/// An entry of `ls`.
#[derive(Serialize)]
#[serde(transparent)]
pub struct ListedEntry {
    /// The entry.
    pub record: EntryRecord,
    /// Whether to show the metadata.
    #[serde(skip)]
    pub is_long: bool,
}

impl Print for ListedEntry {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let entry = &self.record.fields;
        if page.is_raw() && !self.is_long {
            return page.record(None, &entry.path);
        }
        let slash = if entry.kind == Kind::Directory { "/" } else { "" };
        if !self.is_long {
            return page.line(format_args!("{}{slash}", page.path(&entry.path)));
        }
        let metadata = format!(
            "{}  {:>5} {:>5}  {:>10}  {}",
            human::mode(entry.kind, entry.mode),
            entry.uid,
            entry.gid,
            Size(entry.size),
            page.date(entry.mtime)
        );
        if page.is_raw() {
            page.text(metadata + "  ")?;
            return page.path_record(&entry.path, b"");
        }
        let arrow = entry.target.as_ref().map(|target| format!(" → {}", sanitize::name(&target.0)));
        page.line(format_args!("{metadata}  {}{slash}{}", page.path(&entry.path), arrow.unwrap_or_default()))
    }
}

impl Print for EntryTotals {}
