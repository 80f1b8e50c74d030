//! Exports as they are shown.

use std::io;

use serde::Serialize;

use crate::report::{JsonPath, JsonReason, Report};
use crate::terminal::human::{Size, plural};
use crate::terminal::{Page, Role, sanitize};

/// What was written where.
#[derive(Clone, Debug, Serialize)]
pub struct ExportRecord {
    /// The commit.
    pub id: String,
    /// As the user wrote it.
    pub destination: String,
    /// Entries, without the root.
    pub entries: u64,
    /// Bytes of files.
    pub bytes: u64,
    /// Not exported exactly.
    pub inexact: Vec<JsonReason>,
    /// Lost by the store, and not exported.
    pub damaged: Vec<JsonReason>,
    /// Exported files that had changed while they were recorded.
    pub torn: Vec<JsonPath>,
    /// The id for people.
    #[serde(skip)]
    pub short: String,
}

impl Report for ExportRecord {
    const TYPE: &'static str = "export";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(format_args!(
            "{} → {}  {}, {}",
            page.paint(Role::Id, &self.short),
            sanitize::text(&self.destination),
            plural(self.entries, "entry"),
            Size(self.bytes)
        ))
    }
}
