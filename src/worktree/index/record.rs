//! Encodes the records of one directory: fixed fields for every entry, so that an entry is compared without decoding, followed
//! by names and rarer fields (`docs/format.md`, "Index").

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::fs::Stat;
use crate::id::{AttributesId, BlobId, LENGTH, TreeId};
use crate::metadata::{Kind, Metadata};
use crate::object::{Content, Entry};
use crate::time::Timestamp;

/// The last known state of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Empty for the root.
    pub name: Vec<u8>,
    /// Taken when the content was read or written.
    pub stat: Stat,
    /// Content; of a directory, its last recorded tree.
    pub content: Content,
    /// Extended attributes and holes.
    pub attributes: Option<AttributesId>,
    /// A later change may have left the same stat, so the entry must be read again.
    pub racy: bool,
}

impl Record {
    /// The tree entry of the record.
    pub fn to_entry(&self) -> Entry {
        Entry {
            name: self.name.clone(),
            metadata: self.stat.metadata,
            attributes: self.attributes,
            content: self.content.clone(),
        }
    }
}

/// The tree of the records of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// Id of the tree.
    pub tree: TreeId,
    /// Number of entries at all depths.
    pub entries: u64,
    /// Total size of the files in bytes.
    pub size: u64,
}

impl Total {
    /// The content of the directory's entry.
    pub fn content(self) -> Content {
        Content::Directory { tree: self.tree, entries: self.entries, size: self.size }
    }
}

/// Length of the head: flag, tree, entries, size, device.
pub const HEAD: usize = 1 + LENGTH + 8 + 8 + 8;
/// Length of the fixed part of a record.
pub const FIXED: usize = 100;

// Offsets of the fields of the fixed part. At 0 is the end of the variable part (u32).
const NAME_LENGTH: usize = 4;
const MODE: usize = 6;
const KIND: usize = 8;
const FLAGS: usize = 9;
const UID: usize = 12;
const GID: usize = 16;
const MTIME: usize = 20;
const CTIME: usize = 32;
const SIZE: usize = 44;
const ALLOCATED: usize = 52;
const INODE: usize = 60;
const ID: usize = 68;

const RACY: u8 = 1;
const ATTRIBUTES: u8 = 2;
/// Links, device or rdev differ from 1, the directory's device and 0.
const NUMBERS: u8 = 4;
/// The number of bytes read differs from the size in the stat.
const LENGTH_DIFFERS: u8 = 8;

/// Encodes the records of one directory, sorted by name, and their tree, if known.
pub fn encode<'r>(total: Option<Total>, records: impl IntoIterator<Item = &'r Record>) -> Vec<u8> {
    let mut block = BlockEncoder::default();
    records.into_iter().for_each(|record| block.push(record));
    block.finish(total).1
}

/// Encodes a directory, record by record.
#[derive(Debug, Default)]
pub struct BlockEncoder {
    count: usize,
    /// Device of the first record.
    device: u64,
    fixed: Encoder,
    variable: Encoder,
}

impl BlockEncoder {
    /// Adds a record. Records must be added in name order.
    pub fn push(&mut self, record: &Record) {
        if self.count == 0 {
            self.device = record.stat.device;
            self.fixed.raw(&[0; HEAD]);
        }
        self.count += 1;
        let flags = encode_variable(record, self.device, &mut self.variable);
        let stat = &record.stat;
        let metadata = &stat.metadata;
        self.fixed.u32(self.variable.position() as u32).u16(record.name.len() as u16).u16(metadata.mode);
        self.fixed.u8(kind_byte(stat.kind)).u8(flags).u16(0).u32(metadata.uid).u32(metadata.gid);
        self.fixed.time(metadata.mtime).time(stat.ctime).u64(stat.size).u64(stat.allocated).u64(stat.inode);
        self.fixed.raw(&match record.content {
            Content::File { blob, .. } => blob.0,
            Content::Directory { tree, .. } => tree.0,
            _ => [0; LENGTH],
        });
    }

