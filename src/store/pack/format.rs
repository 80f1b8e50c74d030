//! The bytes of a pack file: header, frames, table, footer (`docs/format.md`, "Packs").
//!
//! The id of the pack verifies the table; the footer gives the offset of the table; the header identifies the file
//! type. The checksums in the table verify the frames.

use crate::codec::{Decoder, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{LENGTH, ObjectId, PackId};
use crate::object::{ObjectKind, keyed};
use crate::store::compress::Codec;

/// "undopack" | version u16 | kind u8 | zero u8 | checksum 4
pub const HEADER: usize = 16;

/// table offset u64 | table length u64 | frames u32 | objects u32 | pack id 32 | version u16 | zero 6 | checksum 8 | "undo-end"
pub const FOOTER: usize = 80;

/// "undotabl" | version u16 | kind u8 | zero u8 | frames u32 | objects u32
pub const TABLE: usize = 20;

/// offset u64 | stored length u32 | raw length u32 | codec u8 | level u8 | checksum 8
const FRAME: usize = 26;

/// kind u8 | id 32 | frame u32 | offset u32 | length u32
const OBJECT: usize = 45;

/// Length of the sort key of objects: kind and id, the first bytes of their records.
pub const KEY: usize = 1 + LENGTH;

const HEADER_MAGIC: &[u8; 8] = b"undopack";
/// The first bytes of a table.
pub const TABLE_MAGIC: &[u8; 8] = b"undotabl";
const FOOTER_MAGIC: &[u8; 8] = b"undo-end";
const VERSION: u16 = 1;

/// Type of a pack. The number is the byte in headers and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum PackType {
    /// Header, frames, table, footer.
    Plain = 0,
    /// A copy of a user's file, followed by table and footer. The frames are its chunks, from the first byte on.
    Reflinked = 1,
}

impl PackType {
    /// Offset of the first frame.
    pub fn start(self) -> u64 {
        match self {
            PackType::Plain => HEADER as u64,
            PackType::Reflinked => 0,
        }
    }
}

/// 256 MiB, the maximum length of a frame. Bounds the memory that a damaged length can request.
pub const LONGEST: u32 = 256 << 20;

/// A frame of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Frame {
    /// Offset in the file.
    pub offset: u64,
    /// Size in the file in bytes.
    pub stored: u32,
    /// Size when decoded in bytes.
    pub raw: u32,
    /// Codec of the frame.
    pub codec: Codec,
    /// Compression level, for information.
    pub level: u8,
    /// First bytes of BLAKE3 of the bytes in the file.
    pub checksum: [u8; 8],
}

/// An object of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// Kind of the object.
    pub kind: ObjectKind,
    /// Id of the object.
    pub id: ObjectId,
    /// Number of the frame.
    pub frame_number: u32,
    /// Offset in the decoded frame.
    pub offset: u32,
    /// Size in bytes.
    pub length: u32,
}

/// Position of a pack's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footer {
    /// Offset in the file.
    pub table: u64,
    /// Size in bytes.
    pub length: u64,
    /// Hash of the table, which is the id of the pack.
    pub id: PackId,
}

/// An empty frame, which changes the table and so the id of a pack. The checksum is that of no bytes.
pub const EMPTY_FRAME: Frame = Frame {
    offset: 0,
    stored: 0,
    raw: 0,
    codec: Codec::Stored,
    level: 0,
    checksum: [0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6],
};

/// Offset of the pack's type in its table.
pub const TYPE_OFFSET: u64 = 10;

/// The first `N` bytes of BLAKE3.
pub fn checksum<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let hash = blake3::hash(bytes);
    std::array::from_fn(|n| hash.as_bytes()[n])
}

/// The sort key of an object.
pub fn key_of(kind: ObjectKind, id: &[u8; LENGTH]) -> [u8; KEY] {
    let mut key = [kind as u8; KEY];
    key[1..].copy_from_slice(id);
    key
}

/// The header of a plain pack.
pub fn encode_header() -> [u8; HEADER] {
    let mut encoder = Encoder::new();
    encoder.raw(HEADER_MAGIC).u16(VERSION).u8(PackType::Plain as u8).u8(0);
    let sum = checksum::<4>(encoder.as_slice());
    encoder.raw(&sum);
    encoder.finish().try_into().expect("16 bytes were encoded")
}

/// Encodes a table. Sorts the objects.
pub fn encode_table(pack_type: PackType, frames: &[Frame], records: &mut [Record]) -> Vec<u8> {
    records.sort_unstable_by_key(|record| (record.kind, record.id));
    let mut encoder = Encoder::new();
    encoder.raw(TABLE_MAGIC).u16(VERSION).u8(pack_type as u8).u8(0);
    encoder.u32(frames.len() as u32).u32(records.len() as u32);
    for frame in frames {
        encoder.u64(frame.offset).u32(frame.stored).u32(frame.raw);
        encoder.u8(frame.codec as u8).u8(frame.level).raw(&frame.checksum);
    }
    for record in records {
        encoder.raw(&key_of(record.kind, &record.id.0)).u32(record.frame_number).u32(record.offset).u32(record.length);
    }
    encoder.finish()
}

