//! The index file: a header, a table of directories, and a block of records for each.
//!
//! Opening maps the file and looks at its header; the checksum of a directory is looked at when the directory is asked
//! for, so damage costs time and nothing else.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::record::{Block, FIXED, Record, Total, number};
use super::spool::Spooled;
use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::fs::{self, Map};
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

/// The index file, mapped; or none. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Index {
    mapped: Option<Arc<Mapped>>,
}

/// Seconds after which the system has written a change to the disk, with much to spare: 30 to 35 by default.
const WRITTEN_BACK: i64 = 600;

/// Bytes of blocks that are in memory at once, about: the index of a million files has a hundred megabytes. So few in unit
/// tests that they are let go all the time.
const HELD: usize = if cfg!(test) { 100 } else { 16 << 20 };

#[derive(Debug)]
struct Mapped {
    map: Map,
    header: Header,
    /// Bytes of blocks that were read since the last ones were let go.
    read_since: AtomicUsize,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    directories: usize,
    boot: [u8; 16],
    time: Timestamp,
}

/// The records of one directory, sorted by name.
#[derive(Clone, Debug)]
pub struct Directory {
    mapped: Arc<Mapped>,
    /// Its row in the table.
    row: usize,
    start: usize,
    length: usize,
    records: usize,
}

/// One row of the table of directories.
struct Row {
    path: (usize, usize),
    records: usize,
    block: (usize, usize),
    checksum: [u8; CHECKSUM],
}

impl Index {
    /// One that knows nothing.
    pub fn empty() -> Index {
        Index::default()
    }

    /// Maps the file; one that is missing, damaged or of another version knows nothing.
    pub fn open(path: &Path) -> Result<Index> {
        let Some(map) = Map::open(path)? else { return Ok(Index::empty()) };
        let mapped = Header::of(&map).map(|header| Arc::new(Mapped { map, header, read_since: AtomicUsize::new(0) }));
        Ok(Index { mapped })
    }

    /// From when on changes may have been lost since it was written; `None`: none was. After a power cut a file can have its
    /// last stat and older content: the one may be on disk before the other.
    pub fn doubtful_since(&self) -> Option<Timestamp> {
        let Header { boot, time, .. } = self.mapped.as_ref()?.header;
        let since = Timestamp { seconds: time.seconds.saturating_sub(WRITTEN_BACK), ..time };
        (boot != fs::boot_id()).then_some(since)
    }

    /// What it knows of a directory.
    pub fn directory(&self, path: &RepoPath) -> Option<Directory> {
        let mapped = self.mapped.as_ref()?;
        let (mut low, mut high) = (0, mapped.header.directories);
        while low < high {
            let middle = low + (high - low) / 2;
            match mapped.path(middle)?.cmp(path) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Directory::checked(mapped, middle),
            }
        }
        None
    }

    /// All directories whose bytes are whole, in path order.
    pub fn directories(&self) -> impl Iterator<Item = (&RepoPath, Directory)> {
        self.mapped.iter().flat_map(|mapped| {
            (0..mapped.header.directories).filter_map(|row| Some((mapped.path(row)?, Directory::checked(mapped, row)?)))
        })
    }

    /// How many directories the file has.
    pub fn count(&self) -> usize {
        self.mapped.as_ref().map_or(0, |mapped| mapped.header.directories)
    }

    /// Whether a directory is of this very file.
    pub fn owns(&self, directory: &Directory) -> bool {
        self.mapped.as_ref().is_some_and(|mapped| Arc::ptr_eq(mapped, &directory.mapped))
    }
}

