//! Patches in git's format: changed lines and words, binary contents, and notes about what the format cannot hold.

use std::io;

use crate::diff::binary::Ranges;
use crate::diff::git::{GitId, GitMode, Literal};
use crate::diff::patch::{FilePatch, FileSide, PatchContent};
use crate::diff::text::{Hunk, Line, Tag};
use crate::diff::{Change, Status};
use crate::metadata::Kind;
use crate::object::{Attributes, Content, Entry};
use crate::path::RepoPath;
use crate::quote::quote_also;
use crate::terminal::human::{Count, Size, plural};
use crate::terminal::text::word_diff;
use crate::terminal::{Page, Print, Role, human, sanitize};

/// A change as a patch in git's format. Lines that begin with `#` show what that format cannot hold; git and `patch` ignore
/// them.
pub struct Patch<'c> {
    /// The change.
    pub change: &'c Change,
    /// Attributes of both sides where they differ.
    pub attributes: (Option<Attributes>, Option<Attributes>),
    /// The parts that git's format can hold.
    pub files: Vec<FilePatch>,
    /// Whether ids are written in full, as binary patches need them.
    pub full_ids: bool,
    /// Whether changed words are marked in place of lines: `[-old-]{+new+}`.
    pub words: bool,
}

impl Print for Patch<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        for note in self.notes() {
            let line = format!("# {}: {note}", page.path_text(&self.change.path));
            page.line(page.paint(Role::Metadata, line))?;
        }
        self.files.iter().try_for_each(|file| self.print_file(page, file))
    }
}

impl Patch<'_> {
    fn notes(&self) -> Vec<String> {
        let change = self.change;
        let mut notes = Vec::new();
        if let (Some(old), Some(new)) = (&change.old, &change.new) {
            note_entries(change, old, new, &mut notes);
            note_attributes(&self.attributes, &mut notes);
        } else if let Some(entry) = change.new.as_ref().or(change.old.as_ref())
            && self.files.is_empty()
        {
            notes.push(describe(entry, change.status));
        }
        if change.what.links {
            notes.push("hard links changed".to_owned());
        }
        notes
    }

    fn print_file(&self, page: &mut Page<'_>, file: &FilePatch) -> io::Result<()> {
        let path = |side: &Option<FileSide>| side.as_ref().map_or(&*self.change.path, |side| &side.path).to_owned();
        let (old, new) = (prefixed("a/", &path(&file.old)), prefixed("b/", &path(&file.new)));
        // Git accepts no other lines between the header and the hunks.
        if matches!(&file.content, PatchContent::Text(hunks) if hunks.iter().any(|hunk| hunk.is_estimated)) {
            let note = "# some line numbers are estimated: counting the lines would read too much of the file";
            page.line(page.paint(Role::Metadata, note))?;
        }
        let mut header = vec![format!("diff --git {old} {new}")];
        match (&file.old, &file.new) {
            (Some(old), Some(new)) if old.mode != new.mode => {
                header.extend([format!("old mode {}", old.mode.octal()), format!("new mode {}", new.mode.octal())]);
            }
            (Some(old), None) => header.push(format!("deleted file mode {}", old.mode.octal())),
            (None, Some(new)) => header.push(format!("new file mode {}", new.mode.octal())),
            _ => {}
        }
        if let Some(similarity) = file.similarity {
            header.push(format!("similarity index {similarity}%"));
            header.push(format!("rename from {}", quoted(path(&file.old).as_bytes())));
            header.push(format!("rename to {}", quoted(path(&file.new).as_bytes())));
        }
        header.extend(self.index_line(file));
        let old = if file.old.is_some() { old } else { NO_FILE.to_owned() };
        let new = if file.new.is_some() { new } else { NO_FILE.to_owned() };
        let is_text = match &file.content {
            PatchContent::Text(hunks) => !hunks.is_empty(),
            _ => false,
        };
        if is_text {
            header.extend([format!("--- {}", with_end(&old)), format!("+++ {}", with_end(&new))]);
        }
        header.into_iter().try_for_each(|line| page.line(page.paint(Role::Heading, line)))?;
        match &file.content {
            PatchContent::Same => Ok(()),
            PatchContent::Purged => {
                page.line(format_args!("Files {old} and {new} differ"))?;
                page.line(page.paint(Role::Metadata, "# the content was purged"))
            }
            PatchContent::Text(hunks) => print_hunks(page, hunks, self.words),
            PatchContent::Bytes { ranges, is_text } => {
                let kind = if *is_text { "Files" } else { "Binary files" };
                page.line(format_args!("{kind} {old} and {new} differ"))?;
                if *is_text {
                    page.line(page.paint(Role::Metadata, "# too many lines differ to show them"))?;
                }
                print_ranges(page, ranges)
            }
            PatchContent::Binary { old, new } => {
                page.line("GIT binary patch")?;
                print_literal(page, new)?;
                print_literal(page, old)
            }
        }
    }

    /// The ids of both contents, and the mode if both sides have the same.
    fn index_line(&self, file: &FilePatch) -> Option<String> {
        let id = |side: &Option<FileSide>| side.as_ref().map_or(Some(GitId::NONE), |side| side.id);
        let length = if self.full_ids { FULL_ID } else { SHORT_ID };
        let (old, new) = (id(&file.old)?.to_string(), id(&file.new)?.to_string());
        let mode = match (&file.old, &file.new) {
            (Some(old), Some(new)) if old.mode == new.mode => format!(" {}", new.mode.octal()),
            _ => String::new(),
        };
        Some(format!("index {}..{}{mode}", &old[..length], &new[..length]))
    }
}

