//! Changes as they are shown: a line each, a summary at the end, and JSON.

use std::io;

use serde::Serialize;

use crate::diff::{Change, ChangeCounts, Status, What};
use crate::number;
use crate::object::Content;
use crate::path::{RepoPath, RepoPathBuf};
use crate::report::{JsonPath, Report};
use crate::terminal::human::{Count, plural};
use crate::terminal::{Page, Role, sanitize};

/// How changes are listed for people. JSON is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// `  modified  path`
    Words,
    /// `M`, a tab, `path`
    NameStatus,
    /// `path`
    NameOnly,
}

/// One path that differs.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeRecord {
    #[serde(flatten)]
    path: JsonPath,
    status: &'static str,
    kind: &'static str,
    /// Bytes before, of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_size: Option<u64>,
    /// Bytes after, of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// What of it differs.
    what: Vec<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_from: Option<JsonPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    renamed_to: Option<JsonPath>,
    #[serde(skip)]
    listing: Listing,
    #[serde(skip)]
    source: Source,
}

/// What the text needs.
#[derive(Clone, Debug)]
struct Source {
    path: RepoPathBuf,
    status: Status,
    is_directory: bool,
    /// Of a directory that is told in one line: what is below it.
    folded: u64,
    renamed: Option<RepoPathBuf>,
}

impl ChangeRecord {
    /// A change to be listed so. A directory with `folded` entries below it stands for all of them.
    pub fn new(change: &Change, listing: Listing, folded: u64) -> ChangeRecord {
        let entry = change.new.as_ref().or(change.old.as_ref());
        let kind = entry.map_or("file", |entry| entry.kind().word());
        let size = |entry: &Option<crate::object::Entry>| match entry.as_ref().map(|entry| &entry.content) {
            Some(&Content::File { size, .. }) => Some(size),
            _ => None,
        };
        let other = change.renamed.as_deref().map(JsonPath::from);
        let (renamed_from, renamed_to) = match change.status {
            Status::Deleted => (None, other),
            _ => (other, None),
        };
        let source = Source {
            path: change.path.clone(),
            status: change.status,
            is_directory: entry.is_some_and(|entry| entry.tree().is_some()),
            folded,
            renamed: change.renamed.clone(),
        };
        ChangeRecord {
            path: (&*change.path).into(),
            status: change.status.word(),
            kind,
            old_size: size(&change.old),
            size: size(&change.new),
            what: words(change.what),
            renamed_from,
            renamed_to,
            listing,
            source,
        }
    }
}

/// What differs, as words; the same in text and JSON.
pub fn words(what: What) -> Vec<&'static str> {
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

/// The role of a status.
pub fn role(status: Status) -> Role {
    match status {
        Status::Added => Role::Added,
        Status::Deleted => Role::Removed,
        Status::Modified | Status::Type => Role::Modified,
        Status::Metadata | Status::Ignored | Status::Uncovered => Role::Metadata,
    }
}

impl Report for ChangeRecord {
    const TYPE: &'static str = "change";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let source = &self.source;
        match self.listing {
            Listing::NameOnly => return page.record(None, &source.path),
            Listing::NameStatus => return page.record(Some(&source.status.letter().to_string()), &source.path),
            Listing::Words if page.is_raw() => return page.record(Some(self.status), &source.path),
            Listing::Words => {}
        }
        let slash = if source.is_directory && !source.path.is_root() { "/" } else { "" };
        let word = page.paint(role(source.status), format!("{:<8}", self.status));
        let mut line = format!("  {word}  {}{slash}", page.path(&source.path));
        if source.folded > 0 {
            let entries = plural(source.folded, "entry");
            line.push_str(&page.paint(Role::Dim, format!("  ({entries})")).to_string());
        }
        if let Some(other) = &source.renamed {
            let arrow = if source.status == Status::Deleted { "renamed to" } else { "renamed from" };
            line.push_str(&page.paint(Role::Dim, format!("  ({arrow} {})", sanitize::path(other))).to_string());
        }
        if source.status == Status::Metadata {
            line.push_str(&page.paint(Role::Dim, format!("  ({})", self.what.join(", "))).to_string());
        }
        page.line(line)
    }
}

