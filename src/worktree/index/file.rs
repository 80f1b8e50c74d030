//! The index file: a header, a table of directories, and a block of records for each.
//!
//! Opening reads the header, the table and the paths. The block of a directory is read, and its checksum checked, when the
//! records are asked for, so damage costs time and nothing else.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::record::{Block, HEAD, Record, Total, number};
use super::spool::Spooled;
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::fs::{self, BlockFile, Bytes};
use crate::path::RepoPath;
use crate::time::Timestamp;

const MAGIC: &[u8; 8] = b"undoindx";
const VERSION: u32 = 2;
/// magic, version, zero, directories, length of the file, boot, time, zero, checksum of all that.
const HEADER: usize = 8 + 4 + 4 + 8 + 8 + 16 + 12 + 4 + CHECKSUM;
/// path offset and length, records, block offset and length, checksum of path and block.
const ROW: usize = 8 + 4 + 4 + 8 + 8 + CHECKSUM;
/// A BLAKE3 hash, shortened: against accidents, not against people who can write the repository.
const CHECKSUM: usize = 16;

/// An open index file; or none. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Index {
    opened: Option<Arc<Opened>>,
    /// Why the file cannot be read.
    failure: Option<Arc<Error>>,
}

/// Seconds after which the system has written a change to the disk, with much to spare: 30 to 35 by default.
const WRITTEN_BACK: i64 = 600;

/// Bytes read at once: the blocks of many small directories. Small in unit tests, so that directories span such parts.
const READ: usize = if cfg!(test) { 100 } else { 256 << 10 };

/// Directories whose blocks are kept in memory.
const VERIFIED: usize = 8;

/// Parts of that length kept in memory: the index of a million files has a hundred megabytes.
const KEPT: usize = 16;

#[derive(Debug)]
struct Opened {
    file: BlockFile,
    header: Header,
    /// Header, table and paths.
    head: Vec<u8>,
    /// The rows whose blocks were verified last, oldest first: one directory is often asked for many of its names.
    verified: Mutex<VecDeque<(usize, Bytes)>>,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    directories: usize,
    boot: [u8; 16],
    time: Timestamp,
}

/// The records of one directory, sorted by name. They are read when they are first asked for: many directories may wait for
/// their turn in a scan.
#[derive(Debug)]
pub struct Directory {
    opened: Arc<Opened>,
    /// Its row in the table.
    row: usize,
    start: u64,
    length: usize,
    records: usize,
    /// Its block; `None` if it cannot be read or has another checksum.
    block: OnceLock<Option<Bytes>>,
}

/// The same directory, not yet read.
impl Clone for Directory {
    fn clone(&self) -> Directory {
        Directory { opened: self.opened.clone(), block: OnceLock::new(), ..*self }
    }
}

/// One row of the table of directories.
struct Row {
    records: usize,
    block: (u64, usize),
    checksum: [u8; CHECKSUM],
}

impl Index {
    /// One that knows nothing.
    pub fn empty() -> Index {
        Index::default()
    }

    /// Opens the file. One that does not exist, cannot be read, is damaged or of another version knows nothing: the index is a
    /// cache.
    pub fn open(path: &Path) -> Index {
        let opened = BlockFile::open(path, READ, KEPT).and_then(|file| file.map_or(Ok(None), Opened::new));
        match opened {
            Ok(opened) => Index { opened: opened.map(Arc::new), failure: None },
            Err(error) => Index { opened: None, failure: Some(Arc::new(error)) },
        }
    }

    /// Why the file cannot be read: then all content of the worktree is.
    pub fn failure(&self) -> Option<&Arc<Error>> {
        self.failure.as_ref()
    }

    /// From when on changes may have been lost since it was written; `None`: none was. After a power cut a file can have its
    /// last stat and older content: the one may be on disk before the other.
    pub fn doubtful_since(&self) -> Option<Timestamp> {
        let Header { boot, time, .. } = self.opened.as_ref()?.header;
        let since = Timestamp { seconds: time.seconds.saturating_sub(WRITTEN_BACK), ..time };
        (boot != fs::boot_id()).then_some(since)
    }

    /// What it knows of a directory. Whether that can be read shows when it is asked for.
    pub fn directory(&self, path: &RepoPath) -> Option<Directory> {
        let opened = self.opened.as_ref()?;
        let (mut low, mut high) = (0, opened.header.directories);
        while low < high {
            let middle = low + (high - low) / 2;
            match opened.path(middle)?.cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Directory::new(opened, middle),
            }
        }
        None
    }

    /// All directories that can be read, in path order.
    pub fn directories(&self) -> impl Iterator<Item = (&RepoPath, Directory)> {
        self.opened.iter().flat_map(|opened| {
            (0..opened.header.directories).filter_map(|row| {
                let directory = Directory::new(opened, row)?;
                // Not the one that was read, or all of the file would be in memory.
                Some((opened.path(row)?, directory.clone())).filter(|_| directory.is_readable())
            })
        })
    }

    /// How many directories the file has.
    pub fn count(&self) -> usize {
        self.opened.as_ref().map_or(0, |opened| opened.header.directories)
    }

    /// Whether a directory is of this very file.
    pub fn owns(&self, directory: &Directory) -> bool {
        self.opened.as_ref().is_some_and(|opened| Arc::ptr_eq(opened, &directory.opened))
    }
}

