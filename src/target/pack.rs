//! Packs of a target: sealed frames, a sealed table, and padding.
//!
//! ```text
//! sealed header (table offset u32, table length u32) | sealed frames | sealed table | padding
//! ```
//!
//! A sealed frame contains: codec u8 | decoded length u32 | the bytes of a frame as in packs of the store.

use super::file::{FileName, pad};
use super::record::{FrameObject, Record};
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, Result};
use crate::object::fields::{self, fields};
use crate::seal::{Keyring, OVERHEAD, Purpose};

/// Maximum size of a pack with the content of files. Longer frames get a pack each.
const FULL: usize = 32 << 20;

/// Maximum size of any other pack. Collecting garbage reads them all.
const FULL_META: usize = 8 << 20;

/// Length of the sealed header.
const HEADER: usize = 8 + OVERHEAD;

/// Length of the fields of a frame before its bytes.
const FRAME_HEAD: usize = 5;

/// A sealed frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Offset in the pack.
    pub offset: u32,
    /// Length of the sealed frame.
    pub length: u32,
    /// Objects in it.
    pub objects: Vec<FrameObject>,
}

fields!(Frame: offset, length, objects);

/// A frame as the store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded<'a> {
    /// Number of the codec, as in packs of the store.
    pub codec: u8,
    /// Size when decoded in bytes.
    pub raw: u32,
    /// The bytes.
    pub bytes: &'a [u8],
}

/// A pack in memory.
pub struct Builder<'k> {
    keyring: &'k Keyring,
    bytes: Vec<u8>,
    frames: Vec<Frame>,
    /// Encoded frame before it is sealed.
    plain: Vec<u8>,
}

/// A complete pack.
pub struct Sealed {
    /// Name of the pack.
    pub name: FileName,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Where its objects are.
    pub records: Vec<Record>,
}

impl<'k> Builder<'k> {
    /// Creates an empty pack.
    pub fn new(keyring: &'k Keyring) -> Builder<'k> {
        Builder { keyring, bytes: Vec::new(), frames: Vec::new(), plain: Vec::new() }
    }

    /// Whether the pack has no frame.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Size of the frames so far in bytes.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Moves the frames of another pack to the end of this one.
    pub fn append(&mut self, other: Builder<'_>) {
        for frame in other.frames {
            let sealed = &other.bytes[frame.offset as usize..][..frame.length as usize];
            self.push_sealed(sealed, frame.objects);
        }
    }

    /// Whether the pack should not grow by a frame of this length.
    pub fn is_full_for(&self, length: usize, is_data: bool) -> bool {
        let full = if is_data { FULL } else { FULL_META };
        !self.is_empty() && self.bytes.len() + length + OVERHEAD + FRAME_HEAD > full
    }

    /// Seals and adds a frame.
    pub fn push(&mut self, frame: &Encoded<'_>, objects: Vec<FrameObject>) -> Result<()> {
        let mut encoder = Encoder::new();
        encoder.u8(frame.codec).u32(frame.raw);
        self.plain.clear();
        self.plain.extend_from_slice(encoder.as_slice());
        self.plain.extend_from_slice(frame.bytes);
        let offset = self.reserve_header();
        self.keyring.seal_into(Purpose::Frame, &[], &self.plain, &mut self.bytes)?;
        let length = (self.bytes.len() - offset) as u32;
        self.frames.push(Frame { offset: offset as u32, length, objects });
        Ok(())
    }

    /// Adds a sealed frame of another pack.
    pub fn push_sealed(&mut self, sealed: &[u8], objects: Vec<FrameObject>) {
        let offset = self.reserve_header() as u32;
        self.bytes.extend_from_slice(sealed);
        self.frames.push(Frame { offset, length: sealed.len() as u32, objects });
    }

    fn reserve_header(&mut self) -> usize {
        if self.bytes.is_empty() {
            self.bytes.resize(HEADER, 0);
        }
        self.bytes.len()
    }

    /// Completes the pack.
    pub fn seal(mut self) -> Result<Sealed> {
        let table_offset = self.reserve_header();
        let table = fields::encode(&self.frames);
        self.keyring.seal_into(Purpose::Table, &[], &table, &mut self.bytes)?;
        let mut header = Encoder::new();
        header.u32(table_offset as u32).u32((self.bytes.len() - table_offset) as u32);
        let header = self.keyring.seal(Purpose::Header, &[], header.as_slice())?;
        self.bytes[..HEADER].copy_from_slice(&header);
        pad(&mut self.bytes)?;
        let name = FileName::of(&self.bytes);
        Ok(Sealed { name, bytes: self.bytes, records: records(name, &self.frames) })
    }
}

/// The index records of the objects in these frames of a pack.
pub fn records(pack: FileName, frames: &[Frame]) -> Vec<Record> {
    let of_frame = |frame: &Frame| {
        let (offset, length) = (frame.offset, frame.length);
        let record = move |object: &FrameObject| Record { pack: pack.prefix(), frame: offset, length, object: *object };
        frame.objects.iter().map(record).collect::<Vec<_>>()
    };
    frames.iter().flat_map(of_frame).collect()
}

/// The table of a pack, whose bytes are given whole.
pub fn open_table(keyring: &Keyring, bytes: &[u8]) -> Result<Vec<Frame>> {
    let header = bytes.get(..HEADER).ok_or_else(|| Error::damaged("too short for a pack"))?;
    let header = keyring.open(Purpose::Header, &[], header)?;
    let mut decoder = Decoder::new("pack header", &header);
    let (offset, length) = (decoder.u32()? as usize, decoder.u32()? as usize);
    decoder.finish()?;
    let sealed = bytes.get(offset..).and_then(|rest| rest.get(..length));
    let table = keyring.open(Purpose::Table, &[], sealed.ok_or_else(|| Error::damaged("a pack without a table"))?)?;
    let frames: Vec<Frame> = fields::decode("pack table", &table)?;
    let is_inside = |frame: &Frame| frame.offset as usize + frame.length as usize <= offset;
    if frames.iter().all(is_inside) { Ok(frames) } else { Err(Error::damaged("a frame outside its pack")) }
}

/// The decoded fields of a sealed frame that was opened.
pub fn encoded_frame(plain: &[u8]) -> Result<Encoded<'_>> {
    let mut decoder = Decoder::new("frame", plain);
    let (codec, raw) = (decoder.u8()?, decoder.u32()?);
    Ok(Encoded { codec, raw, bytes: &plain[FRAME_HEAD..] })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seal::ObjectName;

