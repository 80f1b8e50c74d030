//! Entries of a tree as they are shown: a line each, long or short, and their totals.

use std::io;

use serde::Serialize;

use crate::object::{Content, Entry};
use crate::path::{RepoPath, RepoPathBuf};
use crate::report::{JsonPath, Report, json_id};
use crate::terminal::human::{self, Size};
use crate::terminal::{Page, sanitize};

/// An entry.
#[derive(Clone, Debug, Serialize)]
pub struct EntryRecord {
    #[serde(flatten)]
    path: JsonPath,
    kind: &'static str,
    mode: String,
    uid: u32,
    gid: u32,
    size: u64,
    mtime: String,
    /// Blob or tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<JsonPath>,
    #[serde(skip)]
    long: bool,
    #[serde(skip)]
    place: RepoPathBuf,
    #[serde(skip)]
    entry: Entry,
}

impl EntryRecord {
    /// An entry at a path; `long` tells people its metadata too.
    pub fn new(path: &RepoPath, entry: &Entry, long: bool) -> EntryRecord {
        let id = match &entry.content {
            Content::File { blob, .. } => Some(blob.to_string()),
            Content::Directory { tree, .. } => Some(tree.to_string()),
            _ => None,
        };
        let target = match &entry.content {
            Content::Symlink { target } => Some(JsonPath::from(&target[..])),
            _ => None,
        };
        EntryRecord {
            path: path.into(),
            kind: entry.kind().word(),
            mode: format!("{:04o}", entry.metadata.mode),
            uid: entry.metadata.uid,
            gid: entry.metadata.gid,
            size: entry.size(),
            mtime: entry.metadata.mtime.to_rfc3339(),
            id,
            target,
            long,
            place: path.to_owned(),
            entry: entry.clone(),
        }
    }
}

impl Report for EntryRecord {
    const TYPE: &'static str = "entry";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return page.record(None, &self.place);
        }
        let slash = if self.entry.tree().is_some() { "/" } else { "" };
        if !self.long {
            return page.line(format_args!("{}{slash}", page.path(&self.place)));
        }
        let metadata = &self.entry.metadata;
        let arrow = match &self.entry.content {
            Content::Symlink { target } => format!(" → {}", sanitize::name(target)),
            _ => String::new(),
        };
        page.line(format_args!(
            "{}  {:>5} {:>5}  {:>10}  {}  {}{slash}{arrow}",
            human::mode(self.entry.kind(), metadata.mode),
            metadata.uid,
            metadata.gid,
            Size(self.size),
            page.date(metadata.mtime),
            page.path(&self.place)
        ))
    }
}

/// An entry in JSON with all that there is to it.
#[derive(Serialize)]
pub struct FullEntry {
    #[serde(flatten)]
    record: EntryRecord,
    attributes: String,
}

impl FullEntry {
    /// An entry at a path.
    pub fn new(path: &RepoPath, entry: &Entry) -> FullEntry {
        FullEntry { record: EntryRecord::new(path, entry, false), attributes: json_id(entry.attributes) }
    }
}

/// The end of a list of entries. People see that themselves.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct EntryTotals {
    entries: u64,
    bytes: u64,
}

impl EntryTotals {
    /// Counts an entry.
    pub fn count(&mut self, entry: &Entry) {
        self.entries += 1;
        if entry.blob().is_some() {
            self.bytes += entry.size();
        }
    }
}

impl Report for EntryTotals {
    const TYPE: &'static str = "summary";

    fn human(&self, _: &mut Page<'_>) -> io::Result<()> {
        Ok(())
    }
}
