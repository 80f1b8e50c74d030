//! Where objects are in packs.

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::object::fields::{Field, fields};
use crate::seal::ObjectName;

/// An object in the decoded frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameObject {
    /// Name of the object.
    pub name: ObjectName,
    /// Offset in the decoded frame.
    pub offset: u32,
    /// Size in bytes.
    pub length: u32,
}

fields!(FrameObject: name, offset, length);

impl FrameObject {
    /// The bytes of the object in its decoded frame. `None` if they lie outside it.
    pub fn bytes_in(self, frame: &[u8]) -> Option<&[u8]> {
        frame.get(self.offset as usize..)?.get(..self.length as usize)
    }
}

/// Where an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// First bytes of the name of the pack.
    pub pack: u64,
    /// Offset of the sealed frame in the pack.
    pub frame: u32,
    /// Length of the sealed frame.
    pub length: u32,
    /// The object in the decoded frame.
    pub object: FrameObject,
}

/// Length of an encoded record.
pub const RECORD: usize = 16 + 8 + 4 * 4;

impl Field for Record {
    fn put(&self, encoder: &mut Encoder) {
        let Record { pack, frame, length, object } = self;
        encoder
            .raw(&object.name.0)
            .raw(&pack.to_be_bytes())
            .u32(*frame)
            .u32(*length)
            .u32(object.offset)
            .u32(object.length);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Record> {
        let name = ObjectName(decoder.array()?);
        let pack = u64::from_be_bytes(decoder.array()?);
        let (frame, length) = (decoder.u32()?, decoder.u32()?);
        let object = FrameObject { name, offset: decoder.u32()?, length: decoder.u32()? };
        Ok(Record { pack, frame, length, object })
    }
}
