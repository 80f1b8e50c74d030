//! An index to be written: directories as they were kept, as they were read, or as a checkout changes them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use crate::environment::Durability;
use crate::worktree::selection::Selection;

use super::file::{self, Checksum, Directory, Index, Part, Source};
use super::record::{self, Block, Record, Total};
use super::spool::{Spool, Spooled};
use crate::error::Result;
use crate::fs;
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};
use crate::time::Timestamp;

/// An index to be written. Directories that did not change stay in the file that they were read from.
#[derive(Debug, Default)]
pub struct Builder {
    directories: BTreeMap<RepoPathBuf, Known>,
    /// Storage for blocks that exceed the memory limit.
    spool: Option<Arc<Spool>>,
}

/// The records of one directory.
#[derive(Debug)]
pub(super) enum Known {
    /// As in an index file.
    Kept(Directory),
    /// Encoded, so that a large worktree takes little memory.
    Encoded { count: usize, bytes: Vec<u8> },
    /// The same, in a file, with the checksum for the index.
    Spooled { count: usize, bytes: Spooled, checksum: Checksum },
    /// With changes.
    Changed(Box<Changed>),
}

/// A directory that is being changed: only what changes is in memory, however many names there are.
#[derive(Debug, Default)]
pub(super) struct Changed {
    base: Option<Known>,
    /// By name; `None`: it is gone.
    changes: BTreeMap<Vec<u8>, Option<Record>>,
}

impl Known {
    /// The encoded records, if they are in memory and unchanged.
    pub(super) fn block(&self) -> Option<Block<'_>> {
        match self {
            Known::Kept(directory) => Some(directory.block()),
            Known::Encoded { count, bytes } => Block::new(bytes, *count),
            Known::Spooled { .. } | Known::Changed(_) => None,
        }
    }

    pub(super) fn find(&self, name: &[u8]) -> Option<Record> {
        let in_block = |block: Block<'_>| block.record(block.position(name).ok()?);
        match self {
            // From a copy that is not kept in memory.
            Known::Kept(directory) => directory.clone().find(name),
            Known::Encoded { count, bytes } => in_block(Block::new(bytes, *count)?),
            Known::Spooled { count, bytes, .. } => in_block(Block::new(&bytes.read().ok()?, *count)?),
            Known::Changed(changed) => match changed.changes.get(name) {
                Some(record) => record.clone(),
                None => changed.base.as_ref()?.find(name),
            },
        }
    }

    /// How many records there are, and their bytes, without the tree that they make.
    fn encode(&self) -> (usize, Vec<u8>) {
        let records = self.records();
        (records.len(), record::encode(None, &records))
    }

    /// All records, sorted by name.
    fn records(&self) -> Vec<Record> {
        let changed = match self {
            Known::Changed(changed) => changed,
            Known::Spooled { count, bytes, .. } => {
                let bytes = bytes.read().ok();
                return bytes.and_then(|bytes| Block::new(&bytes, *count)?.records()).unwrap_or_default();
            }
            _ => return self.block().and_then(|block| block.records()).unwrap_or_default(),
        };
        let base = changed.base.as_ref().map(Known::records).unwrap_or_default();
        let mut records = Vec::with_capacity(base.len() + changed.changes.len());
        let mut changes = changed.changes.iter().peekable();
        for record in base {
            while let Some((_, change)) = changes.next_if(|(name, _)| **name < record.name) {
                records.extend(change.clone());
            }
            match changes.next_if(|(name, _)| **name == record.name) {
                Some((_, change)) => records.extend(change.clone()),
                None => records.push(record),
            }
        }
        records.extend(changes.filter_map(|(_, change)| change.clone()));
        records
    }
}

impl Builder {
    /// One that would write the same index again.
    pub fn from_index(index: &Index) -> Builder {
        let kept = index.directories().map(|(path, directory)| (path.to_owned(), Known::Kept(directory)));
        Builder { directories: kept.collect(), spool: None }
    }

    /// Creates an empty builder that keeps blocks beyond the memory limit in a file.
    pub fn spooled(spool: Arc<Spool>) -> Builder {
        Builder { spool: Some(spool), ..Builder::default() }
    }

    /// A directory with all its records is as the index has it.
    pub fn keep(&mut self, path: RepoPathBuf, directory: Directory) {
        self.directories.insert(path, Known::Kept(directory));
    }

    /// A directory has these records (sorted by name), which make this tree.
    pub fn insert(&mut self, path: RepoPathBuf, total: Option<Total>, records: &[Record]) {
        self.put(path, records.len(), record::encode(total, records));
    }

    /// Sets the encoded records of a directory.
    pub(super) fn put(&mut self, path: RepoPathBuf, count: usize, bytes: Vec<u8>) {
        let spooled = self.spool.as_ref().and_then(|spool| spool.keep(&bytes));
        let known = match spooled {
            Some(spooled) => {
                let checksum = file::checksum_of(&path, count, &bytes);
                Known::Spooled { count, bytes: spooled, checksum }
            }
            None => Known::Encoded { count, bytes },
        };
        self.directories.insert(path, known);
    }