/// After how many paths of the commit before are left out.
const NOW_IGNORED: &str = "no longer recorded (now ignored)";

/// Behind a list of counts: ", 60 no longer recorded (now ignored)"; nothing for none.
pub fn and_ignored(count: u64) -> String {
    if count == 0 { String::new() } else { format!(", {} {NOW_IGNORED}", Count(count)) }
}

/// How many paths differ, by status; the end of every list of changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Nothing differs.
    pub clean: bool,
    #[serde(flatten)]
    /// Number of paths of each status.
    pub counts: ChangeCounts,
}

impl From<ChangeCounts> for Tally {
    fn from(counts: ChangeCounts) -> Tally {
        Tally { clean: counts.total() == 0, counts }
    }
}

impl Tally {
    /// `3 changes: 2 added, 1 modified`
    pub fn words(&self) -> String {
        let counts = &self.counts;
        let listed = [
            (counts.added, "added"),
            (counts.modified, "modified"),
            (counts.deleted, "deleted"),
            (counts.retyped, "of another type"),
            (counts.metadata, "metadata only"),
            (counts.ignored, NOW_IGNORED),
        ];
        match counts.total() {
            0 => "no changes".to_owned(),
            total => format!("{}: {}", plural(total, "change"), number::listed(&listed)),
        }
    }
}

impl Report for Tally {
    const TYPE: &'static str = "summary";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return Ok(());
        }
        page.line(self.words())
    }
}

/// Tells a directory that was added or deleted in one line instead of a line for all that is below it.
#[derive(Debug, Default)]
pub struct Fold {
    below: Option<RepoPathBuf>,
}

impl Fold {
    /// Whether a line above stands for this path; if not, how many entries its own line stands for.
    pub fn place(&mut self, change: &Change) -> Option<u64> {
        if self.below.as_deref().is_some_and(|directory: &RepoPath| change.path.is_within(directory)) {
            return None;
        }
        let side = match change.status {
            Status::Added => &change.new,
            Status::Deleted | Status::Ignored => &change.old,
            _ => return Some(0),
        };
        let Some(Content::Directory { entries, .. }) = side.as_ref().map(|entry| &entry.content) else {
            return Some(0);
        };
        self.below = Some(change.path.clone());
        Some(*entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::TreeId;
    use crate::metadata::Metadata;
    use crate::object::Entry;

    fn change(path: &str, status: Status, content: Content) -> Change {
        let entry = Entry { name: Vec::new(), metadata: Metadata::default(), attributes: None, content };
        let path = RepoPathBuf::new(path.as_bytes().to_vec()).unwrap();
        Change { path, status, old: None, new: Some(entry), what: What::default(), renamed: None }
    }

    #[test]
    fn an_added_directory_stands_for_all_that_is_below_it() {
        let directory = Content::Directory { tree: TreeId([0; 32]), entries: 2, size: 0 };
        let mut fold = Fold::default();
        assert_eq!(fold.place(&change("a", Status::Added, directory)), Some(2));
        assert_eq!(fold.place(&change("a/b", Status::Added, Content::Fifo)), None);
        assert_eq!(fold.place(&change("ab", Status::Added, Content::Fifo)), Some(0));
    }

    #[test]
    fn a_tally_says_only_what_there_is() {
        let mut counts = ChangeCounts::default();
        let tally = Tally::from(counts);
        assert_eq!((tally.clean, tally.words()), (true, "no changes".to_owned()));
        counts.add(Status::Added);
        counts.add(Status::Metadata);
        let tally = Tally::from(counts);
        assert_eq!(tally.words(), "2 changes: 1 added, 1 metadata only");
        assert!(!tally.clean);
        let tally = Tally::from(ChangeCounts { added: 5044, deleted: 1000, ..counts });
        assert_eq!(tally.words(), "6,045 changes: 5,044 added, 1,000 deleted, 1 metadata only");
    }
}
