//! A writer: collects small objects into frames, compresses and verifies them, and fills packs. One per thread of a
//! session.

use super::compress::{Codec, Encoded, Encoder};
use super::pack::file::Builder;
use super::pack::{Frame, Record, format};
use super::pack_set::Store;
use super::session::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ObjectId;
use crate::object::ObjectKind;

/// Size of a frame of small objects. For files: saves 96 % of what compressing all of them together would save, and is
/// fast to decode for one of them. A quarter of that for trees and commits, which are read one at a time.
pub(super) fn frame_of(kind: ObjectKind) -> usize {
    if kind == ObjectKind::Data { 256 << 10 } else { 64 << 10 }
}

/// Objects of at least this size get a frame each.
pub(super) const LARGE: usize = 64 << 10;

/// Minimum size of a full pack.
const PACK: u64 = 64 << 20;

/// Number of full packs that a large store has: listing and opening them must stay cheap.
const PACKS: u64 = 1024;

/// Maximum number of objects in a pack, whose records stay in memory until its table is written.
pub(super) const OBJECTS: usize = 128 << 10;

/// Writes objects into packs, on one thread. Dropping it has the same effect as finishing it; [`Session::finish`]
/// reports an error.
pub struct Writer<'a> {
    session: &'a Session<'a>,
    encoder: Encoder,
    /// Size of a full pack.
    full: u64,
    streams: Streams,
}

struct Streams {
    data: Stream,
    /// Everything except file content, in separate frames and packs, so that reading history decodes no file data.
    history: Stream,
}

impl Streams {
    fn of(&mut self, kind: ObjectKind) -> &mut Stream {
        if kind == ObjectKind::Data { &mut self.data } else { &mut self.history }
    }
}

/// Objects for one pack.
struct Stream {
    buffer: FrameBuffer,
    pack: Builder,
}

/// Small objects, collected for one frame.
#[derive(Default)]
pub(super) struct FrameBuffer {
    raw: Vec<u8>,
    records: Vec<Record>,
    /// Maximum size of a frame, if not the usual one.
    limit: Option<usize>,
}

impl Store {
    /// Size of a full pack in bytes.
    pub(super) fn full_pack(&self) -> u64 {
        let total: u64 = self.packs().into_iter().map(|(_, size)| size).sum();
        PACK.max(total / PACKS)
    }
}

impl Session<'_> {
    /// Creates a writer for this thread. It must be dropped or finished before the session is finished.
    pub fn writer(&self) -> Writer<'_> {
        let encoder = Encoder::new(self.store.options().compression);
        let stream = || Stream { buffer: FrameBuffer::default(), pack: Builder::new(&self.store.directory) };
        Writer { session: self, encoder, full: self.full, streams: Streams { data: stream(), history: stream() } }
    }
}

