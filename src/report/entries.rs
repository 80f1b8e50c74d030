//! Entries of a tree, and their totals.

use serde::Serialize;

use crate::id::{AttributesId, ObjectId};
use crate::metadata::Kind;
use crate::object::{Content, Entry};
use crate::path::{RepoPath, RepoPathBuf};
use crate::report::values::{PathBytes, octal};
use crate::serialize::or_empty;
use crate::time::Timestamp;

/// The fields of an entry.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct EntryFields {
    #[serde(flatten)]
    pub path: RepoPathBuf,
    pub kind: Kind,
    #[serde(serialize_with = "octal")]
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub mtime: Timestamp,
    /// Blob or tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ObjectId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<PathBytes>,
}

impl EntryFields {
    /// An entry at a path.
    pub fn new(path: &RepoPath, entry: &Entry) -> EntryFields {
        let metadata = &entry.metadata;
        let target = match &entry.content {
            Content::Symlink { target } => Some(PathBytes(target.clone())),
            _ => None,
        };
        EntryFields {
            path: path.to_owned(),
            kind: entry.kind(),
            mode: metadata.mode,
            uid: metadata.uid,
            gid: metadata.gid,
            size: entry.size(),
            mtime: metadata.mtime,
            id: entry.blob().map(|blob| blob.object_id()).or(entry.tree().map(|tree| tree.object_id())),
            target,
        }
    }
}

/// An entry in a listing.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "entry")]
pub struct EntryRecord {
    /// All but the type.
    #[serde(flatten)]
    pub fields: EntryFields,
}

impl EntryRecord {
    /// An entry at a path.
    pub fn new(path: &RepoPath, entry: &Entry) -> EntryRecord {
        EntryRecord { fields: EntryFields::new(path, entry) }
    }
}

/// The fields of an entry, and its attributes.
#[derive(Serialize)]
pub struct FullEntry {
    #[serde(flatten)]
    fields: EntryFields,
    #[serde(serialize_with = "or_empty")]
    attributes: Option<AttributesId>,
}

impl FullEntry {
    /// An entry at a path.
    pub fn new(path: &RepoPath, entry: &Entry) -> FullEntry {
        FullEntry { fields: EntryFields::new(path, entry), attributes: entry.attributes }
    }
}

/// The end of a listing.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct EntryTotals {
    entries: u64,
    bytes: u64,
}

impl EntryTotals {
    /// Whether no entry was counted.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Counts an entry.
    pub fn count(&mut self, entry: &Entry) {
        self.entries += 1;
        if entry.blob().is_some() {
            self.bytes += entry.size();
        }
    }
}
