//! Reads selected objects in the frames in which they leave the store: whole frames as they are, others compressed again.

use super::compress::{Codec, Compression, Encoder};
use super::object_set::ObjectSet;
use super::pack::{Frame, FrameReader, Pack, Record, format};
use super::pack_set::Store;
use super::writer::{LARGE, frame_of};
use crate::error::{Error, ErrorKind, Result};
use crate::id::ObjectId;
use crate::object::{ObjectKind, Objects};

/// A frame with selected objects only.
pub struct OutgoingFrame<'a> {
    /// Number of the codec.
    pub codec: u8,
    /// Size when decoded in bytes.
    pub raw: u32,
    /// The encoded bytes.
    pub bytes: &'a [u8],
    /// The objects in the decoded frame.
    pub objects: &'a [OutgoingObject],
    /// Whether the frame has the content of files, not anything else.
    pub is_data: bool,
}

/// An object of an outgoing frame.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingObject {
    /// Kind of the object.
    pub kind: ObjectKind,
    /// Id of the object.
    pub id: ObjectId,
    /// Offset in the decoded frame.
    pub offset: u32,
    /// Size in bytes.
    pub length: u32,
}

/// Objects that are collected for a frame.
struct Buffer {
    is_data: bool,
    raw: Vec<u8>,
    objects: Vec<OutgoingObject>,
}

type Each<'e> = dyn FnMut(OutgoingFrame<'_>) -> Result<()> + 'e;

impl Store {
    /// The share of the selected objects in the stored bytes of their frames.
    pub fn selected_bytes(&self, selected: &ObjectSet) -> Result<u64> {
        let packs = self.packs.iter().enumerate().filter(|(n, _)| !selected.is_empty_in(*n));
        packs.map(|(n, pack)| self.pack_file(pack.id).bytes_of(|record| selected.has(n, record))).sum()
    }

    /// Passes the selected objects to `each`, in frames. A frame of which everything is selected is not decoded. An object whose
    /// frame cannot be read is read from another pack.
    pub fn each_frame(&self, selected: &ObjectSet, each: &mut Each<'_>) -> Result<()> {
        let mut frames = FrameReader::default();
        let mut encoder = Encoder::new(self.options().compression);
        let mut buffers = [true, false].map(|is_data| Buffer { is_data, raw: Vec::new(), objects: Vec::new() });
        for (n, pack) in self.packs.iter().enumerate().filter(|(n, _)| !selected.is_empty_in(*n)) {
            // Not the pack of the set: its table would stay in memory.
            let opened = if self.is_uncovered(n) { None } else { Some(self.pack_file(pack.id)) };
            let pack = opened.as_ref().unwrap_or(pack);
            let table = pack.table()?;
            let mut sizes = vec![0; table.frame_count() as usize];
            table.records().for_each(|record| sizes[record.frame_number as usize] += u64::from(record.length));
            let mut records: Vec<Record> = selected.records_of(n).map(|record| table.record(record as usize)).collect();
            records.sort_unstable_by_key(|record| (record.frame_number, record.offset));
            for records in records.chunk_by(|a, b| a.frame_number == b.frame_number) {
                let number = records[0].frame_number;
                let frame = table.frame(number);
                let size: u64 = records.iter().map(|record| u64::from(record.length)).sum();
                // Objects do not overlap, so equal sizes mean that nothing else is in the frame.
                let is_whole = size == sizes[number as usize] && size == u64::from(frame.raw);
                if is_whole && pass_whole(&mut frames, pack, &frame, records, each)? {
                    continue;
                }
                for record in records {
                    let bytes = self.object(record.kind, record.id)?;
                    let buffer = &mut buffers[usize::from(record.kind != ObjectKind::Data)];
                    buffer.add(record, &bytes, &mut encoder, each)?;
                }
            }
        }
        buffers.iter_mut().try_for_each(|buffer| buffer.pass(&mut encoder, each))
    }
}

/// Returns `false` if the frame is damaged.
fn pass_whole(
    frames: &mut FrameReader,
    pack: &Pack,
    frame: &Frame,
    records: &[Record],
    each: &mut Each<'_>,
) -> Result<bool> {
    let bytes = match frames.encoded(pack, frame, &frame.checksum) {
        Err(error) if error.kind() == ErrorKind::Damaged => return Ok(false),
        bytes => bytes?,
    };
    let objects: Vec<OutgoingObject> = records.iter().map(OutgoingObject::of).collect();
    let is_data = records[0].kind == ObjectKind::Data;
    each(OutgoingFrame { codec: frame.codec as u8, raw: frame.raw, bytes, objects: &objects, is_data })?;
    Ok(true)
}

impl OutgoingObject {
    fn of(record: &Record) -> OutgoingObject {
        let Record { kind, id, offset, length, .. } = *record;
        OutgoingObject { kind, id, offset, length }
    }
}

impl Buffer {
    fn add(&mut self, record: &Record, bytes: &[u8], encoder: &mut Encoder, each: &mut Each<'_>) -> Result<()> {
        if self.raw.len() + bytes.len() > frame_of(record.kind) || bytes.len() >= LARGE {
            self.pass(encoder, each)?;
        }
        self.objects.push(OutgoingObject { offset: self.raw.len() as u32, ..OutgoingObject::of(record) });
        self.raw.extend_from_slice(bytes);
        if bytes.len() >= LARGE { self.pass(encoder, each) } else { Ok(()) }
    }

    fn pass(&mut self, encoder: &mut Encoder, each: &mut Each<'_>) -> Result<()> {
        if !self.objects.is_empty() {
            let encoded = encoder.encode(&self.raw)?;
            let (raw, objects) = (self.raw.len() as u32, &self.objects);
            let (codec, is_data) = (encoded.codec as u8, self.is_data);
            each(OutgoingFrame { codec, raw, bytes: encoded.bytes, objects, is_data })?;
            self.raw.clear();
            self.objects.clear();
        }
        Ok(())
    }
}

/// Decodes a frame that came from elsewhere. For one thread.
#[derive(Default)]
pub struct FrameDecoder {
    decoder: super::compress::Decoder,
    decoded: Vec<u8>,
}

impl FrameDecoder {
    /// Decodes a frame of `raw` bytes with the codec of this number. [`ErrorKind::Damaged`] if the frame is not valid.
    pub fn decode(&mut self, codec: u8, raw: u32, bytes: &[u8]) -> Result<&[u8]> {
        if raw > format::LONGEST {
            return Err(Error::damaged("a frame longer than any"));
        }
        self.decoder.decode(Codec::from_byte(codec)?, bytes, raw as usize, &mut self.decoded)?;
        Ok(&self.decoded)
    }
}

/// Compresses frames that do not come from a store. For one thread.
pub struct FrameEncoder(Encoder);

impl FrameEncoder {
    /// Creates an encoder with this compression.
    pub fn new(compression: Compression) -> FrameEncoder {
        FrameEncoder(Encoder::new(compression))
    }

    /// Encodes a frame. Returns the number of the codec, and the bytes.
    pub fn encode<'a>(&'a mut self, raw: &'a [u8]) -> Result<(u8, &'a [u8])> {
        let encoded = self.0.encode(raw)?;
        Ok((encoded.codec as u8, encoded.bytes))
    }
}
