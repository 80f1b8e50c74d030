//! What changed inside a path: lines of text with the changed words, ranges of bytes, metadata before and after.

use std::io;

use serde::Serialize;

use crate::diff::binary::Ranges;
use crate::diff::text::{Hunk, Line, LineCounts, Tag};
use crate::diff::{Body, Change, Status};
use crate::object::{Attributes, Content, Entry};
use crate::path::{RepoPath, RepoPathBuf};
use crate::quote::quote;
use crate::report::Report;
use crate::report::changes::{ChangeRecord, Tally};
use crate::terminal::human::{Count, Size, plural};
use crate::terminal::table::Table;
use crate::terminal::{Page, Role, human, sanitize};

/// A change with all that differs.
#[derive(Clone, Debug, Serialize)]
pub struct Patch {
    #[serde(skip)]
    path: RepoPathBuf,
    #[serde(skip)]
    status: Status,
    #[serde(skip)]
    renamed: Option<RepoPathBuf>,
    #[serde(skip)]
    notes: Vec<String>,
    #[serde(skip)]
    body: Body,
}

impl Patch {
    /// A change, the attributes of both sides where they differ, and what differs in the content.
    pub fn new(change: &Change, attributes: (Option<Attributes>, Option<Attributes>), body: Body) -> Patch {
        let mut notes = Vec::new();
        if let (Some(old), Some(new)) = (&change.old, &change.new) {
            notes_on_entries(change, old, new, &mut notes);
            notes_on_attributes(attributes, &mut notes);
        } else if let Some(entry) = change.new.as_ref().or(change.old.as_ref()) {
            notes.push(describe(entry, change.status));
        }
        if change.what.links {
            notes.push("hard links changed".to_owned());
        }
        let (path, renamed) = (change.path.clone(), change.renamed.clone());
        Patch { path, status: change.status, renamed, notes, body }
    }
}

fn describe(entry: &Entry, status: Status) -> String {
    let mode = human::mode(entry.kind(), entry.metadata.mode);
    let what = match &entry.content {
        Content::Symlink { target } => format!("symlink → {}", sanitize::name(target)),
        Content::File { size, .. } => format!("file {}", Size(*size)),
        Content::Directory { entries, .. } => format!("directory, {}", plural(*entries, "entry")),
        _ => entry.kind().word().to_owned(),
    };
    format!("{} {mode} {what}", status.word())
}

fn notes_on_entries(change: &Change, old: &Entry, new: &Entry, notes: &mut Vec<String>) {
    let mut note = |name: &str, old: String, new: String| notes.push(format!("{name} {old} → {new}"));
    if change.status == Status::Type {
        note("type", old.kind().word().to_owned(), new.kind().word().to_owned());
    }
    let target = |entry: &Entry| match &entry.content {
        Content::Symlink { target } => sanitize::name(target),
        _ => "none".to_owned(),
    };
    let has_target = |entry: &Entry| matches!(entry.content, Content::Symlink { .. });
    let is_link = has_target(old) || has_target(new);
    if is_link && target(old) != target(new) {
        note("target", target(old), target(new));
    }
    let (old, new) = (&old.metadata, &new.metadata);
    // A link has no mode of its own.
    if change.what.mode && !is_link {
        note("mode", format!("{:04o}", old.mode), format!("{:04o}", new.mode));
    }
    if change.what.owner {
        note("owner", format!("{}:{}", old.uid, old.gid), format!("{}:{}", new.uid, new.gid));
    }
    if change.what.mtime {
        note("mtime", old.mtime.to_rfc3339(), new.mtime.to_rfc3339());
    }
}

