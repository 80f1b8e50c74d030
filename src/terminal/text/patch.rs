//! The content of a change: changed lines and words, changed byte ranges, metadata before and after.

use std::io;

use crate::diff::binary::Ranges;
use crate::diff::text::{Hunk, Line, Tag};
use crate::diff::{Body, Change, Status};
use crate::object::{Attributes, Content, Entry};
use crate::path::RepoPath;
use crate::quote::quote;
use crate::terminal::human::{Count, Size, plural};
use crate::terminal::{Page, Print, Role, human, sanitize};

/// A change with its content.
pub struct Patch<'c> {
    /// The change.
    pub change: &'c Change,
    /// Attributes of both sides where they differ.
    pub attributes: (Option<Attributes>, Option<Attributes>),
    /// Changed content.
    pub body: Body,
}

impl Print for Patch<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let path = page.path_text(&self.change.path);
        let title = match &self.change.renamed {
            Some(from) => format!("renamed {} → {path}", page.path_text(from)),
            None => format!("diff {path}"),
        };
        page.line(page.paint(Role::Heading, title))?;
        for note in self.notes() {
            page.line(page.paint(Role::Metadata, note))?;
        }
        match &self.body {
            Body::Nothing => {}
            Body::Text(hunks) => print_hunks(page, self.change, hunks)?,
            Body::Bytes { ranges, .. } => print_ranges(page, ranges)?,
        }
        page.line("")
    }
}

impl Patch<'_> {
    fn notes(&self) -> Vec<String> {
        let change = self.change;
        let mut notes = Vec::new();
        if let (Some(old), Some(new)) = (&change.old, &change.new) {
            note_entries(change, old, new, &mut notes);
            note_attributes(&self.attributes, &mut notes);
        } else if let Some(entry) = change.new.as_ref().or(change.old.as_ref()) {
            notes.push(describe(entry, change.status));
        }
        if change.what.links {
            notes.push("hard links changed".to_owned());
        }
        notes
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

fn note_entries(change: &Change, old: &Entry, new: &Entry, notes: &mut Vec<String>) {
    let mut note = |name: &str, old: String, new: String| notes.push(format!("{name} {old} → {new}"));
    if change.status == Status::Type {
        note("type", old.kind().word().to_owned(), new.kind().word().to_owned());
    }
    let target = |entry: &Entry| match &entry.content {
        Content::Symlink { target } => Some(sanitize::name(target)),
        _ => None,
    };
    let targets = (target(old), target(new));
    let is_link = targets.0.is_some() || targets.1.is_some();
    if targets.0 != targets.1 {
        note("target", or_none(targets.0), or_none(targets.1));
    }
    let (old, new) = (&old.metadata, &new.metadata);
    // The mode of a link has no meaning.
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

fn or_none(value: Option<String>) -> String {
    value.unwrap_or_else(|| "none".to_owned())
}

fn note_attributes((old, new): &(Option<Attributes>, Option<Attributes>), notes: &mut Vec<String>) {
    let none = Attributes::default();
    let (old, new) = (old.as_ref().unwrap_or(&none), new.as_ref().unwrap_or(&none));
    let value = |side: &Attributes, name: &[u8]| {
        side.xattrs.iter().find(|(key, _)| key == name).map(|(_, value)| sanitize::name(value))
    };
    let mut names: Vec<&Vec<u8>> = old.xattrs.iter().chain(&new.xattrs).map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (before, after) = (value(old, name), value(new, name));
        if before != after {
            notes.push(format!("xattr {} {} → {}", sanitize::name(name), or_none(before), or_none(after)));
        }
    }
    if old.holes != new.holes {
        let (before, after) = (old.holes.len() as u64, new.holes.len() as u64);
        notes.push(format!("holes {} → {}", Count(before), Count(after)));
    }
}

fn print_hunks(page: &mut Page<'_>, change: &Change, hunks: &[Hunk]) -> io::Result<()> {
    if hunks.is_empty() {
        return Ok(());
    }
    let null = || "/dev/null".to_owned();
    let old = if change.status == Status::Added { null() } else { side("a/", &change.path) };
    let new = if change.status == Status::Deleted { null() } else { side("b/", &change.path) };
    page.line(page.paint(Role::Heading, format!("--- {old}")))?;
    page.line(page.paint(Role::Heading, format!("+++ {new}")))?;
    for hunk in hunks {
        let place = format!("@@ -{},{} +{},{} @@", hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines);
        page.line(page.paint(Role::Metadata, place))?;
        hunk.lines.iter().try_for_each(|line| print_line(page, line))?;
    }
    Ok(())
}

/// A path as `patch` and git read it: quoted where necessary, and followed by a TAB if it has a space.
fn side(prefix: &str, path: &RepoPath) -> String {
    let word = quote(&[prefix.as_bytes(), path.as_bytes()].concat()).into_owned();
    let end = if word.contains(' ') && !word.starts_with('"') { "\t" } else { "" };
    // Quoting leaves no unsafe characters; an unquoted word may have some.
    format!("{}{end}", sanitize::line(&word))
}

fn print_line(page: &mut Page<'_>, line: &Line) -> io::Result<()> {
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

fn print_ranges(page: &mut Page<'_>, ranges: &Ranges) -> io::Result<()> {
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
