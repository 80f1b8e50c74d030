//! Changed paths: one a line, and the summary.

use std::io;

use serde::{Serialize, Serializer};

use crate::diff::{Change, ChangeCounts, Rename, Status};
use crate::metadata::Kind;
use crate::number;
use crate::object::Content;
use crate::object::commit::Counts;
use crate::path::{RepoPath, RepoPathBuf};
use crate::report::changes::{ChangeRecord, Tally};
use crate::terminal::human::{Count, plural};
use crate::terminal::{Page, Print, Role};

/// `+3 ~1 -2`
pub fn change_counts(counts: Counts, page: &Page<'_>) -> String {
    format!(
        "{} {} {}",
        page.paint(Role::Added, format!("+{}", Count(counts.added))),
        page.paint(Role::Modified, format!("~{}", Count(counts.modified))),
        page.paint(Role::Removed, format!("-{}", Count(counts.deleted))),
    )
}

/// The text form of a list of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// `  modified  path`
    Words,
    /// `M path` or `R old -> new`, as in `git status --short`
    Short,
    /// `M`, a tab, `path`
    NameStatus,
    /// `path`
    NameOnly,
}

/// A changed path in a list.
pub struct ChangeLine<'c> {
    /// The change.
    pub change: &'c Change,
    /// Text form.
    pub listing: Listing,
    /// Number of entries below a directory that this line stands for.
    pub folded: u64,
}

impl Serialize for ChangeLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ChangeRecord::from(self.change).serialize(serializer)
    }
}

impl Print for ChangeLine<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let Change { path, status, .. } = self.change;
        match self.listing {
            Listing::NameOnly => return page.record(None, path),
            Listing::NameStatus => return self.print_name_status(page),
            Listing::Short => return self.print_short(page),
            Listing::Words if page.is_raw() => return page.record(Some(status.word()), path),
            Listing::Words => {}
        }
        let record = ChangeRecord::from(self.change);
        let slash = if self.is_directory() { "/" } else { "" };
        let word = page.paint(role(*status), format!("{:<8}", status.word()));
        let old = record.renamed_from.as_ref().map_or_else(String::new, |from| format!("{} → ", page.path(from)));
        let mut line = format!("  {word}  {old}{}{slash}", page.path(path));
        let mut add = |text: String| line += &page.paint(Role::Dim, format!("  ({text})")).to_string();
        if self.folded > 0 {
            add(plural(self.folded, "entry"));
        }
        if let Some(similarity) = record.similarity.filter(|similarity| *similarity < 100) {
            add(format!("{similarity}% similar"));
        }
        if *status == Status::Metadata {
            add(record.what.join(", "));
        }
        page.line(line)
    }
}

impl ChangeLine<'_> {
    /// Prints the letter and the path. As in git, a name with a space is quoted, because ` -> ` separates two names; with
    /// `-z` the old name follows the new one.
    fn print_short(&self, page: &mut Page<'_>) -> io::Result<()> {
        let Change { path, status, renamed, .. } = self.change;
        page.text(page.paint(role(*status), status.letter()))?;
        page.text(" ")?;
        let slash: &[u8] = if self.is_directory() { b"/" } else { b"" };
        match renamed {
            Some(Rename { from, .. }) if page.is_raw() => {
                page.path_record(path, slash)?;
                page.path_record(from, slash)
            }
            Some(Rename { from, .. }) => {
                page.quoted_path(from, slash)?;
                page.text(" -> ")?;
                page.path_record(path, slash)
            }
            None => page.path_record(path, slash),
        }
    }

    fn is_directory(&self) -> bool {
        ChangeRecord::from(self.change).kind == Kind::Directory && !self.change.path.is_root()
    }

    /// Prints the letter and the path. A rename has its similarity after the letter and the old path first, as in git.
    fn print_name_status(&self, page: &mut Page<'_>) -> io::Result<()> {
        let Change { path, status, renamed, .. } = self.change;
        let letter = status.letter();
        match renamed {
            Some(Rename { from, similarity }) => page.records(&format!("{letter}{similarity:03}"), &[from, path]),
            None => page.record(Some(&letter.to_string()), path),
        }
    }
}