fn notes_on_attributes((old, new): (Option<Attributes>, Option<Attributes>), notes: &mut Vec<String>) {
    let (old, new) = (old.unwrap_or_default(), new.unwrap_or_default());
    let value = |side: &Attributes, name: &[u8]| {
        side.xattrs.iter().find(|(key, _)| key == name).map(|(_, value)| sanitize::name(value))
    };
    let mut names: Vec<&Vec<u8>> = old.xattrs.iter().chain(&new.xattrs).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (before, after) = (value(&old, name), value(&new, name));
        if before != after {
            let none = || "none".to_owned();
            let (before, after) = (before.unwrap_or_else(none), after.unwrap_or_else(none));
            notes.push(format!("xattr {} {before} → {after}", sanitize::name(name)));
        }
    }
    if old.holes != new.holes {
        let (before, after) = (old.holes.len() as u64, new.holes.len() as u64);
        notes.push(format!("holes {} → {}", Count(before), Count(after)));
    }
}

impl Report for Patch {
    const TYPE: &'static str = "patch";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        match &self.renamed {
            Some(from) => page.line(
                page.paint(Role::Heading, format!("renamed {} → {}", sanitize::path(from), sanitize::path(&self.path))),
            )?,
            None => page.line(page.paint(Role::Heading, format!("diff {}", sanitize::path(&self.path))))?,
        }
        for note in &self.notes {
            page.line(page.paint(Role::Metadata, note))?;
        }
        match &self.body {
            Body::Nothing => {}
            Body::Text(hunks) => self.lines(page, hunks)?,
            Body::Bytes { ranges, .. } => bytes(page, ranges)?,
        }
        page.line("")
    }
}

impl Patch {
    fn lines(&self, page: &mut Page<'_>, hunks: &[Hunk]) -> io::Result<()> {
        if hunks.is_empty() {
            return Ok(());
        }
        let old = if self.status == Status::Added { "/dev/null".to_owned() } else { side("a/", &self.path) };
        let new = if self.status == Status::Deleted { "/dev/null".to_owned() } else { side("b/", &self.path) };
        page.line(page.paint(Role::Heading, format!("--- {old}")))?;
        page.line(page.paint(Role::Heading, format!("+++ {new}")))?;
        for hunk in hunks {
            let place = format!("@@ -{},{} +{},{} @@", hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines);
            page.line(page.paint(Role::Metadata, place))?;
            hunk.lines.iter().try_for_each(|line| write_line(page, line))?;
        }
        Ok(())
    }
}

/// A path as `patch` and git read it: quoted where it must be, and a TAB behind one with a space.
fn side(prefix: &str, path: &RepoPath) -> String {
    let word = quote(&[prefix.as_bytes(), path.as_bytes()].concat()).into_owned();
    let end = if word.contains(' ') && !word.starts_with('"') { "\t" } else { "" };
    // What stands in quotes is safe; another word may have letters that a terminal obeys.
    format!("{}{end}", sanitize::name(word.as_bytes()))
}

fn write_line(page: &mut Page<'_>, line: &Line) -> io::Result<()> {
    let (sign, role, word) = match line.tag {
        Tag::Context => (" ", Role::Path, Role::Path),
        Tag::Removed => ("-", Role::Removed, Role::RemovedWord),
        Tag::Added => ("+", Role::Added, Role::AddedWord),
    };
    page.text(page.paint(role, sign))?;
    let mut written = 0;
    if page.has_colors() {
        for range in &line.emphasised {
            page.content(role, &line.text[written..range.start])?;
            page.content(word, &line.text[range.clone()])?;
            written = range.end;
        }
    }
    page.content(role, &line.text[written..])?;
    page.line("")?;
    if line.missing_newline {
        page.line("\\ No newline at end of file")?;
    }
    Ok(())
}

fn bytes(page: &mut Page<'_>, ranges: &Ranges) -> io::Result<()> {
    for range in &ranges.ranges {
        let (old_end, new_end) = (range.old_offset + range.old_length, range.new_offset + range.new_length);
        let old = page.paint(Role::Removed, format!("{:#x}..{old_end:#x}", range.old_offset));
        let new = page.paint(Role::Added, format!("{:#x}..{new_end:#x}", range.new_offset));
        let change = match (range.old_length, range.new_length) {
            (0, added) => format!("{} added", Size(added)),
            (removed, 0) => format!("{} removed", Size(removed)),
            (old, new) if old == new => Size(old).to_string(),
            (old, new) => format!("{} → {}", Size(old), Size(new)),
        };
        page.line(format_args!("bytes {old} → {new}  ({change})"))?;
    }
    if ranges.truncated {
        page.line("bytes …  (and more)")?;
    }
    Ok(())
}