/// Encodes table and footer of a pack whose frames end at `end`. Returns them with the id of the pack. Sorts the objects.
/// Adds empty frames until the id is not taken.
pub fn encode_tail(
    pack_type: PackType,
    frames: &mut Vec<Frame>,
    records: &mut [Record],
    end: u64,
    is_taken: &dyn Fn(PackId) -> bool,
) -> (PackId, Vec<u8>) {
    let mut bytes = encode_table(pack_type, frames, records);
    while is_taken(id_of_table(&bytes)) {
        frames.push(Frame { offset: end, ..EMPTY_FRAME });
        bytes = encode_table(pack_type, frames, records);
    }
    let footer = Footer { table: end, length: bytes.len() as u64, id: id_of_table(&bytes) };
    bytes.extend_from_slice(&footer.encode(frames.len() as u32, records.len() as u32));
    (footer.id, bytes)
}

/// The id of the pack with this table.
pub fn id_of_table(table: &[u8]) -> PackId {
    PackId(*keyed("pack").update(table).finalize().as_bytes())
}

impl Footer {
    /// Encodes the footer.
    pub fn encode(&self, frames: u32, records: u32) -> [u8; FOOTER] {
        let mut encoder = Encoder::new();
        encoder.u64(self.table).u64(self.length).u32(frames).u32(records).raw(&self.id.0).u16(VERSION).raw(&[0; 6]);
        let sum = checksum::<8>(encoder.as_slice());
        encoder.raw(&sum).raw(FOOTER_MAGIC);
        encoder.finish().try_into().expect("80 bytes were encoded")
    }

    /// Decodes the footer of a pack file of this size.
    pub fn decode(tail: &[u8], size: u64) -> Result<Footer> {
        let Some((_, bytes)) = tail.split_last_chunk::<FOOTER>() else {
            return Err(Error::damaged("too short for a pack"));
        };
        let mut decoder = Decoder::new("pack footer", bytes);
        let (table, length) = (decoder.u64()?, decoder.u64()?);
        let (frames, records) = (decoder.u32()?, decoder.u32()?);
        let id = PackId(decoder.array()?);
        let (version, zeros) = (decoder.u16()?, decoder.array::<6>()?);
        let sum = decoder.array::<8>()?;
        if decoder.raw(8)? != FOOTER_MAGIC || sum != checksum::<8>(&bytes[..FOOTER - 16]) {
            return Err(Error::damaged("invalid pack footer"));
        }
        expect_version(version)?;
        let fits = table >= HEADER as u64
            && table.checked_add(length) == Some(size - FOOTER as u64)
            && length == table_length(frames, records)
            && zeros == [0; 6];
        if fits { Ok(Footer { table, length, id }) } else { Err(Error::damaged("invalid pack footer")) }
    }
}

/// Length of the table that begins with these bytes.
pub fn length_in_head(head: &[u8]) -> u64 {
    let number =
        |at: usize| head.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |bytes| u32::from_le_bytes(*bytes));
    table_length(number(12), number(16))
}

/// Writes the head of a table again: the type that its old head has, if valid, and the numbers of frames and objects.
pub fn restore_table_head(table: &mut [u8], numbers: &[u8]) {
    let pack_type = if table.get(10) == Some(&1) { PackType::Reflinked } else { PackType::Plain };
    let mut encoder = Encoder::new();
    encoder.raw(TABLE_MAGIC).u16(VERSION).u8(pack_type as u8).u8(0).raw(numbers);
    if let Some(head) = table.get_mut(..TABLE) {
        head.copy_from_slice(encoder.as_slice());
    }
}

fn table_length(frames: u32, records: u32) -> u64 {
    TABLE as u64 + u64::from(frames) * FRAME as u64 + u64::from(records) * OBJECT as u64
}

fn expect_version(version: u16) -> Result<()> {
    if version == VERSION {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, format!("pack version {version} is not known to this program")))
}

/// The encoded table of a pack.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    /// Type of the pack.
    pub pack_type: PackType,
    frames: &'a [[u8; FRAME]],
    records: &'a [[u8; OBJECT]],
}

