//! The index file: a header, a table of directories, and a block of records for each.
//!
//! Opening reads the header, the table and the paths. The block of a directory is read, and its checksum verified, when
//! its records are needed, so damage only costs time.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::record::{Block, Record, Total, search};
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::fs::{self, BlockFile, Bytes};
use crate::path::RepoPath;
use crate::time::Timestamp;

const MAGIC: &[u8; 8] = b"undoindx";
const VERSION: u32 = 3;
/// Magic, version, zero, directories, file length, boot, time, zero, checksum of the preceding fields.
pub(super) const HEADER: usize = 8 + 4 + 4 + 8 + 8 + 16 + 12 + 4 + CHECKSUM;
/// Path offset and length, records, block offset and length, checksum of path and block.
pub(super) const ROW: usize = 8 + 4 + 4 + 8 + 8 + CHECKSUM;
/// Length of a truncated BLAKE3 hash, which protects against accidents, not against users who can write to the repository.
const CHECKSUM: usize = 16;

/// An open index file, or none. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Index {
    opened: Option<Arc<Opened>>,
    /// Why the file cannot be read.
    failure: Option<Arc<Error>>,
}

/// Seconds after which the system has certainly written a change to the disk (by default it does within 35 s).
const WRITTEN_BACK: i64 = 600;

/// Block size in bytes: holds the records of many small directories. Small in unit tests, so that directories span
/// blocks.
const READ: usize = if cfg!(test) { 100 } else { 64 << 10 };

/// Bytes of verified records that are kept in memory: the directories of a checkout are looked up several times in turn.
const VERIFIED: usize = if cfg!(test) { 1000 } else { 4 << 20 };

/// Number of directories whose records are kept in memory, however large they are.
const LEAST_VERIFIED: usize = 8;

/// Maximum number of blocks in memory: the index of a million files has a hundred megabytes.
const KEPT: usize = 8;

#[derive(Debug)]
struct Opened {
    file: BlockFile,
    header: Header,
    /// Header, table and paths.
    head: Vec<u8>,
    verified: Mutex<Verified>,
}

/// The most recently verified blocks, cached because many names of one directory are looked up in turn.
#[derive(Debug, Default)]
struct Verified {
    /// By number of the row.
    blocks: HashMap<usize, Bytes>,
    /// Numbers of the rows, oldest first.
    order: VecDeque<usize>,
    /// Sum of the lengths.
    length: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    directories: usize,
    boot: [u8; 16],
    time: Timestamp,
}

/// The records of one directory, sorted by name. Read on first use, because many directories may be queued in a scan.
#[derive(Debug)]
pub struct Directory {
    opened: Arc<Opened>,
    /// Number of its row in the table.
    number: usize,
    pub(super) row: Row,
    /// The block; `None` if it is unreadable or its checksum differs.
    block: OnceLock<Option<Bytes>>,
}

/// Clones the directory without its block.
impl Clone for Directory {
    fn clone(&self) -> Directory {
        Directory { opened: self.opened.clone(), block: OnceLock::new(), ..*self }
    }
}

/// One row of the table of directories: number of records, offset and length of their block, and checksum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub records: usize,
    start: u64,
    pub length: usize,
    pub checksum: Checksum,
}

impl Index {
    /// Creates an index without records.
    pub fn empty() -> Index {
        Index::default()
    }

    /// Opens the file. The index is a cache: a file that does not exist, is unreadable, damaged or of another version
    /// counts as empty.
    pub fn open(path: &Path) -> Index {
        let opened = BlockFile::open(path, READ, KEPT).and_then(|file| file.map_or(Ok(None), Opened::new));
        match opened {
            Ok(opened) => Index { opened: opened.map(Arc::new), failure: None },
            Err(error) => Index { opened: None, failure: Some(Arc::new(error)) },
        }
    }

    /// Why the file cannot be read. If it cannot, all files of the worktree must be read.
    pub fn failure(&self) -> Option<&Arc<Error>> {
        self.failure.as_ref()
    }

    /// Records with a ctime from this time on are not trusted, if the system was restarted since the index was written: after
    /// a power cut a file may have its last stat with older content, because the two reach the disk separately.
    pub fn doubtful_since(&self) -> Option<Timestamp> {
        let Header { boot, time, .. } = self.opened.as_ref()?.header;
        let since = Timestamp { seconds: time.seconds.saturating_sub(WRITTEN_BACK), ..time };
        (boot != fs::boot_id()).then_some(since)
    }

    /// The records of a directory. Reports damage only when they are read.
    pub fn directory(&self, path: &RepoPath) -> Option<Directory> {
        let opened = self.opened.as_ref()?;
        let row = search(opened.header.directories, |row| opened.path(row).cmp(&Some(path)));
        Directory::new(opened, row.ok()?)
    }

    /// All readable directories, in path order.
    pub fn directories(&self) -> impl Iterator<Item = (&RepoPath, Directory)> {
        self.opened.iter().flat_map(|opened| {
            (0..opened.header.directories).filter_map(|row| {
                let directory = Directory::new(opened, row)?;
                // A fresh one, because keeping the one just read would load the whole file into memory.
                Some((opened.path(row)?, directory.clone())).filter(|_| directory.is_readable())
            })
        })
    }

    /// Number of directories.
    pub fn count(&self) -> usize {
        self.opened.as_ref().map_or(0, |opened| opened.header.directories)
    }