/// A line of `--stat`, in JSON.
#[derive(Clone, Debug, Serialize)]
pub struct StatRecord {
    #[serde(flatten)]
    change: ChangeRecord,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines_added: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines_removed: Option<usize>,
    /// Runs of bytes that differ in a file that is not text.
    #[serde(skip_serializing_if = "Option::is_none")]
    ranges: Option<usize>,
    #[serde(skip)]
    path: RepoPathBuf,
    #[serde(skip)]
    words: String,
}

fn places(count: usize) -> String {
    if count == 1 { "one place".to_owned() } else { format!("{} places", Count(count as u64)) }
}

/// The bar of `--stat` is at most this long.
const BAR: usize = 40;

impl StatRecord {
    /// A change and how much of its content differs.
    pub fn new(change: &Change, record: ChangeRecord, body: &Body) -> StatRecord {
        let (counts, ranges, words) = match body {
            Body::Nothing => {
                let words = match &change.renamed {
                    Some(from) if change.new.is_some() => format!("renamed from {}", sanitize::path(from)),
                    _ => change.status.word().to_owned(),
                };
                (None, None, words)
            }
            Body::Text(hunks) => (Some(LineCounts::of(hunks)), None, String::new()),
            Body::Bytes { ranges, sizes } => {
                let count = ranges.ranges.len();
                let words = match *sizes {
                    (Some(old), Some(new)) if old == new => format!("{}, differs in {}", Size(new), places(count)),
                    (Some(old), Some(new)) => format!("{} → {}", Size(old), Size(new)),
                    (old, new) => format!("{}, {}", change.status.word(), Size(old.or(new).unwrap_or(0))),
                };
                (None, Some(count), words)
            }
        };
        StatRecord {
            change: record,
            lines_added: counts.map(|counts| counts.added),
            lines_removed: counts.map(|counts| counts.removed),
            ranges,
            path: change.path.clone(),
            words,
        }
    }
}

impl Report for StatRecord {
    const TYPE: &'static str = "change";

    fn human(&self, _: &mut Page<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// All lines of `--stat` for people, and the sum.
#[derive(Clone, Debug, Serialize)]
pub struct StatTable<'a> {
    #[serde(skip)]
    /// A line each.
    pub records: &'a [StatRecord],
    #[serde(flatten)]
    /// The line below them.
    pub tally: Tally,
}

impl Report for StatTable<'_> {
    const TYPE: &'static str = "summary";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let lines = |one: &StatRecord| one.lines_added.unwrap_or(0) + one.lines_removed.unwrap_or(0);
        let most = self.records.iter().map(lines).max().unwrap_or(0).max(BAR);
        let mut table = Table::default();
        for record in self.records {
            let scaled = |lines: Option<usize>| (lines.unwrap_or(0) * BAR).div_ceil(most);
            let words = match record.words.is_empty() {
                true => Count(lines(record) as u64).to_string(),
                false => record.words.clone(),
            };
            let bars = [(Role::Added, "+", record.lines_added), (Role::Removed, "-", record.lines_removed)];
            let bar: String = bars
                .iter()
                .map(|(role, sign, lines)| page.paint(*role, sign.repeat(scaled(*lines))).to_string())
                .collect();
            let bar = Some(bar).filter(|bar| !bar.is_empty());
            let path = format!(" {}", sanitize::path(&record.path));
            table.row([path, words].into_iter().chain(bar));
        }
        page.table(&table)?;
        let sum = |count: fn(&StatRecord) -> Option<usize>| -> usize { self.records.iter().filter_map(count).sum() };
        let (added, removed) = (sum(|one| one.lines_added), sum(|one| one.lines_removed));
        page.line(format_args!("{}; lines: +{} -{}", self.tally.words(), Count(added as u64), Count(removed as u64)))
    }
}