impl Header {
    /// The header, if it is whole and the table fits into a file of this size.
    fn of(bytes: &[u8], size: u64) -> Option<Header> {
        let mut header = Decoder::new("index", bytes.get(..HEADER)?);
        let magic: [u8; 8] = header.array().ok()?;
        let (version, _zero) = (header.u32().ok()?, header.u32().ok()?);
        let (directories, length) = (header.u64().ok()?, header.u64().ok()?);
        let (boot, time, _zero) = (header.array().ok()?, header.time().ok()?, header.u32().ok()?);
        let sum: [u8; CHECKSUM] = header.array().ok()?;
        let right = magic == *MAGIC && version == VERSION && sum == checksum(&[&bytes[..HEADER - CHECKSUM]]);
        let directories = usize::try_from(directories).ok()?;
        let table_end = directories.checked_mul(ROW)?.checked_add(HEADER)?;
        let fits = length == size && table_end as u64 <= size;
        (right && fits).then_some(Header { directories, boot, time })
    }

    fn encode(parts: usize, length: usize, (boot, time): ([u8; 16], Timestamp)) -> Vec<u8> {
        let mut header = Encoder::new();
        header.raw(MAGIC).u32(VERSION).u32(0).u64(parts as u64).u64(length as u64).raw(&boot).time(time).u32(0);
        let sum = checksum(&[header.as_slice()]);
        header.raw(&sum);
        header.finish()
    }
}

/// A shortened hash.
pub type Checksum = [u8; CHECKSUM];

/// The checksum of a directory: of its path, how many records it has, and their bytes.
pub fn checksum_of(path: &RepoPath, records: usize, block: &[u8]) -> Checksum {
    checksum(&[path.as_bytes(), &(records as u64).to_le_bytes(), block])
}

fn checksum(parts: &[&[u8]]) -> Checksum {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    let hash = hasher.finalize();
    hash.as_bytes()[..CHECKSUM].try_into().expect("a hash is longer")
}

impl Opened {
    /// `None` if it is damaged or of another version.
    fn new(file: BlockFile) -> Result<Option<Opened>> {
        if file.size() < HEADER as u64 {
            return Ok(None);
        }
        let Some(header) = Header::of(&file.read(0, HEADER)?, file.size()) else { return Ok(None) };
        let table_end = HEADER + header.directories * ROW;
        let head = file.read(0, table_end)?.to_vec();
        let mut opened = Opened { file, header, head, verified: Mutex::default() };
        // The paths lie between the table and the first block.
        let paths_end = opened.row(0).map_or(table_end as u64, |row| row.block.0);
        if paths_end > table_end as u64 && paths_end <= opened.file.size() {
            let paths = opened.file.read(table_end as u64, (paths_end - table_end as u64) as usize)?;
            opened.head.extend_from_slice(&paths);
        }
        Ok(Some(opened))
    }

    fn row(&self, row: usize) -> Option<Row> {
        let bytes = self.head.get(HEADER + row * ROW..)?.get(..ROW)?;
        let mut fields = Decoder::new("index", bytes);
        let _path = (fields.u64().ok()?, fields.u32().ok()?);
        let records = fields.u32().ok()? as usize;
        let block = (fields.u64().ok()?, usize::try_from(fields.u64().ok()?).ok()?);
        Some(Row { records, block, checksum: fields.array().ok()? })
    }

    fn verified_block(&self, directory: &Directory) -> Option<Bytes> {
        let verified = || self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, block)) = verified().iter().find(|(row, _)| *row == directory.row) {
            return Some(block.clone());
        }
        let (found, path) = (self.row(directory.row)?, self.path(directory.row)?);
        let block = self.file.read(directory.start, directory.length).ok()?;
        let is_right = checksum_of(path, directory.records, &block) == found.checksum;
        Block::new(&block, directory.records).filter(|_| is_right)?;
        let mut verified = verified();
        if verified.len() == VERIFIED {
            verified.pop_front();
        }
        verified.push_back((directory.row, block.clone()));
        Some(block)
    }

    fn path_bytes(&self, (start, length): (usize, usize)) -> Option<&[u8]> {
        self.head.get(start..)?.get(..length)
    }

    fn path(&self, row: usize) -> Option<&RepoPath> {
        // Only the place is decoded: a search asks for many paths.
        let at = HEADER + row * ROW;
        let length = u32::from_le_bytes(self.head.get(at + 8..at + 12)?.try_into().ok()?);
        RepoPath::new(self.path_bytes((usize::try_from(number(&self.head, at)).ok()?, length as usize))?)
    }
}

