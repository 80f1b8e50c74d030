//! Changes between two trees as programs read them: a record each, as `git diff-tree` writes it.

use std::io;

use serde::Serialize;

use crate::diff::Change;
use crate::object::Entry;
use crate::path::RepoPathBuf;
use crate::report::Report;
use crate::report::changes::{ChangeRecord, Listing};
use crate::terminal::Page;

/// What stands in a record. JSON is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Modes, objects, status, path.
    All,
    /// Status, path.
    Status,
    /// Path.
    Path,
}

/// One path that differs.
#[derive(Serialize)]
pub struct TreeChange {
    #[serde(flatten)]
    change: ChangeRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    /// Blob or tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip)]
    head: Option<String>,
    #[serde(skip)]
    path: RepoPathBuf,
}

impl TreeChange {
    /// A change with these columns.
    pub fn new(change: &Change, columns: Columns) -> TreeChange {
        let (old, new, letter) = (change.old.as_ref(), change.new.as_ref(), change.status.letter());
        let mode = |entry: Option<&Entry>| entry.map(|entry| format!("{:04o}", entry.metadata.mode));
        let head = match columns {
            Columns::All => {
                Some(format!(":{:06o} {:06o} {} {} {letter}", bits(old), bits(new), object(old), object(new)))
            }
            Columns::Status => Some(letter.to_string()),
            Columns::Path => None,
        };
        TreeChange {
            change: ChangeRecord::new(change, Listing::NameOnly, 0),
            old_mode: mode(old),
            mode: mode(new),
            old_id: old.and_then(id),
            id: new.and_then(id),
            head,
            path: change.path.clone(),
        }
    }
}

/// `st_mode`; 0 for what is not there.
fn bits(entry: Option<&Entry>) -> u32 {
    entry.map_or(0, Entry::full_mode)
}

/// As in entry lines; zeros for what is not there.
fn object(entry: Option<&Entry>) -> String {
    entry.map_or_else(|| "0".repeat(64), Entry::object_name)
}

fn id(entry: &Entry) -> Option<String> {
    entry.blob().map(|blob| blob.to_string()).or(entry.tree().map(|tree| tree.to_string()))
}

impl Report for TreeChange {
    const TYPE: &'static str = "change";

    /// With `-z` as git: NUL stands behind the path, and also between status and path.
    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        // The root: an empty name would be taken for none.
        let path = if self.path.is_root() { b"." } else { self.path.as_bytes() };
        match &self.head {
            Some(head) if page.is_raw() => {
                page.raw(head.as_bytes())?;
                page.raw(path)
            }
            Some(head) => page.entry(head, &[path]),
            None => {
                page.name(path)?;
                page.entry("", &[])
            }
        }
    }
}
