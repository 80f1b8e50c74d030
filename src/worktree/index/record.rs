//! Encodes the records of one directory: fixed fields for every entry, so that an entry is compared without decoding, followed
//! by names and rarer fields (`docs/format.md`, "Index").

use std::cmp::Ordering;

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
    /// The content is only the beginning of the file, which an interrupted reading has stored. Such a record is racy, too.
    pub is_prefix: bool,
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

// Offsets of the fields of the fixed part. A scan reads them for every entry, so they are not decoded one by one.
const END: usize = 0;
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

/// Kinds by number, from 1.
const KINDS: [Kind; 7] =
    [Kind::File, Kind::Directory, Kind::Symlink, Kind::Fifo, Kind::CharDevice, Kind::BlockDevice, Kind::Socket];

const RACY: u8 = 1;
const ATTRIBUTES: u8 = 2;
/// Links, device or rdev differ from 1, the directory's device and 0.
const NUMBERS: u8 = 4;
/// The number of bytes read differs from the size in the stat.
const LENGTH_DIFFERS: u8 = 8;
const PREFIX: u8 = 16;

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
        let kind = KINDS.iter().zip(1..).find(|(kind, _)| **kind == stat.kind).map_or(0, |(_, number)| number);
        self.fixed.u32(self.variable.position() as u32).u16(record.name.len() as u16).u16(metadata.mode);
        self.fixed.u8(kind).u8(flags).u16(0).u32(metadata.uid).u32(metadata.gid);
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
    flags |= if record.is_prefix { PREFIX } else { 0 };
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

/// A block without records and tree.
impl Default for Block<'_> {
    fn default() -> Self {
        Block { bytes: &[0; HEAD], count: 0 }
    }
}

impl<'b> Block<'b> {
    /// A block of `count` records; `None` if the bytes are too few.
    pub fn new(bytes: &'b [u8], count: usize) -> Option<Block<'b>> {
        let least = count.checked_mul(FIXED)?.checked_add(HEAD)?;
        (least <= bytes.len()).then_some(Block { bytes, count })
    }

    /// The encoded records.
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
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

    fn fixed(&self, at: usize) -> &'b [u8; FIXED] {
        self.bytes[HEAD + at * FIXED..].first_chunk().expect("the block has all fixed parts")
    }

    /// `None` if it is unknown.
    fn kind(&self, at: usize) -> Option<Kind> {
        KINDS.get(usize::from(self.fixed(at)[KIND]).wrapping_sub(1)).copied()
    }

    /// The stat in the fixed fields. Device, links and rdev are as for most files. `None` if the kind is unknown.
    fn stat(&self, at: usize) -> Option<Stat> {
        let fixed = self.fixed(at);
        let u32 = |at| u32::from_le_bytes(field(fixed, at));
        let u64 = |at| u64::from_le_bytes(field(fixed, at));
        let time = |at| Timestamp { seconds: i64::from_le_bytes(field(fixed, at)), nanoseconds: u32(at + 8) };
        let mode = u16::from_le_bytes(field(fixed, MODE));
        let metadata = Metadata { mode, uid: u32(UID), gid: u32(GID), mtime: time(MTIME) };
        Some(Stat {
            kind: self.kind(at)?,
            metadata,
            ctime: time(CTIME),
            size: u64(SIZE),
            allocated: u64(ALLOCATED),
            inode: u64(INODE),
            device: u64::from_le_bytes(*self.bytes[HEAD - 8..].first_chunk().expect("the head ends with the device")),
            links: 1,
            rdev: 0,
            is_mounted: false,
        })
    }

    fn flags(&self, at: usize) -> u8 {
        self.fixed(at)[FLAGS]
    }