/// What stands for a block that cannot be read: no record, and no tree that they make.
const NOTHING: [u8; HEAD] = [0; HEAD];

impl Directory {
    fn new(opened: &Arc<Opened>, row: usize) -> Option<Directory> {
        let Row { records, block: (start, length), .. } = opened.row(row)?;
        Some(Directory { opened: opened.clone(), row, start, length, records, block: OnceLock::new() })
    }

    /// Its block, if it can be read and is as it was written.
    fn bytes(&self) -> Option<&[u8]> {
        self.block.get_or_init(|| self.opened.verified_block(self)).as_deref()
    }

    /// Whether its records can be read.
    pub fn is_readable(&self) -> bool {
        self.bytes().is_some()
    }

    /// Its records in place; none if they cannot be read.
    pub fn block(&self) -> Block<'_> {
        let block = self.bytes().and_then(|bytes| Block::new(bytes, self.records));
        block.unwrap_or_else(|| Block::new(&NOTHING, 0).expect("no record fits into any block"))
    }

    /// Its bytes, to be written again. Where they cannot be read any more, others that do not fit their checksum either.
    fn copy(&self) -> Vec<u8> {
        let read = self.opened.file.read(self.start, self.length);
        read.map_or_else(|_| vec![0; self.length], |block| block.to_vec())
    }

    /// How many records it should have, readable or not.
    pub fn expected_count(&self) -> usize {
        self.records
    }

    /// How many records it has.
    pub fn count(&self) -> usize {
        self.block().count()
    }

    /// The tree that its records make, if that was known.
    pub fn total(&self) -> Option<Total> {
        self.block().total()
    }

    /// The record of a name; of the root's directory the empty name is the root itself.
    pub fn find(&self, name: &[u8]) -> Option<Record> {
        let block = self.block();
        block.record(block.position(name).ok()?)
    }
}

/// One directory of a file to be written.
pub struct Part<'p> {
    /// Its path.
    pub path: &'p RepoPath,
    /// How many records it has.
    pub records: usize,
    /// Their bytes.
    pub block: Source<'p>,
}

/// Where the bytes of a directory come from.
pub enum Source<'p> {
    /// From a file that has them, with their checksum.
    Kept(&'p Directory),
    /// From here.
    New(Cow<'p, [u8]>),
    /// From a spool, with their checksum.
    Spooled(&'p Spooled, Checksum),
}

impl Part<'_> {
    fn length(&self) -> usize {
        match &self.block {
            Source::Kept(directory) => directory.length,
            Source::New(bytes) => bytes.len(),
            Source::Spooled(bytes, _) => bytes.length(),
        }
    }

    fn checksum(&self) -> Checksum {
        let of = |block: &[u8]| checksum_of(self.path, self.records, block);
        match &self.block {
            Source::Kept(directory) => {
                let row = directory.opened.row(directory.row);
                row.map_or([0; CHECKSUM], |row| row.checksum)
            }
            Source::New(bytes) => of(bytes),
            Source::Spooled(_, checksum) => *checksum,
        }
    }
}

/// The bytes of an index file in pieces: header, table and paths, then the blocks. The parts are in path order. `origin` is
/// the boot and the time.
pub fn encode<'p>(parts: Vec<Part<'p>>, origin: ([u8; 16], Timestamp)) -> impl Iterator<Item = Cow<'p, [u8]>> {
    let paths: usize = parts.iter().map(|part| part.path.as_bytes().len()).sum();
    let blocks: usize = parts.iter().map(Part::length).sum();
    let paths_start = HEADER + parts.len() * ROW;
    let mut bytes = Vec::with_capacity(paths_start + paths);
    bytes.extend_from_slice(&Header::encode(parts.len(), paths_start + paths + blocks, origin));
    let (mut path_at, mut block_at) = (paths_start, paths_start + paths);
    for part in &parts {
        let mut row = Encoder::new();
        row.u64(path_at as u64).u32(part.path.as_bytes().len() as u32).u32(part.records as u32);
        row.u64(block_at as u64).u64(part.length() as u64).raw(&part.checksum());
        bytes.extend_from_slice(row.as_slice());
        path_at += part.path.as_bytes().len();
        block_at += part.length();
    }
    parts.iter().for_each(|part| bytes.extend_from_slice(part.path.as_bytes()));
    let blocks = parts.into_iter().map(|part| match part.block {
        Source::Kept(directory) => directory.copy().into(),
        Source::New(bytes) => bytes,
        // What cannot be read is missing then: a file of another length than its header says is not believed.
        Source::Spooled(bytes, _) => bytes.read().map(|bytes| bytes.to_vec()).unwrap_or_default().into(),
    });
    std::iter::once(bytes.into()).chain(blocks)
}