impl Header {
    /// The header, if it is whole and the table fits into the file.
    fn of(bytes: &[u8]) -> Option<Header> {
        let mut header = Decoder::new("index", bytes.get(..HEADER)?);
        let magic: [u8; 8] = header.array().ok()?;
        let (version, _zero) = (header.u32().ok()?, header.u32().ok()?);
        let (directories, length) = (header.u64().ok()?, header.u64().ok()?);
        let (boot, time, _zero) = (header.array().ok()?, header.time().ok()?, header.u32().ok()?);
        let sum: [u8; CHECKSUM] = header.array().ok()?;
        let right = magic == *MAGIC && version == VERSION && sum == checksum(&[&bytes[..HEADER - CHECKSUM]]);
        let directories = usize::try_from(directories).ok()?;
        let table_end = directories.checked_mul(ROW)?.checked_add(HEADER)?;
        let fits = length == bytes.len() as u64 && table_end <= bytes.len();
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

impl Mapped {
    fn row(&self, row: usize) -> Option<Row> {
        let bytes = self.map.get(HEADER + row * ROW..)?.get(..ROW)?;
        let mut fields = Decoder::new("index", bytes);
        let place = |number: u64| usize::try_from(number).ok();
        let path_start = place(fields.u64().ok()?)?;
        let path = (path_start, fields.u32().ok()? as usize);
        let records = fields.u32().ok()? as usize;
        let block = (place(fields.u64().ok()?)?, place(fields.u64().ok()?)?);
        Some(Row { path, records, block, checksum: fields.array().ok()? })
    }

    fn slice(&self, (start, length): (usize, usize)) -> Option<&[u8]> {
        self.map.get(start..)?.get(..length)
    }

    /// The bytes of a block of which all is about to be read. Those that were read before do not stay in memory.
    fn read_block(&self, (start, length): (usize, usize)) -> Option<&[u8]> {
        self.release_if_much(length);
        self.slice((start, length))
    }

    /// So many bytes are about to be read; what was read before is let go once it is much.
    fn release_if_much(&self, length: usize) {
        if self.read_since.fetch_add(length, Ordering::Relaxed) > HELD {
            self.read_since.store(0, Ordering::Relaxed);
            self.map.release();
        }
    }

    fn path(&self, row: usize) -> Option<&RepoPath> {
        // Only the place is decoded: a search asks for many paths.
        let at = HEADER + row * ROW;
        let length = u32::from_le_bytes(self.map.get(at + 8..at + 12)?.try_into().ok()?);
        let path = self.slice((usize::try_from(number(&self.map, at)).ok()?, length as usize))?;
        RepoPath::new(path)
    }
}

impl Directory {
    fn checked(mapped: &Arc<Mapped>, row: usize) -> Option<Directory> {
        let found = mapped.row(row)?;
        let (path, block) = (mapped.slice(found.path)?, mapped.read_block(found.block)?);
        let records = found.records;
        let right = checksum(&[path, &(records as u64).to_le_bytes(), block]) == found.checksum;
        let (start, length) = found.block;
        Block::new(block, records).filter(|_| right).map(|_| Directory {
            mapped: mapped.clone(),
            row,
            start,
            length,
            records,
        })
    }

    /// Its records in place.
    pub fn block(&self) -> Block<'_> {
        Block::new(self.bytes(), self.records).expect("checked when it was asked for")
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.mapped.map[self.start..self.start + self.length]
    }

    /// Its bytes, all of them to be read, and once.
    fn read(&self) -> &[u8] {
        self.mapped.read_block((self.start, self.length)).expect("checked when it was asked for")
    }

    /// How many records it has.
    pub fn count(&self) -> usize {
        self.records
    }

    /// The tree that its records make, if that was known.
    pub fn total(&self) -> Option<Total> {
        self.block().total()
    }

    /// The record of a name; of the root's directory the empty name is the root itself.
    pub fn find(&self, name: &[u8]) -> Option<Record> {
        self.mapped.release_if_much(FIXED);
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
                let row = directory.mapped.row(directory.row);
                row.map_or_else(|| of(directory.bytes()), |row| row.checksum)
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
        Source::Kept(directory) => directory.read().into(),
        Source::New(bytes) => bytes,
        // What cannot be read is missing then: a file of another length than its header says is not believed.
        Source::Spooled(bytes, _) => bytes.read().map(|bytes| bytes.to_vec()).unwrap_or_default().into(),
    });
    std::iter::once(bytes.into()).chain(blocks)
}
