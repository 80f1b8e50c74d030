//! Changed paths, and how many there are.

use serde::Serialize;

use crate::diff::binary::Range;
use crate::diff::text::LineCounts;
use crate::diff::{Body, Change, ChangeCounts, Status, What};
use crate::metadata::Kind;
use crate::object::{Content, Entry};
use crate::path::RepoPathBuf;

/// A changed path.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "change")]
pub struct ChangeRecord {
    /// New path.
    #[serde(flatten)]
    pub path: RepoPathBuf,
    /// How the path changed.
    pub status: Status,
    /// Kind after the change, or before a deletion.
    pub kind: Kind,
    /// Size of the file before, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_size: Option<u64>,
    /// Size of the file after, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// Changed properties.
    pub what: Vec<&'static str>,
    /// Old path of a renamed file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renamed_from: Option<RepoPathBuf>,
    /// Similarity of a renamed file, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<u8>,
}

impl From<&Change> for ChangeRecord {
    fn from(change: &Change) -> ChangeRecord {
        let size = |entry: &Option<Entry>| match entry.as_ref().map(|entry| &entry.content) {
            Some(&Content::File { size, .. }) => Some(size),
            _ => None,
        };
        ChangeRecord {
            path: change.path.clone(),
            status: change.status,
            kind: change.new.as_ref().or(change.old.as_ref()).map_or(Kind::File, Entry::kind),
            old_size: size(&change.old),
            size: size(&change.new),
            what: properties(change.what),
            renamed_from: change.renamed.as_ref().map(|rename| rename.from.clone()),
            similarity: change.renamed.as_ref().map(|rename| rename.similarity),
        }
    }
}

fn properties(what: What) -> Vec<&'static str> {
    [
        (what.content, "content"),
        (what.mode, "mode"),
        (what.owner, "owner"),
        (what.mtime, "mtime"),
        (what.attributes, "attributes"),
        (what.links, "links"),
    ]
    .into_iter()
    .filter_map(|(differs, word)| differs.then_some(word))
    .collect()
}

/// A changed path and how much of its content changed.
#[derive(Clone, Debug, Serialize)]
pub struct StatRecord {
    /// The path.
    #[serde(flatten)]
    pub change: ChangeRecord,
    /// Of text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines_added: Option<usize>,
    /// Of text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines_removed: Option<usize>,
    /// Changed byte ranges of a file that is not text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranges: Option<usize>,
    /// Bytes in these ranges, on the longer side of each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_changed: Option<u64>,
    /// Whether there are more ranges.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_ranges: bool,
    /// Whether the content was purged, so that lines and ranges are unknown.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub purged: bool,
}

impl StatRecord {
    /// A change and its changed content.
    pub fn new(change: &Change, body: &Body) -> StatRecord {
        let (lines, found) = match body {
            Body::Nothing | Body::Purged => (None, None),
            Body::Text(hunks) => (Some(LineCounts::of(hunks)), None),
            Body::Bytes { ranges, .. } => (None, Some(ranges)),
        };
        let length = |range: &Range| range.old_length.max(range.new_length);
        StatRecord {
            change: change.into(),
            lines_added: lines.map(|lines| lines.added),
            lines_removed: lines.map(|lines| lines.removed),
            ranges: found.map(|found| found.ranges.len()),
            bytes_changed: found.map(|found| found.ranges.iter().map(length).sum()),
            more_ranges: found.is_some_and(|found| found.truncated),
            purged: matches!(body, Body::Purged),
        }
    }

    /// Added and removed lines.
    pub fn lines(&self) -> usize {
        self.lines_added.unwrap_or(0) + self.lines_removed.unwrap_or(0)
    }
}

/// Number of changes; the end of every list of changes.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct Tally {
    /// Whether nothing changed.
    pub clean: bool,
    /// Number of paths of each status.
    #[serde(flatten)]
    pub counts: ChangeCounts,
}

impl From<ChangeCounts> for Tally {
    fn from(counts: ChangeCounts) -> Tally {
        Tally { clean: counts.total() == 0, counts }
    }
}