    /// Whether a directory was read from this file.
    pub fn owns(&self, directory: &Directory) -> bool {
        self.opened.as_ref().is_some_and(|opened| Arc::ptr_eq(opened, &directory.opened))
    }
}

impl Header {
    /// The header, if it is intact and the table fits into a file of this size.
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

    pub(super) fn encode(parts: usize, length: usize, (boot, time): ([u8; 16], Timestamp)) -> Vec<u8> {
        let mut header = Encoder::new();
        header.raw(MAGIC).u32(VERSION).u32(0).u64(parts as u64).u64(length as u64).raw(&boot).time(time).u32(0);
        let sum = checksum(&[header.as_slice()]);
        header.raw(&sum);
        header.finish()
    }
}

/// A truncated hash.
pub(super) type Checksum = [u8; CHECKSUM];

/// Checksum of a directory: of its path, the number of its records, and their bytes.
pub(super) fn checksum_of(path: &RepoPath, records: usize, block: &[u8]) -> Checksum {
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
    /// `None` if the file is damaged or has another version.
    fn new(file: BlockFile) -> Result<Option<Opened>> {
        if file.size() < HEADER as u64 {
            return Ok(None);
        }
        let Some(header) = Header::of(&file.read(0, HEADER)?, file.size()) else { return Ok(None) };
        let table_end = HEADER + header.directories * ROW;
        let head = file.read(0, table_end)?.to_vec();
        let mut opened = Opened { file, header, head, verified: Mutex::default() };
        // The paths are between the table and the first block.
        let paths_end = opened.row(0).map_or(table_end as u64, |row| row.start);
        if paths_end > table_end as u64 && paths_end <= opened.file.size() {
            let paths = opened.file.read(table_end as u64, (paths_end - table_end as u64) as usize)?;
            opened.head.extend_from_slice(&paths);
        }
        Ok(Some(opened))
    }

    fn fields(&self, row: usize) -> Option<Decoder<'_>> {
        let bytes = self.head.get(HEADER + row * ROW..)?.get(..ROW)?;
        Some(Decoder::new("index", bytes))
    }

    fn row(&self, row: usize) -> Option<Row> {
        let mut fields = self.fields(row)?;
        let _path = (fields.u64().ok()?, fields.u32().ok()?);
        let records = fields.u32().ok()? as usize;
        let (start, length) = (fields.u64().ok()?, usize::try_from(fields.u64().ok()?).ok()?);
        Some(Row { records, start, length, checksum: fields.array().ok()? })
    }

    fn verified_block(&self, directory: &Directory) -> Option<Bytes> {
        let verified = || self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(block) = verified().blocks.get(&directory.number) {
            return Some(block.clone());
        }
        let Row { records, start, length, checksum } = directory.row;
        let block = self.file.read(start, length).ok()?;
        let is_right = checksum_of(self.path(directory.number)?, records, &block) == checksum;
        Block::new(&block, records).filter(|_| is_right)?;
        let block = block.detached();
        verified().insert(directory.number, block.clone());
        Some(block)
    }

    fn path(&self, row: usize) -> Option<&RepoPath> {
        // Decodes only offset and length, because a search reads many paths.
        let mut fields = self.fields(row)?;
        let (start, length) = (usize::try_from(fields.u64().ok()?).ok()?, fields.u32().ok()? as usize);
        RepoPath::new(self.head.get(start..)?.get(..length)?)
    }
}

impl Verified {
    fn insert(&mut self, number: usize, block: Bytes) {
        if self.blocks.contains_key(&number) {
            // Another thread was faster.
            return;
        }
        self.length += block.len();
        self.blocks.insert(number, block);
        self.order.push_back(number);
        while self.length > VERIFIED && self.order.len() > LEAST_VERIFIED {
            let oldest = self.order.pop_front().and_then(|number| self.blocks.remove(&number));
            self.length -= oldest.map_or(0, |block| block.len());
        }
    }
}

impl Directory {
    fn new(opened: &Arc<Opened>, number: usize) -> Option<Directory> {
        Some(Directory { row: opened.row(number)?, opened: opened.clone(), number, block: OnceLock::new() })
    }

    /// The block, if it is readable and intact.
    fn bytes(&self) -> Option<&[u8]> {
        self.block.get_or_init(|| self.opened.verified_block(self)).as_deref()
    }

    /// Whether the records are readable.
    pub fn is_readable(&self) -> bool {
        self.bytes().is_some()
    }

    /// The encoded records; none if they are unreadable.
    pub fn block(&self) -> Block<'_> {
        self.bytes().and_then(|bytes| Block::new(bytes, self.row.records)).unwrap_or_default()
    }

    /// The bytes, to be written again. If they are unreadable, returns bytes that do not match their checksum.
    pub(super) fn copy(&self) -> Vec<u8> {
        let read = self.opened.file.read(self.row.start, self.row.length);
        read.map_or_else(|_| vec![0; self.row.length], |block| block.to_vec())
    }

    /// Expected number of records, readable or not.
    pub fn expected_count(&self) -> usize {
        self.row.records
    }

    /// Number of readable records.
    pub fn count(&self) -> usize {
        self.block().count()
    }

    /// The tree of its records, if known.
    pub fn total(&self) -> Option<Total> {
        self.block().total()
    }

    /// The record of a name. In the root directory, the empty name is the root itself.
    pub fn find(&self, name: &[u8]) -> Option<Record> {
        let block = self.block();
        block.record(block.position(name).ok()?)
    }
}