/// The name of a file that does not exist.
const NO_FILE: &str = "/dev/null";

/// Length of an id, as git abbreviates it.
const SHORT_ID: usize = 7;

/// Length of a whole id.
const FULL_ID: usize = 40;

/// A path as git writes and reads it in a patch.
fn quoted(bytes: &[u8]) -> String {
    quote_also(bytes, sanitize::is_deceptive).into_owned()
}

fn prefixed(prefix: &str, path: &RepoPath) -> String {
    quoted(&[prefix.as_bytes(), path.as_bytes()].concat())
}

/// A name after `---` or `+++`: a TAB ends a name that has a space.
fn with_end(name: &str) -> String {
    let end = if name.contains(' ') && !name.starts_with('"') { "\t" } else { "" };
    format!("{name}{end}")
}

fn print_literal(page: &mut Page<'_>, literal: &Literal) -> io::Result<()> {
    page.line(format_args!("literal {}", literal.size))?;
    literal.lines().try_for_each(|line| page.line(line))?;
    page.line("")
}

fn describe(entry: &Entry, status: Status) -> String {
    let mode = human::mode(entry.kind(), entry.metadata.mode);
    let what = match &entry.content {
        Content::Symlink { target } => format!("symlink → {}", sanitize::name(target)),
        Content::File { size, .. } => format!("file {}", Size(*size)),
        Content::Directory { entries, .. } => format!("directory, {}", plural(*entries, "entry")),
        _ => entry.kind().word().to_owned(),
    };
    match status {
        Status::Ignored => "no longer recorded (now ignored)".to_owned(),
        _ => format!("{} {mode} {what}", status.word()),
    }
}

fn note_entries(change: &Change, old: &Entry, new: &Entry, notes: &mut Vec<String>) {
    let mut note = |name: &str, old: String, new: String| notes.push(format!("{name} {old} → {new}"));
    if change.status == Status::Type && [old, new].iter().any(|entry| GitMode::of(entry).is_none()) {
        note("type", old.kind().word().to_owned(), new.kind().word().to_owned());
    }
    // The mode of a link has no meaning.
    let has_mode = old.kind() != Kind::Symlink && new.kind() != Kind::Symlink;
    let (old, new) = (&old.metadata, &new.metadata);
    let is_in_git = [old, new].iter().all(|metadata| matches!(metadata.mode, 0o644 | 0o755));
    if change.what.mode && has_mode && !is_in_git {
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

fn print_hunks(page: &mut Page<'_>, hunks: &[Hunk], words: bool) -> io::Result<()> {
    for hunk in hunks {
        let place = format!("@@ -{},{} +{},{} @@", hunk.old_start, hunk.old_lines, hunk.new_start, hunk.new_lines);
        page.line(page.paint(Role::Metadata, place))?;
        match words {
            true => word_diff::print(page, &hunk.lines)?,
            false => hunk.lines.iter().try_for_each(|line| print_line(page, line))?,
        }
    }
    Ok(())
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
            (old, new) if old < new => format!("{} → {}, +{}", Size(old), Size(new), Size(new - old)),
            (old, new) => format!("{} → {}, -{}", Size(old), Size(new), Size(old - new)),
        };
        page.line(format_args!("# bytes {old} → {new}  ({change})"))?;
    }
    if ranges.truncated {
        let count = Count(ranges.ranges.len() as u64);
        page.line(format_args!("# more than {count} ranges of bytes differ"))?;
    }
    Ok(())
}