    /// Returns the number of records, and the encoded directory with its tree id, if known.
    pub fn finish(mut self, total: Option<Total>) -> (usize, Vec<u8>) {
        let known = total.unwrap_or(Total { tree: TreeId([0; LENGTH]), entries: 0, size: 0 });
        let mut head = Encoder::new();
        head.u8(u8::from(total.is_some())).raw(&known.tree.0).u64(known.entries).u64(known.size).u64(self.device);
        if self.count == 0 {
            return (0, head.finish());
        }
        self.fixed.raw(self.variable.as_slice());
        let mut bytes = self.fixed.finish();
        bytes[..HEAD].copy_from_slice(head.as_slice());
        (self.count, bytes)
    }
}

/// Writes the name and rarer fields. Returns the flags that name these fields.
fn encode_variable(record: &Record, device: u64, variable: &mut Encoder) -> u8 {
    let stat = &record.stat;
    let mut flags = if record.racy { RACY } else { 0 };
    variable.raw(&record.name);
    if let Some(attributes) = record.attributes {
        flags |= ATTRIBUTES;
        variable.raw(&attributes.0);
    }
    if (stat.links, stat.device, stat.rdev) != (1, device, 0) {
        flags |= NUMBERS;
        variable.varint(stat.links).varint(stat.device).varint(stat.rdev);
    }
    match &record.content {
        Content::File { size, .. } if *size != stat.size => {
            flags |= LENGTH_DIFFERS;
            variable.varint(*size);
        }
        Content::Directory { entries, size, .. } => {
            variable.varint(*entries).varint(*size);
        }
        Content::Symlink { target } => {
            variable.raw(target);
        }
        _ => {}
    }
    flags
}

/// The encoded records of one directory, after their checksum was verified. An invalid field counts as unknown.
#[derive(Clone, Copy)]
pub struct Block<'b> {
    bytes: &'b [u8],
    count: usize,
}

impl<'b> Block<'b> {
    /// A block of `count` records; `None` if the bytes are too few.
    pub fn new(bytes: &'b [u8], count: usize) -> Option<Block<'b>> {
        let least = count.checked_mul(FIXED)?.checked_add(HEAD)?;
        (least <= bytes.len()).then_some(Block { bytes, count })
    }

    /// Number of records.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The tree of the records, if known.
    pub fn total(&self) -> Option<Total> {
        let mut head = Decoder::new("index", &self.bytes[..HEAD]);
        let known = head.u8().ok()? == 1;
        let total = Total { tree: TreeId(head.array().ok()?), entries: head.u64().ok()?, size: head.u64().ok()? };
        known.then_some(total)
    }

    fn device(&self) -> u64 {
        number(self.bytes, HEAD - 8)
    }

    fn fixed(&self, at: usize) -> &'b [u8] {
        &self.bytes[HEAD + at * FIXED..][..FIXED]
    }