    /// Removes a directory and returns it, with its records in memory.
    pub(super) fn take(&mut self, path: &RepoPath) -> Option<Known> {
        match self.directories.remove(path)? {
            Known::Spooled { count, bytes, .. } => Some(Known::Encoded { count, bytes: bytes.read().ok()?.to_vec() }),
            changed @ Known::Changed(_) => {
                let (count, bytes) = changed.encode();
                Some(Known::Encoded { count, bytes })
            }
            known => Some(known),
        }
    }

    /// Whether the builder has records of a directory.
    pub(super) fn knows(&self, directory: &RepoPath) -> bool {
        self.directories.contains_key(directory)
    }

    /// Takes over the directories of another one.
    pub fn absorb(&mut self, mut other: Builder) {
        self.directories.append(&mut other.directories);
    }

    /// What it knows of an entry.
    pub fn find(&self, path: &RepoPath) -> Option<Record> {
        let (parent, name) = place(path);
        self.directories.get(parent)?.find(name)
    }

    /// Sets the record of an entry; its name is the path's. What was known below a path that is no directory is dropped.
    pub fn set(&mut self, path: &RepoPath, mut record: Record) {
        if record.stat.kind != Kind::Directory {
            self.remove_below(path);
        }
        let (parent, name) = place(path);
        record.name = name.to_vec();
        self.change(parent, name, Some(record));
    }

    /// Forgets an entry, and everything below it.
    pub fn remove(&mut self, path: &RepoPath) {
        self.remove_below(path);
        let (parent, name) = place(path);
        if self.directories.contains_key(parent) {
            self.change(parent, name, None);
        }
    }

    /// Drops the records of a directory and of all directories below it.
    pub(super) fn remove_below(&mut self, path: &RepoPath) {
        let range = (Bound::Included(path), Bound::Unbounded);
        let below = self.directories.range::<RepoPath, _>(range).take_while(|(below, _)| below.is_within(path));
        let below: Vec<RepoPathBuf> = below.map(|(below, _)| below.clone()).collect();
        for path in below {
            self.directories.remove(&path);
        }
    }

    /// Changes a record of a directory: the tree that its records make is not known any more.
    fn change(&mut self, directory: &RepoPath, name: &[u8], record: Option<Record>) {
        let known = self.directories.entry(directory.to_owned()).or_insert_with(|| Known::Changed(Box::default()));
        if !matches!(known, Known::Changed(_)) {
            let base = std::mem::replace(known, Known::Changed(Box::default()));
            *known = Known::Changed(Box::new(Changed { base: Some(base), changes: BTreeMap::new() }));
        }
        if let Known::Changed(changed) = known {
            changed.changes.insert(name.to_vec(), record);
        }
    }

    /// Takes over what another one knows of these paths and below them, and of the directories above them. Nothing else:
    /// what the other one has besides may not be in the store.
    pub fn splice(&mut self, other: Builder, paths: &[RepoPathBuf]) {
        let selection = Selection::new(paths);
        for path in paths {
            self.remove(path);
        }
        for (path, known) in other.directories {
            if selection.covers(&path) {
                self.directories.insert(path, known);
                continue;
            }
            for record in known.records() {
                let below = if record.name.is_empty() { path.clone() } else { path.join(&record.name) };
                if selection.covers(&below) || selection.leads_through(&below) {
                    self.set(&below, record);
                }
            }
        }
    }

    /// Whether it is just what the index has, and as little in doubt.
    pub fn is_same(&self, index: &Index) -> bool {
        let kept = |known: &Known| matches!(known, Known::Kept(directory) if index.owns(directory));
        let is_trusted = index.doubtful_since().is_none();
        is_trusted && self.directories.len() == index.count() && self.directories.values().all(kept)
    }

    /// Encodes what was changed, so that writing it takes no more of that.
    pub fn settle(&mut self) {
        for known in self.directories.values_mut() {
            if matches!(known, Known::Changed(_)) {
                let (count, bytes) = known.encode();
                *known = Known::Encoded { count, bytes };
            }
        }
    }

    /// Its bytes in pieces, as of this boot and this time.
    pub fn encode<'b>(&'b self, origin: ([u8; 16], Timestamp)) -> impl Iterator<Item = Cow<'b, [u8]>> {
        let part = |(path, known): (&'b RepoPathBuf, &'b Known)| {
            let (records, block) = match known {
                Known::Kept(directory) => (directory.expected_count(), Source::Kept(directory)),
                Known::Encoded { count, bytes } => (*count, Source::New(bytes.into())),
                Known::Spooled { count, bytes, checksum } => (*count, Source::Spooled(bytes, *checksum)),
                Known::Changed(_) => {
                    let (records, bytes) = known.encode();
                    (records, Source::New(bytes.into()))
                }
            };
            Part { path, records, block }
        };
        file::encode(self.directories.iter().map(part).collect(), origin)
    }

    /// Writes the file (atomically, not flushed).
    pub fn write(&self, path: &Path) -> Result<()> {
        // The system clock, because the time is compared with ctimes.
        let now = jiff::Timestamp::now().into();
        fs::write_atomic(path, self.encode((fs::boot_id(), now)), Durability::NoSync)
    }
}

/// The directory whose records hold an entry, and its name there: the root is in its own, under the empty name.
pub(super) fn place(path: &RepoPath) -> (&RepoPath, &[u8]) {
    (path.parent().unwrap_or(RepoPath::root()), path.name().unwrap_or_default())
}