    /// Name and the rarer fields of a record.
    fn variable(&self, at: usize) -> &'b [u8] {
        let area = &self.bytes[HEAD + self.count * FIXED..];
        let end = |at: usize| u32::from_le_bytes(field(self.fixed(at), END)) as usize;
        let start = if at == 0 { 0 } else { end(at - 1) };
        area.get(start..end(at)).unwrap_or_default()
    }

    /// The name of the record at a position.
    pub fn name(&self, at: usize) -> &'b [u8] {
        self.variable(at).get(..self.name_length(at)).unwrap_or_default()
    }

    fn name_length(&self, at: usize) -> usize {
        u16::from_le_bytes(field(self.fixed(at), NAME_LENGTH)).into()
    }

    /// The position of the record of a name, or else where it would be inserted.
    pub fn position(&self, name: &[u8]) -> Result<usize, usize> {
        search(self.count, |at| self.name(at).cmp(name))
    }

    /// Whether the record proves that an entry with this stat is unchanged: the stat is equal, and the record is not racy.
    pub fn proves(&self, at: usize, stat: &Stat) -> bool {
        self.flags(at) & RACY == 0
            && match stat.rdev {
                0 => self.stat(at).is_some_and(|known| known.is_same(stat)),
                _ => self.record(at).is_some_and(|record| record.stat.is_same(stat)),
            }
    }

    /// Whether one of the records is of a prefix.
    pub fn has_prefix(&self) -> bool {
        (0..self.count).any(|at| self.flags(at) & PREFIX != 0)
    }

    /// Content size of the record at a position; `None` if the record is invalid.
    pub fn content_size(&self, at: usize) -> Option<u64> {
        match self.kind(at)? {
            Kind::File if self.flags(at) & LENGTH_DIFFERS == 0 => Some(u64::from_le_bytes(field(self.fixed(at), SIZE))),
            Kind::File => self.record(at).map(|record| record.to_entry().size()),
            _ => Some(0),
        }
    }

    /// Decodes the record at a position; `None` if it is invalid.
    pub fn record(&self, at: usize) -> Option<Record> {
        self.decode(at).ok()
    }

    fn decode(&self, at: usize) -> Result<Record> {
        let mut rest = Decoder::new("index", self.variable(at));
        let mut stat = self.stat(at).ok_or_else(|| rest.invalid("unknown kind"))?;
        let (flags, id) = (self.flags(at), field(self.fixed(at), ID));
        let name = rest.raw(self.name_length(at))?.to_vec();
        let attributes = if flags & ATTRIBUTES != 0 { Some(AttributesId(rest.array()?)) } else { None };
        if flags & NUMBERS != 0 {
            (stat.links, stat.device, stat.rdev) = (rest.varint()?, rest.varint()?, rest.varint()?);
        }
        let content = match stat.kind {
            Kind::File if flags & LENGTH_DIFFERS != 0 => Content::File { blob: BlobId(id), size: rest.varint()? },
            Kind::File => Content::File { blob: BlobId(id), size: stat.size },
            Kind::Directory => Content::Directory { tree: TreeId(id), entries: rest.varint()?, size: rest.varint()? },
            Kind::Symlink => Content::Symlink { target: rest.raw(rest.remaining())?.to_vec() },
            Kind::Fifo => Content::Fifo,
            Kind::CharDevice => Content::CharDevice { rdev: stat.rdev },
            Kind::BlockDevice => Content::BlockDevice { rdev: stat.rdev },
            Kind::Socket => return Err(rest.invalid("socket")),
        };
        rest.finish()?;
        Ok(Record { name, stat, content, attributes, racy: flags & RACY != 0, is_prefix: flags & PREFIX != 0 })
    }

    /// Decodes all records; `None` if one is invalid.
    pub fn records(&self) -> Option<Vec<Record>> {
        (0..self.count).map(|at| self.record(at)).collect()
    }
}

/// The bytes of a fixed field.
fn field<const N: usize>(fixed: &[u8; FIXED], at: usize) -> [u8; N] {
    fixed[at..at + N].try_into().expect("the field has N bytes")
}

/// Binary search among `count` sorted items.
pub fn search(count: usize, compare: impl Fn(usize) -> Ordering) -> Result<usize, usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        match compare(middle) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Ok(middle),
        }
    }
    Err(low)
}
