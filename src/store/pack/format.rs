//! The bytes of a pack file: header, frames, table, footer (`docs/format.md`, "Packs").
//!
//! The table proves itself by the name of the pack; the footer finds the table; the header is for people and programs
//! that look at the first bytes of a file. Frames prove themselves by the checksums in the table.

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
const TABLE: usize = 20;

/// offset u64 | stored length u32 | raw length u32 | codec u8 | level u8 | checksum 8
const FRAME: usize = 26;

/// kind u8 | id 32 | frame u32 | offset u32 | length u32
const OBJECT: usize = 45;

/// What objects are sorted by: kind and id, the first bytes of their records.
pub const KEY: usize = 1 + LENGTH;

const HEADER_MAGIC: &[u8; 8] = b"undopack";
const TABLE_MAGIC: &[u8; 8] = b"undotabl";
const FOOTER_MAGIC: &[u8; 8] = b"undo-end";
const VERSION: u16 = 1;

/// What sort of pack it is. The number is the byte in headers and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Sort {
    /// Header, frames, table, footer.
    Plain = 0,
    /// A file of the user's, as it is: its chunks are the frames, from its first byte on. Table and footer follow.
    Adopted = 1,
}

impl Sort {
    /// Where the first frame begins.
    fn start(self) -> u64 {
        match self {
            Sort::Plain => HEADER as u64,
            Sort::Adopted => 0,
        }
    }
}

/// 256 MiB: no frame is longer, so a bad length never asks for more memory.
pub const LONGEST: u32 = 256 << 20;

/// One frame of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it begins in the file.
    pub offset: u64,
    /// Bytes in the file.
    pub stored: u32,
    /// Bytes when decoded.
    pub raw: u32,
    /// How it is compressed.
    pub codec: Codec,
    /// At which level, for people.
    pub level: u8,
    /// The first bytes of BLAKE3 of the bytes in the file.
    pub checksum: [u8; 8],
}

/// One object of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub id: ObjectId,
    /// The number of its frame.
    pub frame_number: u32,
    /// Where it begins in the decoded frame.
    pub offset: u32,
    /// Its bytes.
    pub length: u32,
}

/// Where a pack's table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footer {
    /// Where it begins in the file.
    pub table: u64,
    /// Its bytes.
    pub length: u64,
    /// The hash of the table, which is the name of the pack.
    pub id: PackId,
}

/// A frame without bytes: it makes a table unlike another one, and nothing else. The checksum is that of nothing.
pub const EMPTY_FRAME: Frame = Frame {
    offset: 0,
    stored: 0,
    raw: 0,
    codec: Codec::Stored,
    level: 0,
    checksum: [0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6],
};

/// The first `N` bytes of BLAKE3.
pub fn checksum<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let hash = blake3::hash(bytes);
    std::array::from_fn(|n| hash.as_bytes()[n])
}

/// What objects are sorted by.
pub fn key_of(kind: ObjectKind, id: &[u8; LENGTH]) -> [u8; KEY] {
    let mut key = [kind as u8; KEY];
    key[1..].copy_from_slice(id);
    key
}

/// The first bytes of every plain pack.
pub fn encode_header() -> [u8; HEADER] {
    let mut encoder = Encoder::new();
    encoder.raw(HEADER_MAGIC).u16(VERSION).u8(Sort::Plain as u8).u8(0);
    let sum = checksum::<4>(encoder.as_slice());
    encoder.raw(&sum);
    encoder.finish().try_into().expect("16 bytes were encoded")
}

/// The table of these frames and objects, which are sorted here.
pub fn encode_table(sort: Sort, frames: &[Frame], records: &mut [Record]) -> Vec<u8> {
    records.sort_unstable_by_key(|record| (record.kind, record.id));
    let mut encoder = Encoder::new();
    encoder.raw(TABLE_MAGIC).u16(VERSION).u8(sort as u8).u8(0);
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

/// The name of a pack with this table.
pub fn id_of_table(table: &[u8]) -> PackId {
    PackId(*keyed("pack").update(table).finalize().as_bytes())
}

impl Footer {
    /// The last bytes of a pack.
    pub fn encode(&self, frames: u32, records: u32) -> [u8; FOOTER] {
        let mut encoder = Encoder::new();
        encoder.u64(self.table).u64(self.length).u32(frames).u32(records).raw(&self.id.0).u16(VERSION).raw(&[0; 6]);
        let sum = checksum::<8>(encoder.as_slice());
        encoder.raw(&sum).raw(FOOTER_MAGIC);
        encoder.finish().try_into().expect("80 bytes were encoded")
    }

    /// Decodes the last bytes of a pack file of this size.
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

fn table_length(frames: u32, records: u32) -> u64 {
    TABLE as u64 + u64::from(frames) * FRAME as u64 + u64::from(records) * OBJECT as u64
}

fn expect_version(version: u16) -> Result<()> {
    if version == VERSION {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Unsupported, format!("pack version {version} is not known to this program")))
}

/// A pack's table, as it lies in the file.
#[derive(Clone, Copy)]
pub struct Table<'a> {
    /// What sort of pack it is of.
    pub sort: Sort,
    frames: &'a [u8],
    records: &'a [u8],
}

