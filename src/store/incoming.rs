//! Stores frames that come from elsewhere as they are, without compressing them again.

use super::compress::Codec;
use super::outgoing::OutgoingObject;
use super::pack::{Frame, Record, format};
use super::writer::Writer;
use crate::error::Result;

/// A frame from elsewhere, encoded and decoded.
pub struct IncomingFrame<'a> {
    /// Number of the codec.
    pub codec: u8,
    /// The encoded bytes.
    pub bytes: &'a [u8],
    /// The decoded bytes.
    pub raw: &'a [u8],
    /// All objects in the decoded frame, of one kind, whose ids the caller has verified.
    pub objects: &'a [OutgoingObject],
}

impl Writer<'_> {
    /// Puts the objects of a frame. If all are new, the frame is stored as it is. After an error the whole session has failed.
    pub fn put_frame(&mut self, frame: &IncomingFrame<'_>) -> Result<()> {
        let Some(first) = frame.objects.first() else { return Ok(()) };
        let mut claimed = Vec::with_capacity(frame.objects.len());
        for object in frame.objects {
            if self.claim(object.kind, object.id) {
                claimed.push(*object);
            }
        }
        if claimed.len() == frame.objects.len() {
            let codec = Codec::from_byte(frame.codec)?;
            let (stored, raw) = (frame.bytes.len() as u32, frame.raw.len() as u32);
            let checksum = format::checksum(frame.bytes);
            let kept = Frame { offset: 0, stored, raw, codec, level: 0, checksum };
            return self.push_frame(first.kind, kept, frame.bytes, frame.objects.iter().map(record));
        }
        for object in claimed {
            let bytes = &frame.raw[object.offset as usize..][..object.length as usize];
            self.put_claimed(object.kind, object.id, bytes)?;
        }
        Ok(())
    }
}

fn record(object: &OutgoingObject) -> Record {
    let OutgoingObject { kind, id, offset, length } = *object;
    Record { kind, id, frame_number: 0, offset, length }
}
