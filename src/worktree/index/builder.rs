//! An index to be written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;

use super::file::{Checksum, Directory, HEADER, Header, Index, ROW, Row, checksum_of};
use super::record::{self, Block, Record, Total};
use super::spool::{Spool, Spooled};
use crate::codec::Encoder;
use crate::environment::Durability;
use crate::error::Result;
use crate::fs;
use crate::path::{RepoPath, RepoPathBuf};
use crate::time::Timestamp;

/// An index to be written. Unchanged directories stay in the file that they were read from.
#[derive(Debug, Default)]
pub struct Builder {
    pub(super) directories: BTreeMap<RepoPathBuf, Records>,
    /// Storage for blocks that exceed the memory limit.
    pub(super) spool: Option<Arc<Spool>>,
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
    #[cfg(test)]
    pub fn insert(&mut self, path: RepoPathBuf, total: Option<Total>, records: &[Record]) {
        let records = Records::new(&path, total, records, self.spool.as_ref());
        self.put(path, records);
    }

    /// Sets the encoded records of a directory.
    pub fn put(&mut self, path: RepoPathBuf, records: Records) {
        self.directories.insert(path, records);
    }

    /// Takes all directories of another builder, in place of those at the same paths.
    pub fn replace(&mut self, other: Builder) {
        self.directories.extend(other.directories);
        self.spool = self.spool.take().or(other.spool);
    }

    /// The record of an entry.
    pub fn find(&self, path: &RepoPath) -> Option<Record> {
        let (parent, name) = place(path);
        self.directories.get(parent)?.read(|block| find_in(block, name))?
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

    /// Whether writing it would change nothing.
    pub fn is_same(&self, index: &Index) -> bool {
        let is_kept = |records: &Records| matches!(records, Records::Kept(directory) if index.owns(directory));
        let is_trusted = index.doubtful_since().is_none();
        is_trusted && self.directories.len() == index.count() && self.directories.values().all(is_kept)
    }

    /// The bytes of the index file in pieces, for this boot and time.
    pub fn encode(&self, origin: ([u8; 16], Timestamp)) -> impl Iterator<Item = Cow<'_, [u8]>> {
        encode(&self.directories, origin)
    }

    /// Writes the file, if it would differ from that of `index`. A failure only costs time: the next scan reads more.
    pub fn write_if_changed(&self, index: &Index, path: &Path) {
        if !self.is_same(index) {
            let _ = self.write(path);
        }
    }

    /// Writes the file atomically, without a flush.
    pub fn write(&self, path: &Path) -> Result<()> {
        // The real time, whatever clock the environment has, because it is compared with ctimes.
        let now = jiff::Timestamp::now().into();
        fs::write_atomic(path, self.encode((fs::boot_id(), now)), Durability::NoSync)
    }
}

/// The records of one directory in an index to be written.
#[derive(Debug)]
pub enum Records {
    /// In the index file that they were read from.
    Kept(Directory),
    /// Encoded, so that a large worktree takes little memory.
    New { count: usize, block: Spooled, checksum: Checksum },
}

impl Records {
    /// Encodes records, sorted by name, and their tree, if known. Without a spool, they stay in memory.
    pub fn new(path: &RepoPath, total: Option<Total>, records: &[Record], spool: Option<&Arc<Spool>>) -> Records {
        Records::encoded(path, records.len(), record::encode(total, records), spool)
    }

    /// Takes the encoded records of the directory at a path.
    pub fn encoded(path: &RepoPath, count: usize, bytes: Vec<u8>, spool: Option<&Arc<Spool>>) -> Records {
        let checksum = checksum_of(path, count, &bytes);
        Records::New { count, block: Spooled::new(bytes, spool), checksum }
    }

    /// Passes the encoded records to a function; `None` if they are unreadable.
    pub fn read<T>(&self, read: impl FnOnce(Block<'_>) -> T) -> Option<T> {
        match self {
            // From a clone, so that the block does not stay in memory.
            Records::Kept(directory) => Some(read(directory.clone().block())),
            Records::New { count, block, .. } => block.read(|bytes| Block::new(bytes, *count).map(read)).ok()?,
        }
    }

    /// Number of records, length of the block, and checksum.
    fn summary(&self) -> (usize, usize, Checksum) {
        match self {
            Records::Kept(directory) => {
                let Row { records, length, checksum, .. } = directory.row;
                (records, length, checksum)
            }
            Records::New { count, block, checksum } => (*count, block.length(), *checksum),
        }
    }

    /// The block in the file to be written. An unreadable one makes the new file invalid, or does not match its checksum.
    fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Records::Kept(directory) => directory.copy().into(),
            Records::New { block: Spooled::Memory(bytes), .. } => bytes.into(),
            Records::New { block, .. } => block.read(<[u8]>::to_vec).unwrap_or_default().into(),
        }
    }
}

/// Encodes an index file in pieces: header, table and paths, then the blocks. `origin` is the boot id and the time.
fn encode(
    directories: &BTreeMap<RepoPathBuf, Records>,
    origin: ([u8; 16], Timestamp),
) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let paths: usize = directories.keys().map(|path| path.as_bytes().len()).sum();
    let blocks: usize = directories.values().map(|records| records.summary().1).sum();
    let paths_start = HEADER + directories.len() * ROW;
    let (mut path_at, mut block_at) = (paths_start, paths_start + paths);
    let mut head = Encoder::new();
    head.raw(&Header::encode(directories.len(), block_at + blocks, origin));
    for (path, records) in directories {
        let (path_length, (count, length, checksum)) = (path.as_bytes().len(), records.summary());
        head.u64(path_at as u64).u32(path_length as u32).u32(count as u32);
        head.u64(block_at as u64).u64(length as u64).raw(&checksum);
        path_at += path_length;
        block_at += length;
    }
    for path in directories.keys() {
        head.raw(path.as_bytes());
    }
    std::iter::once(head.finish().into()).chain(directories.values().map(Records::bytes))
}

pub(super) fn find_in(block: Block<'_>, name: &[u8]) -> Option<Record> {
    block.record(block.position(name).ok()?)
}

/// The directory whose records include an entry, and the entry's name there. The root is in its own directory, under the empty
/// name.
pub(super) fn place(path: &RepoPath) -> (&RepoPath, &[u8]) {
    (path.parent().unwrap_or(RepoPath::root()), path.name().unwrap_or_default())
}
