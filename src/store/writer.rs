//! A writer: one thread's way into a session. It gathers small objects into frames, compresses and checks them, and fills
//! packs of its own.

use super::compress::{Codec, Encoded, Encoder};
use super::pack::file::Builder;
use super::pack::{Frame, Record, format};
use super::session::Session;
use crate::error::{Error, ErrorKind, Result};
use crate::id::ObjectId;
use crate::object::ObjectKind;

/// Small objects are gathered up to so many bytes. Files: enough for 96 % of what compressing all of them together would
/// save, and little enough to decode for one of them. Of trees and commits one here and one there are asked for, so that is
/// a quarter.
pub(super) fn frame_of(kind: ObjectKind) -> usize {
    if kind == ObjectKind::Data { 256 << 10 } else { 64 << 10 }
}

/// From this size on an object has a frame of its own.
const LARGE: usize = 64 << 10;

/// A pack is full from this size on.
const PACK: u64 = 64 << 20;

/// Maximum number of objects in a pack, whose records stay in memory until its table is written.
const OBJECTS: usize = 128 << 10;

/// One thread's way to write, into packs of its own. Dropped, it hands over what it has, as if it had been finished; a
/// failure to do so is told by [`Session::finish`].
pub struct Writer<'a> {
    session: &'a Session<'a>,
    encoder: Encoder,
    data: Stream,
    /// Everything but file content, in frames and packs of its own: reading history decodes no file data.
    history: Stream,
}

/// Objects of one sort on their way into a pack.
#[derive(Default)]
struct Stream {
    /// Bytes of the frame that is being gathered, and what they are.
    raw: Vec<u8>,
    records: Vec<Record>,
    pack: Option<Builder>,
}

impl Session<'_> {
    /// A writer for this thread. Drop it, or finish it, before the session is finished.
    pub fn writer(&self) -> Writer<'_> {
        let encoder = Encoder::new(self.store.options().compression);
        Writer { session: self, encoder, data: Stream::default(), history: Stream::default() }
    }
}

impl Writer<'_> {
    /// Puts an object under its id (which the caller has computed); `false` if it was there already.
    /// After a failure the whole session has failed.
    pub fn put(&mut self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<bool> {
        if bytes.len() > format::LONGEST as usize {
            let message = format!("{} `{id}` has {} bytes, more than a pack can hold", kind.word(), bytes.len());
            return Err(self.session.poison(Error::new(ErrorKind::Unsupported, message)));
        }
        if !self.session.claim(kind, id) {
            return Ok(false);
        }
        self.session.check()?;
        self.add(kind, id, bytes).map_err(|error| self.session.poison(error))?;
        Ok(true)
    }

    /// Whether these bytes would be stored as they are, since compressing them saves too little.
    pub fn is_incompressible(&mut self, bytes: &[u8]) -> Result<bool> {
        Ok(self.encoder.encode(bytes)?.codec == Codec::Stored)
    }

    /// Hands its frames over to the session.
    pub fn finish(mut self) -> Result<()> {
        self.hand_over()
    }

    /// Puts an object that the caller has claimed.
    pub(super) fn add(&mut self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<()> {
        let stream = if kind == ObjectKind::Data { &mut self.data } else { &mut self.history };
        let record = Record { kind, id, frame_number: 0, offset: 0, length: bytes.len() as u32 };
        if bytes.len() >= LARGE {
            return stream.write_frame(self.session, &mut self.encoder, bytes, &[record]);
        }
        if stream.raw.len() + bytes.len() > frame_of(kind) {
            stream.write_gathered(self.session, &mut self.encoder)?;
        }
        stream.records.push(Record { offset: stream.raw.len() as u32, ..record });
        stream.raw.extend_from_slice(bytes);
        Ok(())
    }

    fn hand_over(&mut self) -> Result<()> {
        let (session, encoder) = (self.session, &mut self.encoder);
        session.check()?;
        let mut write = || {
            self.data.write_gathered(session, encoder)?;
            self.history.write_gathered(session, encoder)
        };
        write().map_err(|error| session.poison(error))?;
        session.leave(self.data.pack.take(), self.history.pack.take());
        Ok(())
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.session.poison(Error::new(ErrorKind::Internal, "a thread that was writing has failed"));
        } else {
            // After `finish` there is nothing left to hand over. A failure is kept by the session.
            let _ = self.hand_over();
        }
    }
}

impl Stream {
    /// Ends the frame that is being gathered.
    fn write_gathered(&mut self, session: &Session<'_>, encoder: &mut Encoder) -> Result<()> {
        if self.records.is_empty() {
            return Ok(());
        }
        let (mut raw, mut records) = (std::mem::take(&mut self.raw), std::mem::take(&mut self.records));
        self.write_frame(session, encoder, &raw, &records)?;
        raw.clear();
        records.clear();
        (self.raw, self.records) = (raw, records);
        Ok(())
    }

    fn write_frame(
        &mut self,
        session: &Session<'_>,
        encoder: &mut Encoder,
        raw: &[u8],
        records: &[Record],
    ) -> Result<()> {
        let (frame, bytes) = new_frame(encoder, raw, records)?;
        let pack = match &mut self.pack {
            Some(pack) => pack,
            none => none.insert(Builder::new(&session.store.directory)),
        };
        pack.push(frame, bytes, records.iter().copied())?;
        if (pack.size() >= PACK || pack.objects() >= OBJECTS)
            && let Some(full) = self.pack.take()
        {
            session.flush(full.seal()?)?;
        }
        Ok(())
    }
}

/// A frame of these bytes and what they are, not yet in any pack; and what it is in the file.
pub(super) fn new_frame<'a>(encoder: &'a mut Encoder, raw: &'a [u8], records: &[Record]) -> Result<(Frame, &'a [u8])> {
    let Encoded { codec, level, bytes } = encoder.encode(raw)?;
    let checksum = match (codec, records) {
        // The id is the hash of the same bytes: no need to hash them again.
        (Codec::Stored, [Record { kind: ObjectKind::Data, id: ObjectId(hash), .. }]) => {
            *hash.first_chunk().expect("an id has more than 8 bytes")
        }
        _ => format::checksum(bytes),
    };
    let frame = Frame { offset: 0, stored: bytes.len() as u32, raw: raw.len() as u32, codec, level, checksum };
    Ok((frame, bytes))
}
