//! The stable text of the plumbing commands (`docs/plumbing.md`).

use std::io;

use serde::{Serialize, Serializer};

use crate::diff::Change;
use crate::metadata::Kind;
use crate::object::Entry;
use crate::quote::quote;
use crate::report::plumbing::{
    Asked, CurrentBranch, Described, FileRecord, Id, Ignored, Location, Materialised, ObjectCount, PackVerdict,
    PackedObject, PacksChecked, Reached, Ref, RefUpdate, Total, TreeChange, Unresolved, WrittenTree,
};
use crate::terminal::{Page, Print};

// Scripts that do not read JSON learn the outcome from the exit status.
impl Print for RefUpdate {}
impl Print for Materialised<'_> {}
impl Print for PacksChecked {}

impl Print for Id {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.entry(format_args!("{}{}", if self.excluded { "^" } else { "" }, self.id), &[])
    }
}

impl Print for Location {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.raw(&self.path.0)
    }
}

impl Print for Ref {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.entry(format_args!("{} {}", self.id, self.r#ref), &[])
    }
}

impl Print for CurrentBranch {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        self.shown.iter().try_for_each(|name| page.entry(name, &[]))
    }
}

impl Print for Ignored<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let line = if self.line == 0 { String::new() } else { self.line.to_string() };
        let path = &self.path.0;
        if self.with_rule && page.is_raw() {
            [self.source, line.as_bytes(), self.rule].iter().try_for_each(|field| page.raw(field))?;
        } else if self.with_rule {
            page.name(self.source)?;
            return page.entry(format_args!(":{line}:{}", self.pattern), &[path]);
        }
        page.name_record(path)
    }
}

impl Print for FileRecord<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let slash: &[u8] = if self.kind == Kind::Directory { b"/" } else { b"" };
        page.name_record(&[self.path.as_bytes(), slash].concat())
    }
}

impl Print for WrittenTree<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let links = self.links.map(|links| format!(" {links}"));
        page.entry(format_args!("{}{}", self.id, links.unwrap_or_default()), &[])
    }
}

impl Print for Reached<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.text(self.id)?;
        if let Some(path) = self.path {
            page.text(" ")?;
            page.name(path.as_bytes())?;
        }
        page.end()
    }
}

impl Print for Described {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        match self.asked {
            Asked::Presence => Ok(()),
            Asked::Type => page.entry(self.object_type, &[]),
            Asked::Size => page.entry(self.size, &[]),
            Asked::All => page.entry(format_args!("{} {} {}", self.id, self.object_type, self.size), &[]),
        }
    }
}

impl Print for Unresolved<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.raw(&[self.bytes, b" ", self.reason.as_bytes()].concat())
    }
}

impl Print for Total {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.entry(self.count, &[])
    }
}

/// The columns of `diff-tree`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// Modes, objects, status and path.
    All,
    /// Status and path.
    Status,
    /// Path.
    Path,
}

/// A changed path as `git diff-tree` prints it.
pub struct TreeChangeLine<'c> {
    /// The change.
    pub change: &'c Change,
    /// Columns of the text.
    pub columns: Columns,
}

impl Serialize for TreeChangeLine<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TreeChange::from(self.change).serialize(serializer)
    }
}

impl Print for TreeChangeLine<'_> {
    /// With `-z` as git: NUL ends the path, and separates status and path.
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let Change { path, status, old, new, .. } = self.change;
        // An empty name for the root would read as no name.
        let path = if path.is_root() { b"." } else { path.as_bytes() };
        let bits = |entry: &Option<Entry>| entry.as_ref().map_or(0, Entry::full_mode);
        let object = |entry: &Option<Entry>| entry.as_ref().map_or_else(|| "0".repeat(64), Entry::object_name);
        let letter = status.letter();
        let head = match self.columns {
            Columns::All => format!(":{:06o} {:06o} {} {} {letter}", bits(old), bits(new), object(old), object(new)),
            Columns::Status => letter.to_string(),
            Columns::Path => return page.name_record(path),
        };
        if page.is_raw() {
            page.raw(head.as_bytes())?;
            page.raw(path)
        } else {
            page.entry(head, &[path])
        }
    }
}

impl Print for ObjectCount {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_verbose() {
            let line = |(key, value): &(&str, u64)| page.entry(format_args!("{}: {value}", key.replace('_', "-")), &[]);
            return self.counts.iter().try_for_each(line);
        }
        let count = |key| self.counts.iter().find(|count| count.0 == key).map_or(0, |count| count.1);
        let kibibytes = count("size_pack").div_ceil(1024);
        page.entry(format_args!("{} objects, {kibibytes} kibibytes", count("objects")), &[])
    }
}

impl Print for PackedObject {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let PackedObject { id, size, frame, offset, .. } = self;
        let kind = self.kind.word().replace(' ', "-");
        page.entry(format_args!("{id} {kind} {size} {frame} {offset}"), &[])
    }
}

impl Print for PackVerdict {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let PackVerdict { id, objects, raw, stored, frames: [plain, deflate, zstd], .. } = self;
        if !self.ok {
            return page.entry(format_args!("{id}: {}", quote(self.reason.as_bytes())), &[]);
        }
        if page.is_verbose() {
            let frames = plain + deflate + zstd;
            let codecs = format_args!("stored={plain} deflate={deflate} zstd={zstd}");
            page.entry(format_args!("objects={objects} frames={frames} {codecs} raw={raw} packed={stored}"), &[])?;
        }
        page.entry(format_args!("{id}: ok"), &[])
    }
}
