//! An index to be written, and changes to it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use super::file::{self, Checksum, Directory, Index, Part, Source};
use super::record::{self, Block, BlockEncoder, Record, Total};
use super::spool::{Spool, Spooled};
use crate::environment::Durability;
use crate::error::Result;
use crate::fs;
use crate::metadata::Kind;
use crate::path::set::PathSet;
use crate::path::{RepoPath, RepoPathBuf};
use crate::time::Timestamp;

/// An index to be written. Unchanged directories stay in the file that they were read from.
#[derive(Debug, Default)]
pub struct Builder {
    directories: BTreeMap<RepoPathBuf, Records>,
    /// Storage for blocks that exceed the memory limit.
    spool: Option<Arc<Spool>>,
}

/// The records of one directory.
#[derive(Debug)]
enum Records {
    /// In an index file.
    Kept(Directory),
    /// Encoded, so that a large worktree takes little memory.
    Encoded { count: usize, bytes: Vec<u8> },
    /// Encoded, in a file, with the checksum for the index.
    Spooled { count: usize, bytes: Spooled, checksum: Checksum },
}

impl Records {
    /// The encoded records, if they are in memory or in an index file.
    fn block(&self) -> Option<Block<'_>> {
        match self {
            Records::Kept(directory) => Some(directory.block()),
            Records::Encoded { count, bytes } => Block::new(bytes, *count),
            Records::Spooled { .. } => None,
        }
    }

    /// Reads something from the encoded records; `None` if they are unreadable.
    fn read<T>(&self, read: impl FnOnce(Block<'_>) -> Option<T>) -> Option<T> {
        match self {
            // From a copy, so that the block does not stay in memory.
            Records::Kept(directory) => read(directory.clone().block()),
            Records::Encoded { .. } => read(self.block()?),
            Records::Spooled { count, bytes, .. } => read(Block::new(&bytes.read().ok()?, *count)?),
        }
    }

    fn find(&self, name: &[u8]) -> Option<Record> {
        self.read(|block| block.record(block.position(name).ok()?))
    }
}

impl Builder {
    /// Creates a builder that would write the same index again.
    pub fn from_index(index: &Index) -> Builder {
        let kept = index.directories().map(|(path, directory)| (path.to_owned(), Records::Kept(directory)));
        Builder { directories: kept.collect(), spool: None }
    }

    /// Creates an empty builder that keeps blocks beyond the memory limit in a file.
    pub fn spooled(spool: Arc<Spool>) -> Builder {
        Builder { spool: Some(spool), ..Builder::default() }
    }

    /// Keeps all records of a directory of an index file.
    pub fn keep(&mut self, path: RepoPathBuf, directory: Directory) {
        self.directories.insert(path, Records::Kept(directory));
    }

    /// Sets the records of a directory, sorted by name, and their tree, if known.
    pub fn insert(&mut self, path: RepoPathBuf, total: Option<Total>, records: &[Record]) {
        self.put(path, records.len(), record::encode(total, records));
    }

    /// Sets the encoded records of a directory.
    fn put(&mut self, path: RepoPathBuf, count: usize, bytes: Vec<u8>) {
        let spooled = self.spool.as_ref().and_then(|spool| spool.keep(&bytes));
        let records = match spooled {
            Some(spooled) => {
                let checksum = file::checksum_of(&path, count, &bytes);
                Records::Spooled { count, bytes: spooled, checksum }
            }
            None => Records::Encoded { count, bytes },
        };
        self.directories.insert(path, records);
    }

    /// Removes a directory and returns it, with its records in memory.
    fn take(&mut self, path: &RepoPath) -> Option<Records> {
        match self.directories.remove(path)? {
            Records::Spooled { count, bytes, .. } => {
                Some(Records::Encoded { count, bytes: bytes.read().ok()?.to_vec() })
            }
            records => Some(records),
        }
    }

    /// Moves the directories of another builder into this one.
    pub fn absorb(&mut self, mut other: Builder) {
        self.directories.append(&mut other.directories);
    }

    /// The record of an entry.
    pub fn find(&self, path: &RepoPath) -> Option<Record> {
        let (parent, name) = place(path);
        self.directories.get(parent)?.find(name)
    }

    /// Drops the records of a directory and of all directories below it.
    fn remove_below(&mut self, path: &RepoPath) {
        let range = (Bound::Included(path), Bound::Unbounded);
        let below = self.directories.range::<RepoPath, _>(range).take_while(|(below, _)| below.is_within(path));
        let below: Vec<RepoPathBuf> = below.map(|(below, _)| below.clone()).collect();
        for path in below {
            self.directories.remove(&path);
        }
    }

    /// Takes over the records of these paths, of what is below them, and of their parent directories from another builder.
    /// The objects of its other records may not be in the store.
    pub fn splice(&mut self, other: Builder, paths: &[RepoPathBuf]) {
        let selection = PathSet::topmost(paths.to_vec());
        let mut changes: BTreeMap<RepoPathBuf, Option<Record>> =
            paths.iter().map(|path| (path.clone(), None)).collect();
        let mut whole = Vec::new();
        for (path, records) in other.directories {
            if selection.covers(&path) {
                whole.push((path, records));
                continue;
            }
            for record in records.read(|block| block.records()).unwrap_or_default() {
                let below = if record.name.is_empty() { path.clone() } else { path.join(&record.name) };
                if selection.covers(&below) || selection.has_within(&below) {
                    changes.insert(below, Some(record));
                }
            }
        }
        paths.iter().for_each(|path| self.remove_below(path));
        let mut update = Update::new(self);
        for (path, record) in changes {
            match record {
                Some(record) => update.set(&path, record),
                None => update.remove(&path),
            }
        }
        update.finish();
        self.directories.extend(whole);
    }