fn role(status: Status) -> Role {
    match status {
        Status::Added => Role::Added,
        Status::Deleted => Role::Removed,
        Status::Modified | Status::Renamed | Status::Type => Role::Modified,
        Status::Metadata | Status::Ignored | Status::Uncovered => Role::Metadata,
    }
}

const NOW_IGNORED: &str = "no longer recorded (now ignored)";

/// A suffix for a list of counts: `, 60 no longer recorded (now ignored)`, or nothing.
pub fn and_ignored(count: u64) -> String {
    if count == 0 { String::new() } else { format!(", {} {NOW_IGNORED}", Count(count)) }
}

/// A suffix for a count of deleted paths: ` (2 renamed)`, or nothing.
pub fn and_renamed(count: u64) -> String {
    if count == 0 { String::new() } else { format!(" ({} renamed)", Count(count)) }
}

/// `3 changes: 2 added, 1 modified`
pub fn describe(counts: &ChangeCounts) -> String {
    let listed = [
        (counts.added, "added"),
        (counts.modified, "modified"),
        (counts.deleted, "deleted"),
        (counts.renamed, "renamed"),
        (counts.retyped, "of another type"),
        (counts.metadata, "metadata only"),
        (counts.ignored, NOW_IGNORED),
    ];
    match counts.total() {
        0 => "no changes".to_owned(),
        total => format!("{}: {}", plural(total, "change"), number::listed(&listed)),
    }
}

impl Print for Tally {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() { Ok(()) } else { page.line(describe(&self.counts)) }
    }
}

/// Replaces the entries of an added, deleted or renamed directory by one line for the directory.
#[derive(Debug, Default)]
pub struct Fold {
    below: Option<RepoPathBuf>,
}

impl Fold {
    /// Returns how many entries below the path its line stands for, or `None` if an earlier line covers the path.
    pub fn place(&mut self, change: &Change) -> Option<u64> {
        if self.below.as_deref().is_some_and(|directory: &RepoPath| change.path.is_within(directory)) {
            return None;
        }
        let side = match change.status {
            _ if change.has_renames && change.status != Status::Renamed => return Some(0),
            Status::Added | Status::Renamed => &change.new,
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
    use crate::diff::What;
    use crate::id::TreeId;
    use crate::metadata::Metadata;
    use crate::object::Entry;

    fn change(path: &str, status: Status, content: Content) -> Change {
        let entry = Entry { name: Vec::new(), metadata: Metadata::default(), attributes: None, content };
        let path = RepoPathBuf::new(path.as_bytes().to_vec()).unwrap();
        Change { path, status, old: None, new: Some(entry), what: What::default(), renamed: None, has_renames: false }
    }

    #[test]
    fn fold_covers_the_entries_of_an_added_directory() {
        let directory = Content::Directory { tree: TreeId([0; 32]), entries: 2, size: 0 };
        let mut fold = Fold::default();
        assert_eq!(fold.place(&change("a", Status::Added, directory)), Some(2));
        assert_eq!(fold.place(&change("a/b", Status::Added, Content::Fifo)), None);
        assert_eq!(fold.place(&change("ab", Status::Added, Content::Fifo)), Some(0));
    }

    #[test]
    fn describe_lists_only_counts_above_zero() {
        let mut counts = ChangeCounts::default();
        assert_eq!((Tally::from(counts).clean, describe(&counts)), (true, "no changes".to_owned()));
        counts.add(Status::Added);
        counts.add(Status::Metadata);
        assert_eq!(describe(&counts), "2 changes: 1 added, 1 metadata only");
        assert!(!Tally::from(counts).clean);
        let counts = ChangeCounts { added: 5044, deleted: 1000, ..counts };
        assert_eq!(describe(&counts), "6,045 changes: 5,044 added, 1,000 deleted, 1 metadata only");
    }
}
