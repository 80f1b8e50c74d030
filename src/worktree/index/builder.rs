//! An index to be written: directories as they were kept, as they were read, or as a checkout changes them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;

use crate::worktree::selection::Selection;

use super::file::{self, Directory, Index, Part};
use super::record::{self, Block, Record, Total};
use crate::error::Result;
use crate::fs;
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};
use crate::time::Timestamp;

/// An index to be written. Directories that did not change stay in the file that they were read from.
#[derive(Debug, Default)]
pub struct Builder {
    directories: BTreeMap<RepoPathBuf, Known>,
}

/// The records of one directory.
#[derive(Debug)]
enum Known {
    /// As in an index file.
    Kept(Directory),
    /// Encoded, so that a large worktree takes little memory.
    Encoded { count: usize, bytes: Vec<u8> },
    /// Being changed, by name.
    Open(BTreeMap<Vec<u8>, Record>),
}

impl Builder {
    /// One that would write the same index again.
    pub fn from_index(index: &Index) -> Builder {
        let kept = index.directories().map(|(path, directory)| (path.to_owned(), Known::Kept(directory)));
        Builder { directories: kept.collect() }
    }

    /// A directory with all its records is as the index has it.
    pub fn keep(&mut self, path: RepoPathBuf, directory: Directory) {
        self.directories.insert(path, Known::Kept(directory));
    }

    /// A directory has these records (sorted by name), which make this tree.
    pub fn insert(&mut self, path: RepoPathBuf, total: Option<Total>, records: &[Record]) {
        let bytes = record::encode(total, records);
        self.directories.insert(path, Known::Encoded { count: records.len(), bytes });
    }

    /// Takes over the directories of another one.
    pub fn absorb(&mut self, mut other: Builder) {
        self.directories.append(&mut other.directories);
    }

    /// What it knows of an entry.
    pub fn find(&self, path: &RepoPath) -> Option<Record> {
        let (parent, name) = place(path);
        match self.directories.get(parent)? {
            Known::Kept(directory) => directory.find(name),
            Known::Encoded { count, bytes } => {
                let block = Block::new(bytes, *count)?;
                block.record(block.position(name).ok()?)
            }
            Known::Open(records) => records.get(name).cloned(),
        }
    }

    /// Sets the record of an entry; its name is the path's. What was known below a path that is no directory is dropped.
    pub fn set(&mut self, path: &RepoPath, mut record: Record) {
        if record.stat.kind != Kind::Directory {
            self.remove_below(path);
        }
        let (parent, name) = place(path);
        record.name = name.to_vec();
        self.open(parent).insert(name.to_vec(), record);
    }

    /// Forgets an entry, and everything below it.
    pub fn remove(&mut self, path: &RepoPath) {
        self.remove_below(path);
        let (parent, name) = place(path);
        if !self.directories.contains_key(parent) {
            return;
        }
        self.open(parent).remove(name);
    }

    fn remove_below(&mut self, path: &RepoPath) {
        let range = (Bound::Included(path), Bound::Unbounded);
        let below = self.directories.range::<RepoPath, _>(range).take_while(|(below, _)| below.is_within(path));
        let below: Vec<RepoPathBuf> = below.map(|(below, _)| below.clone()).collect();
        for path in below {
            self.directories.remove(&path);
        }
    }

    /// The records of a directory, to be changed: the tree they make is not known any more.
    fn open(&mut self, path: &RepoPath) -> &mut BTreeMap<Vec<u8>, Record> {
        let known = self.directories.entry(path.to_owned()).or_insert_with(|| Known::Open(BTreeMap::new()));
        let records = match known {
            Known::Kept(directory) => Some(directory.block().records().unwrap_or_default()),
            Known::Encoded { count, bytes } => {
                Some(Block::new(bytes, *count).and_then(|block| block.records()).unwrap_or_default())
            }
            Known::Open(_) => None,
        };
        if let Some(records) = records {
            *known = Known::Open(records.into_iter().map(|record| (record.name.clone(), record)).collect());
        }
        match known {
            Known::Open(records) => records,
            _ => unreachable!("opened above"),
        }
    }

    /// Takes over what another one knows of these paths and below them, and of the directories above them. Nothing else:
    /// what the other one has besides may not be in the store.
    pub fn splice(&mut self, mut other: Builder, paths: &[RepoPathBuf]) {
        let selection = Selection::new(paths);
        for path in paths {
            self.remove(path);
        }
        for (path, known) in std::mem::take(&mut other.directories) {
            if selection.covers(&path) {
                self.directories.insert(path, known);
                continue;
            }
            other.directories.insert(path.clone(), known);
            for record in std::mem::take(other.open(&path)).into_values() {
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

    /// Its bytes, written in this boot at this time.
    pub fn encode(&self, origin: ([u8; 16], Timestamp)) -> Vec<u8> {
        let opened: Vec<Option<Vec<u8>>> = self
            .directories
            .values()
            .map(|known| match known {
                Known::Open(records) => Some(record::encode(None, records.values())),
                _ => None,
            })
            .collect();
        let parts = self.directories.iter().zip(&opened).map(|((path, known), opened)| {
            let (records, block, checksum) = match known {
                Known::Kept(directory) => (directory.count(), directory.bytes(), directory.checksum()),
                Known::Encoded { count, bytes } => (*count, bytes.as_slice(), None),
                Known::Open(records) => (records.len(), opened.as_deref().unwrap_or_default(), None),
            };
            Part { path, records, block, checksum }
        });
        file::encode(&parts.collect::<Vec<_>>(), origin)
    }

    /// Writes the file (atomically, not flushed).
    pub fn write(&self, path: &Path) -> Result<()> {
        // The real time, whatever `UNDO_TIME` says: it is compared with ctimes.
        let now = jiff::Timestamp::now().into();
        fs::write_atomic(path, &self.encode((fs::boot_id(), now)), false)
    }
}

/// The directory whose records hold an entry, and its name there: the root is in its own, under the empty name.
fn place(path: &RepoPath) -> (&RepoPath, &[u8]) {
    (path.parent().unwrap_or(RepoPath::root()), path.name().unwrap_or_default())
}