    /// Whether writing it would change nothing.
    pub fn is_same(&self, index: &Index) -> bool {
        let is_kept = |records: &Records| matches!(records, Records::Kept(directory) if index.owns(directory));
        let is_trusted = index.doubtful_since().is_none();
        is_trusted && self.directories.len() == index.count() && self.directories.values().all(is_kept)
    }

    /// The bytes of the index file in pieces, for this boot and time.
    pub fn encode<'b>(&'b self, origin: ([u8; 16], Timestamp)) -> impl Iterator<Item = Cow<'b, [u8]>> {
        let part = |(path, records): (&'b RepoPathBuf, &'b Records)| {
            let (records, block) = match records {
                Records::Kept(directory) => (directory.expected_count(), Source::Kept(directory)),
                Records::Encoded { count, bytes } => (*count, Source::New(bytes)),
                Records::Spooled { count, bytes, checksum } => (*count, Source::Spooled(bytes, *checksum)),
            };
            Part { path, records, block }
        };
        file::encode(self.directories.iter().map(part).collect(), origin)
    }

    /// Writes the file atomically, without a flush.
    pub fn write(&self, path: &Path) -> Result<()> {
        // The real time, whatever clock the environment has, because it is compared with ctimes.
        let now = jiff::Timestamp::now().into();
        fs::write_atomic(path, self.encode((fs::boot_id(), now)), Durability::NoSync)
    }
}

/// The directory whose records include an entry, and the entry's name there. The root is in its own directory, under the empty
/// name.
fn place(path: &RepoPath) -> (&RepoPath, &[u8]) {
    (path.parent().unwrap_or(RepoPath::root()), path.name().unwrap_or_default())
}

/// Changes an index in path order. Directories are rewritten record by record, so that only their bytes are in memory. Changes
/// are lost unless [`Update::finish`] is called.
#[derive(Debug)]
pub struct Update<'b> {
    builder: &'b mut Builder,
    /// The directories being rewritten, each in the previous one.
    open: Vec<Rewritten>,
}

/// A directory that is being rewritten.
#[derive(Debug)]
struct Rewritten {
    path: RepoPathBuf,
    base: Option<Records>,
    /// Number of base records that were copied or skipped.
    passed: usize,
    block: BlockEncoder,
}

impl<'b> Update<'b> {
    /// Starts changing an index.
    pub fn new(builder: &'b mut Builder) -> Update<'b> {
        Update { builder, open: Vec::new() }
    }

    /// The record of an entry before this update.
    pub fn find(&self, path: &RepoPath) -> Option<Record> {
        let (parent, name) = place(path);
        match self.open.iter().find(|open| *open.path == *parent) {
            Some(open) => open.base.as_ref()?.find(name),
            None => self.builder.find(path),
        }
    }

    /// Sets the record of an entry; its name is the path's. Drops everything below an entry that is not a directory. Paths must
    /// be given in path order.
    pub fn set(&mut self, path: &RepoPath, mut record: Record) {
        let (parent, name) = place(path);
        record.name = name.to_vec();
        self.enter(parent).skip(name);
        if record.stat.kind != Kind::Directory {
            self.builder.remove_below(path);
        }
        if let Some(directory) = self.open.last_mut() {
            directory.block.push(&record);
        }
    }

    /// Removes an entry and everything below it. Paths must be in the same order as for [`Update::set`].
    pub fn remove(&mut self, path: &RepoPath) {
        let (parent, name) = place(path);
        let is_known =
            self.builder.directories.contains_key(parent) || self.open.iter().any(|open| *open.path == *parent);
        if is_known && self.enter(parent).skip(name) {
            self.builder.remove_below(path);
        }
    }

    /// Completes the update.
    pub fn finish(mut self) {
        while self.close() {}
    }

    /// Starts rewriting the directory at a path, unless it is being rewritten already.
    fn enter(&mut self, path: &RepoPath) -> &mut Rewritten {
        while self.open.last().is_some_and(|last| !path.is_within(&last.path)) {
            self.close();
        }
        if self.open.last().is_none_or(|last| *last.path != *path) {
            let base = self.builder.take(path);
            let block = BlockEncoder::default();
            self.open.push(Rewritten { path: path.to_owned(), base, passed: 0, block });
        }
        let last = self.open.len() - 1;
        &mut self.open[last]
    }

    /// Completes the innermost directory; `false` if none is open.
    fn close(&mut self) -> bool {
        let Some(mut directory) = self.open.pop() else { return false };
        directory.copy(|_| true);
        let (count, bytes) = directory.block.finish(None);
        self.builder.put(directory.path, count, bytes);
        true
    }
}

impl Rewritten {
    /// Copies base records while their names satisfy `is_wanted`.
    fn copy(&mut self, is_wanted: impl Fn(&[u8]) -> bool) {
        let Some(block) = self.base.as_ref().and_then(Records::block) else { return };
        while self.passed < block.count() && is_wanted(block.name(self.passed)) {
            // An invalid record is dropped, so its file is read again.
            if let Some(record) = block.record(self.passed) {
                self.block.push(&record);
            }
            self.passed += 1;
        }
    }

    /// Copies the records before a name and skips the record of that name. Returns whether that was a directory.
    fn skip(&mut self, name: &[u8]) -> bool {
        self.copy(|known| known < name);
        let Some(block) = self.base.as_ref().and_then(Records::block) else { return false };
        if self.passed == block.count() || block.name(self.passed) != name {
            return false;
        }
        self.passed += 1;
        block.record(self.passed - 1).is_some_and(|record| record.stat.kind == Kind::Directory)
    }
}