impl<'a> Table<'a> {
    /// Locates the two lists. Their content may be used only after [`Table::check`].
    pub fn of(bytes: &'a [u8]) -> Result<Table<'a>> {
        let mut decoder = Decoder::new("pack table", bytes);
        let magic = decoder.raw(8)?;
        let (version, kind, zero) = (decoder.u16()?, decoder.u8()?, decoder.u8()?);
        let (frames, records) = (decoder.u32()?, decoder.u32()?);
        if magic != TABLE_MAGIC || table_length(frames, records) != bytes.len() as u64 {
            return Err(Error::damaged("invalid pack table"));
        }
        expect_version(version)?;
        let pack_type = match (kind, zero) {
            (0, 0) => PackType::Plain,
            (1, 0) => PackType::Reflinked,
            _ => {
                let message = format!("pack kind {kind} is not known to this program");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let (frames, records) = bytes[TABLE..].split_at(frames as usize * FRAME);
        Ok(Table { pack_type, frames: frames.as_chunks().0, records: records.as_chunks().0 })
    }

    /// Whether the lists are in order and all offsets stay within the pack, whose frames end at `end`.
    pub fn check(&self, end: u64) -> Result<()> {
        let mut position = self.pack_type.start();
        let is_reflinked = self.pack_type == PackType::Reflinked;
        for n in 0..self.frame_count() {
            let frame = self.try_frame(n)?;
            let is_foreign = is_reflinked && (frame.codec != Codec::Stored || frame.stored != frame.raw);
            if frame.offset != position || frame.raw > LONGEST || frame.stored > LONGEST || is_foreign {
                return Err(Error::damaged(format!("invalid pack table: frame {n} is out of place")));
            }
            position += u64::from(frame.stored);
        }
        if position != end {
            return Err(Error::damaged("invalid pack table: frames do not fill the pack"));
        }
        for n in 0..self.len() {
            let record = self.try_record(n)?;
            let frame = (record.frame_number < self.frame_count()).then(|| self.frame(record.frame_number));
            let end = u64::from(record.offset) + u64::from(record.length);
            let is_within_frame = frame.is_some_and(|frame| end <= frame.raw.into());
            let is_in_order = n == 0 || self.key(n - 1) < self.key(n);
            if !is_within_frame || !is_in_order || is_reflinked && record.kind != ObjectKind::Data {
                return Err(Error::damaged(format!("invalid pack table: object {n} is out of place")));
            }
        }
        Ok(())
    }

    /// Number of frames.
    pub fn frame_count(&self) -> u32 {
        self.frames.len() as u32
    }

    /// Number of objects.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// The frame with this number.
    pub fn frame(&self, n: u32) -> Frame {
        self.try_frame(n).expect("the table was checked")
    }

    /// The object at this position in the sorted list.
    pub fn record(&self, n: usize) -> Record {
        self.try_record(n).expect("the table was checked")
    }

    /// All objects, sorted by kind and id.
    pub fn records(self) -> impl Iterator<Item = Record> + 'a {
        (0..self.len()).map(move |n| self.record(n))
    }

    /// The sort key of an object: kind and id.
    pub fn key(&self, n: usize) -> &'a [u8] {
        &self.records[n][..KEY]
    }

    /// The position of the first object that is not less than `key`.
    pub fn lower_bound(&self, key: &[u8; KEY]) -> usize {
        self.records.partition_point(|record| record[..KEY] < key[..])
    }

    /// The number of an object.
    pub fn find(&self, kind: ObjectKind, id: ObjectId) -> Option<usize> {
        let key = key_of(kind, &id.0);
        let at = self.lower_bound(&key);
        (at < self.len() && self.key(at) == key).then_some(at)
    }

    fn try_frame(&self, n: u32) -> Result<Frame> {
        let mut decoder = Decoder::new("frame record", &self.frames[n as usize]);
        let (offset, stored, raw) = (decoder.u64()?, decoder.u32()?, decoder.u32()?);
        let codec = Codec::from_byte(decoder.u8()?)?;
        Ok(Frame { offset, stored, raw, codec, level: decoder.u8()?, checksum: decoder.array()? })
    }

    /// The frame with this number, from a table that was not checked. A frame of an unknown codec counts as stored.
    pub fn unchecked_frame(&self, n: u32) -> Frame {
        self.try_frame(n).unwrap_or_else(|_| {
            let mut bytes = self.frames[n as usize];
            bytes[FRAME - 10] = Codec::Stored as u8;
            Table { frames: &[bytes], ..*self }.frame(0)
        })
    }

    /// The object at this position. Fails if its record is invalid in itself.
    pub fn try_record(&self, n: usize) -> Result<Record> {
        let mut decoder = Decoder::new("object record", &self.records[n]);
        let Some(kind) = ObjectKind::from_byte(decoder.u8()?) else { return Err(decoder.invalid("unknown kind")) };
        let id = ObjectId(decoder.array()?);
        Ok(Record { kind, id, frame_number: decoder.u32()?, offset: decoder.u32()?, length: decoder.u32()? })
    }
}

#[cfg(test)]
mod tests;