    /// Name and the rarer fields of a record.
    fn variable(&self, at: usize) -> &'b [u8] {
        let area = &self.bytes[HEAD + self.count * FIXED..];
        let end = |at: usize| u32_at(self.fixed(at), 0) as usize;
        let start = if at == 0 { 0 } else { end(at - 1) };
        area.get(start..end(at)).unwrap_or_default()
    }

    /// The name of the record at a position.
    pub fn name(&self, at: usize) -> &'b [u8] {
        let length = u16_at(self.fixed(at), NAME_LENGTH) as usize;
        self.variable(at).get(..length).unwrap_or_default()
    }

    /// The position of the record of a name, or else where it would be inserted.
    pub fn position(&self, name: &[u8]) -> Result<usize, usize> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle).cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Ok(middle),
            }
        }
        Err(low)
    }

    /// Whether the record proves that an entry with this stat is unchanged: the stat is equal, and the record is not racy.
    pub fn proves(&self, at: usize, stat: &Stat) -> bool {
        let fixed = self.fixed(at);
        fixed[KIND] == kind_byte(stat.kind)
            && fixed[FLAGS] & RACY == 0
            && time_is(fixed, MTIME, stat.metadata.mtime)
            && time_is(fixed, CTIME, stat.ctime)
            && number(fixed, SIZE) == stat.size
            && number(fixed, INODE) == stat.inode
            && u16_at(fixed, MODE) == stat.metadata.mode
            && u32_at(fixed, UID) == stat.metadata.uid
            && u32_at(fixed, GID) == stat.metadata.gid
            && (stat.rdev == 0 || self.record(at).is_some_and(|record| record.stat.is_same(stat)))
    }

    /// Content size of the record at a position; `None` if the record is invalid.
    pub fn content_size(&self, at: usize) -> Option<u64> {
        let fixed = self.fixed(at);
        if fixed[FLAGS] & LENGTH_DIFFERS == 0 {
            return Some(if fixed[KIND] == kind_byte(Kind::File) { number(fixed, SIZE) } else { 0 });
        }
        self.record(at).map(|record| record.to_entry().size())
    }

    /// Decodes the record at a position; `None` if it is invalid.
    pub fn record(&self, at: usize) -> Option<Record> {
        let fixed = self.fixed(at);
        let flags = fixed[FLAGS];
        let mut rest = Decoder::new("index", self.variable(at));
        let name = rest.raw(u16_at(fixed, NAME_LENGTH) as usize).ok()?.to_vec();
        let attributes = if flags & ATTRIBUTES != 0 { Some(AttributesId(rest.array().ok()?)) } else { None };
        let (mut links, mut device, mut rdev) = (1, self.device(), 0);
        if flags & NUMBERS != 0 {
            (links, device, rdev) = (rest.varint().ok()?, rest.varint().ok()?, rest.varint().ok()?);
        }
        let kind = kind_of(fixed[KIND])?;
        let size = number(fixed, SIZE);
        let id: [u8; LENGTH] = fixed[ID..].try_into().ok()?;
        let content = match kind {
            Kind::File if flags & LENGTH_DIFFERS != 0 => Content::File { blob: BlobId(id), size: rest.varint().ok()? },
            Kind::File => Content::File { blob: BlobId(id), size },
            Kind::Directory => {
                Content::Directory { tree: TreeId(id), entries: rest.varint().ok()?, size: rest.varint().ok()? }
            }
            Kind::Symlink => Content::Symlink { target: rest.raw(rest.remaining()).ok()?.to_vec() },
            Kind::Fifo => Content::Fifo,
            Kind::CharDevice => Content::CharDevice { rdev },
            Kind::BlockDevice => Content::BlockDevice { rdev },
            Kind::Socket => return None,
        };
        rest.finish().ok()?;
        let metadata = Metadata {
            mode: u16_at(fixed, MODE),
            uid: u32_at(fixed, UID),
            gid: u32_at(fixed, GID),
            mtime: time_at(fixed, MTIME),
        };
        let (ctime, allocated, inode) = (time_at(fixed, CTIME), number(fixed, ALLOCATED), number(fixed, INODE));
        let stat = Stat { kind, metadata, ctime, size, allocated, inode, device, links, rdev, is_mounted: false };
        Some(Record { name, stat, content, attributes, racy: flags & RACY != 0 })
    }

    /// Decodes all records; `None` if one is invalid.
    pub fn records(&self) -> Option<Vec<Record>> {
        (0..self.count).map(|at| self.record(at)).collect()
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

/// Decodes eight bytes.
pub fn number(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

fn time_at(bytes: &[u8], at: usize) -> Timestamp {
    Timestamp { seconds: number(bytes, at) as i64, nanoseconds: u32_at(bytes, at + 8) }
}

fn time_is(bytes: &[u8], at: usize, time: Timestamp) -> bool {
    time_at(bytes, at) == time
}

fn kind_byte(kind: Kind) -> u8 {
    match kind {
        Kind::File => 1,
        Kind::Directory => 2,
        Kind::Symlink => 3,
        Kind::Fifo => 4,
        Kind::CharDevice => 5,
        Kind::BlockDevice => 6,
        Kind::Socket => 7,
    }
}

fn kind_of(byte: u8) -> Option<Kind> {
    Some(match byte {
        1 => Kind::File,
        2 => Kind::Directory,
        3 => Kind::Symlink,
        4 => Kind::Fifo,
        5 => Kind::CharDevice,
        6 => Kind::BlockDevice,
        _ => return None,
    })
}