impl<'a> Table<'a> {
    /// Finds the two lists. What is in them may be used after [`Table::check`], now or earlier.
    pub fn of(bytes: &'a [u8]) -> Result<Table<'a>> {
        let mut decoder = Decoder::new("pack table", bytes);
        let magic = decoder.raw(8)?;
        let (version, kind, zero) = (decoder.u16()?, decoder.u8()?, decoder.u8()?);
        let (frames, records) = (decoder.u32()?, decoder.u32()?);
        if magic != TABLE_MAGIC || table_length(frames, records) != bytes.len() as u64 {
            return Err(Error::damaged("invalid pack table"));
        }
        expect_version(version)?;
        let sort = match (kind, zero) {
            (0, 0) => Sort::Plain,
            (1, 0) => Sort::Adopted,
            _ => {
                let message = format!("pack kind {kind} is not known to this program");
                return Err(Error::new(ErrorKind::Unsupported, message));
            }
        };
        let (frames, records) = bytes[TABLE..].split_at(frames as usize * FRAME);
        Ok(Table { sort, frames, records })
    }

    /// Whether everything in it stays within the pack, whose frames end at `end`, and is in order.
    pub fn check(&self, end: u64) -> Result<()> {
        let mut position = self.sort.start();
        let is_adopted = self.sort == Sort::Adopted;
        for n in 0..self.frame_count() {
            let frame = self.try_frame(n)?;
            let is_foreign = is_adopted && (frame.codec != Codec::Stored || frame.stored != frame.raw);
            if frame.offset != position || frame.raw > LONGEST || frame.stored > LONGEST || is_foreign {
                return Err(Error::damaged(format!("invalid pack table: frame {n} is out of place")));
            }
            position += u64::from(frame.stored);
        }
        if position != end {
            return Err(Error::damaged("invalid pack table: frames do not fill the pack"));
        }
        let mut previous: Option<&[u8]> = None;
        for n in 0..self.len() {
            let record = self.try_record(n)?;
            let raw = if record.frame_number < self.frame_count() {
                u64::from(self.frame(record.frame_number).raw)
            } else {
                0
            };
            let key = self.key(n);
            if previous.is_some_and(|previous| previous >= key)
                || record.frame_number >= self.frame_count()
                || u64::from(record.offset) + u64::from(record.length) > raw
                || is_adopted && record.kind != ObjectKind::Data
            {
                return Err(Error::damaged(format!("invalid pack table: object {n} is out of place")));
            }
            previous = Some(key);
        }
        Ok(())
    }

    /// How many frames.
    pub fn frame_count(&self) -> u32 {
        (self.frames.len() / FRAME) as u32
    }

    /// How many objects.
    pub fn len(&self) -> usize {
        self.records.len() / OBJECT
    }

    /// A frame by its number.
    pub fn frame(&self, n: u32) -> Frame {
        self.try_frame(n).expect("the table was checked")
    }

    /// An object by its place in the sorted list.
    pub fn record(&self, n: usize) -> Record {
        self.try_record(n).expect("the table was checked")
    }

    /// All objects, sorted by kind and id.
    pub fn records(self) -> impl Iterator<Item = Record> + 'a {
        (0..self.len()).map(move |n| self.record(n))
    }