    #[test]
    fn frames_of_another_pack_are_found_in_a_pack() {
        let keyring = Keyring::create().unwrap();
        let pack = |n: u8| {
            let mut builder = Builder::new(&keyring);
            let object = FrameObject { name: ObjectName([n; 16]), offset: 0, length: 10 };
            builder.push(&Encoded { codec: 0, raw: 10, bytes: &[n; 10] }, vec![object]).unwrap();
            builder
        };
        let mut both = pack(1);
        both.append(pack(2));
        let sealed = both.seal().unwrap();
        for (record, n) in sealed.records.iter().zip([1, 2]) {
            let frame = &sealed.bytes[record.frame as usize..][..record.length as usize];
            let plain = keyring.open(Purpose::Frame, &[], frame).unwrap();
            assert_eq!((record.object.name.0[0], encoded_frame(&plain).unwrap().bytes), (n, &[n; 10][..]));
        }
    }

    #[test]
    fn a_pack_opens_and_looks_random() {
        let keyring = Keyring::create().unwrap();
        let mut builder = Builder::new(&keyring);
        let object = |n: u8| FrameObject { name: ObjectName([n; 16]), offset: n.into(), length: 1 };
        for n in 0..3 {
            let bytes = [n; 50_000];
            builder.push(&Encoded { codec: 0, raw: 50_000, bytes: &bytes }, vec![object(n)]).unwrap();
        }
        let pack = builder.seal().unwrap();
        assert_eq!(pack.name, FileName::of(&pack.bytes));
        let frames = open_table(&keyring, &pack.bytes).unwrap();
        assert_eq!(records(pack.name, &frames), pack.records);
        let sealed = &pack.bytes[frames[2].offset as usize..][..frames[2].length as usize];
        let plain = keyring.open(Purpose::Frame, &[], sealed).unwrap();
        assert_eq!(encoded_frame(&plain).unwrap(), Encoded { codec: 0, raw: 50_000, bytes: &[2; 50_000] });
        let mut counts = [0u32; 256];
        pack.bytes.iter().for_each(|byte| counts[*byte as usize] += 1);
        let mean = pack.bytes.len() as u32 / 256;
        assert!(counts.iter().all(|count| count.abs_diff(mean) < mean / 2), "{counts:?}");
    }
}