impl Writer<'_> {
    /// Puts an object under its id, which the caller has computed. Returns `false` if it is present. After an error the
    /// whole session has failed.
    pub fn put(&mut self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<bool> {
        if bytes.len() > format::LONGEST as usize {
            let message = format!("{} `{id}` has {} bytes, more than a pack can hold", kind.word(), bytes.len());
            return Err(self.session.poison(Error::new(ErrorKind::Unsupported, message)));
        }
        if !self.session.claim(kind, id) {
            return Ok(false);
        }
        self.put_claimed(kind, id, bytes)?;
        Ok(true)
    }

    /// Whether these bytes would be stored uncompressed, because compression saves too little.
    pub fn is_incompressible(&mut self, bytes: &[u8]) -> Result<bool> {
        Ok(self.encoder.encode(bytes)?.codec == Codec::Stored)
    }

    /// Passes its packs to the session.
    pub fn finish(mut self) -> Result<()> {
        self.hand_over()
    }

    /// Claims the right to put an object. Returns `false` if it is present.
    #[cfg(feature = "targets")]
    pub(super) fn claim(&self, kind: ObjectKind, id: ObjectId) -> bool {
        self.session.claim(kind, id)
    }

    /// Like [`Writer::put`], for an object that the caller has claimed.
    pub(super) fn put_claimed(&mut self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<()> {
        self.session.check()?;
        self.add(kind, id, bytes).map_err(|error| self.session.poison(error))
    }

    /// Adds an encoded frame with objects of this kind, which the caller has claimed.
    #[cfg(feature = "targets")]
    pub(super) fn push_frame(
        &mut self,
        kind: ObjectKind,
        frame: Frame,
        bytes: &[u8],
        records: impl IntoIterator<Item = Record>,
    ) -> Result<()> {
        self.session.check()?;
        let pushed = self.streams.of(kind).pack.push(frame, bytes, records);
        pushed.and_then(|()| self.flush_full(kind)).map_err(|error| self.session.poison(error))
    }

    /// Passes the pack for objects of this kind to the session if it is full.
    fn flush_full(&mut self, kind: ObjectKind) -> Result<()> {
        let stream = self.streams.of(kind);
        if stream.pack.size() >= self.full || stream.pack.objects() >= OBJECTS {
            let full = std::mem::replace(&mut stream.pack, Builder::new(&self.session.store.directory));
            self.session.flush(full.seal(&|id| self.session.store.is_masked(id))?)?;
        }
        Ok(())
    }

    /// Puts an object that the caller has claimed.
    pub(super) fn add(&mut self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<()> {
        let stream = self.streams.of(kind);
        let record = Record { kind, id, frame_number: 0, offset: 0, length: bytes.len() as u32 };
        if bytes.len() >= LARGE {
            let (frame, stored) = new_frame(&mut self.encoder, bytes, &[record])?;
            stream.pack.push(frame, stored, [record])?;
        } else {
            stream.buffer.add(record, bytes, &mut self.encoder, &mut stream.pack)?;
        }
        self.flush_full(kind)
    }

    fn hand_over(&mut self) -> Result<()> {
        self.session.check()?;
        for stream in [&mut self.streams.data, &mut self.streams.history] {
            let written = stream.buffer.write(&mut self.encoder, &mut stream.pack);
            written.map_err(|error| self.session.poison(error))?;
        }
        let [data, history] = [&mut self.streams.data, &mut self.streams.history]
            .map(|stream| std::mem::replace(&mut stream.pack, Builder::new(&self.session.store.directory)));
        self.session.leave(data, history);
        Ok(())
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.session.poison(Error::new(ErrorKind::Internal, "a thread that was writing has failed"));
        } else {
            // After `finish` nothing is left. The session keeps the error.
            let _ = self.hand_over();
        }
    }
}

impl FrameBuffer {
    /// Sets the maximum size of a frame.
    pub(super) fn set_limit(&mut self, bytes: usize) {
        self.limit = Some(bytes);
    }

    /// Adds an object. Writes the objects before it to the pack if they leave too little room in the frame.
    pub(super) fn add(
        &mut self,
        record: Record,
        bytes: &[u8],
        encoder: &mut Encoder,
        pack: &mut Builder,
    ) -> Result<()> {
        if self.raw.len() + bytes.len() > self.limit.unwrap_or(frame_of(record.kind)) {
            self.write(encoder, pack)?;
        }
        self.records.push(Record { offset: self.raw.len() as u32, ..record });
        self.raw.extend_from_slice(bytes);
        Ok(())
    }

    /// Writes the objects to the pack as one frame.
    pub(super) fn write(&mut self, encoder: &mut Encoder, pack: &mut Builder) -> Result<()> {
        if !self.records.is_empty() {
            let (frame, bytes) = new_frame(encoder, &self.raw, &self.records)?;
            pack.push(frame, bytes, self.records.drain(..))?;
            self.raw.clear();
        }
        Ok(())
    }
}

/// Compresses and verifies a frame, which is not in a pack yet; returns it with its bytes for the file.
fn new_frame<'a>(encoder: &'a mut Encoder, raw: &'a [u8], records: &[Record]) -> Result<(Frame, &'a [u8])> {
    let Encoded { codec, level, bytes } = encoder.encode(raw)?;
    let checksum = match (codec, records) {
        // The id is the hash of the same bytes.
        (Codec::Stored, [Record { kind: ObjectKind::Data, id: ObjectId(hash), .. }]) => {
            *hash.first_chunk().expect("an id has more than 8 bytes")
        }
        _ => format::checksum(bytes),
    };
    let frame = Frame { offset: 0, stored: bytes.len() as u32, raw: raw.len() as u32, codec, level, checksum };
    Ok((frame, bytes))
}