    /// What an object is sorted by: kind and id.
    pub fn key(&self, n: usize) -> &'a [u8] {
        &self.records[n * OBJECT..][..KEY]
    }

    /// The place of the first object that is not before `key`.
    pub fn lower_bound(&self, key: &[u8; KEY]) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.key(middle) < &key[..] { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// The object of this name.
    pub fn find(&self, kind: ObjectKind, id: ObjectId) -> Option<Record> {
        let key = key_of(kind, &id.0);
        let at = self.lower_bound(&key);
        (at < self.len() && self.key(at) == key).then(|| self.record(at))
    }

    fn try_frame(&self, n: u32) -> Result<Frame> {
        let mut decoder = Decoder::new("frame record", &self.frames[n as usize * FRAME..][..FRAME]);
        let (offset, stored, raw) = (decoder.u64()?, decoder.u32()?, decoder.u32()?);
        let codec = Codec::from_byte(decoder.u8()?)?;
        Ok(Frame { offset, stored, raw, codec, level: decoder.u8()?, checksum: decoder.array()? })
    }

    fn try_record(&self, n: usize) -> Result<Record> {
        let mut decoder = Decoder::new("object record", &self.records[n * OBJECT..][..OBJECT]);
        let Some(kind) = ObjectKind::from_byte(decoder.u8()?) else { return Err(decoder.invalid("unknown kind")) };
        let id = ObjectId(decoder.array()?);
        Ok(Record { kind, id, frame_number: decoder.u32()?, offset: decoder.u32()?, length: decoder.u32()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> (Vec<u8>, u64) {
        let frame = |offset, raw| Frame { offset, stored: 10, raw, codec: Codec::Zstd, level: 1, checksum: [7; 8] };
        let record = |id, frame_number, offset| {
            let (kind, id) = (ObjectKind::Tree, ObjectId([id; LENGTH]));
            Record { kind, id, frame_number, offset, length: 20 }
        };
        let frames = [frame(16, 60), frame(26, 20)];
        (encode_table(Sort::Plain, &frames, &mut [record(9, 1, 0), record(4, 0, 0), record(5, 0, 40)]), 36)
    }

    #[test]
    fn a_table_is_sorted_and_finds_what_is_in_it() {
        let (bytes, end) = table();
        let table = Table::of(&bytes).unwrap();
        table.check(end).unwrap();
        assert_eq!(table.records().map(|record| record.id.0[0]).collect::<Vec<_>>(), [4, 5, 9]);
        for record in table.records() {
            assert_eq!(table.find(record.kind, record.id), Some(record));
            assert_eq!(table.find(ObjectKind::Commit, record.id), None);
        }
        assert_eq!(table.find(ObjectKind::Tree, ObjectId([6; LENGTH])), None);
    }

    #[test]
    fn a_table_made_up_by_somebody_is_refused_or_harmless() {
        let (good, end) = table();
        let mut accepted = 0;
        for at in 0..good.len() {
            assert!(Table::of(&good[..at]).is_err(), "cut at {at}");
            for value in [0, 1, 0x7f, 0xff, good[at].wrapping_add(1)] {
                let mut bytes = good.clone();
                bytes[at] = value;
                let Ok(table) = Table::of(&bytes) else { continue };
                if table.check(end).is_err() {
                    continue;
                }
                accepted += 1;
                for record in table.records() {
                    let raw = table.frame(record.frame_number).raw;
                    assert!(raw <= LONGEST && record.offset + record.length <= raw);
                }
            }
        }
        assert!(accepted > 0, "checksums, levels and ids may be anything");
        assert!(Table::of(&good).unwrap().check(end + 1).is_err());
    }

    #[test]
    fn an_adopted_pack_begins_with_its_first_frame_and_holds_data_as_it_is() {
        let frame = |offset| Frame { offset, stored: 10, raw: 10, codec: Codec::Stored, level: 0, checksum: [7; 8] };
        let record =
            Record { kind: ObjectKind::Data, id: ObjectId([4; LENGTH]), frame_number: 1, offset: 0, length: 10 };
        let check = |sort, frames: &[Frame], record| {
            let bytes = encode_table(sort, frames, &mut [record]);
            Table::of(&bytes).unwrap().check(20 + frames[0].offset)
        };
        check(Sort::Adopted, &[frame(0), frame(10)], record).unwrap();
        check(Sort::Plain, &[frame(16), frame(26)], record).unwrap();
        check(Sort::Plain, &[frame(0), frame(10)], record).unwrap_err();
        check(Sort::Adopted, &[frame(16), frame(26)], record).unwrap_err();
        check(Sort::Adopted, &[frame(0), frame(10)], Record { kind: ObjectKind::Tree, ..record }).unwrap_err();
        check(Sort::Adopted, &[frame(0), Frame { codec: Codec::Zstd, ..frame(10) }], record).unwrap_err();
        check(Sort::Adopted, &[frame(0), Frame { raw: 11, ..frame(10) }], record).unwrap_err();
    }

    #[test]
    fn a_footer_goes_back_and_forth_and_every_truncation_is_refused() {
        let (table, start) = table();
        let footer = Footer { table: start, length: table.len() as u64, id: id_of_table(&table) };
        let file = [&vec![0; start as usize][..], &table, &footer.encode(2, 3)].concat();
        let decode = |file: &[u8]| Footer::decode(file, file.len() as u64);
        assert_eq!(decode(&file).unwrap(), footer);
        assert_eq!(Footer::decode(&file[file.len() - FOOTER..], file.len() as u64).unwrap(), footer);
        for end in 0..file.len() {
            assert!(decode(&file[..end]).is_err(), "cut at {end}");
        }
        assert!(decode(&[&file[..], &[0]].concat()).is_err());
        assert!(decode(&[&[0][..], &file].concat()).is_err());
    }
}
