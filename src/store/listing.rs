//! One pack, object by object, for who looks at how things are kept.

use super::compress::Codec;
use super::pack::Pack;
use super::pack_set::Store;
use crate::error::Result;
use crate::id::{ObjectId, PackId};
use crate::object::ObjectKind;

/// A pack that is opened anew, whether the journal names it or not.
pub struct Listing(Pack);

/// An object in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packed {
    /// What it is kept as.
    pub kind: ObjectKind,
    /// Its id.
    pub id: ObjectId,
    /// Its bytes.
    pub length: u32,
    /// Where its frame begins in the pack.
    pub frame: u64,
    /// Where it begins in the decoded frame.
    pub offset: u32,
}

/// What a pack holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Objects.
    pub objects: u64,
    /// Frames as they are, deflated, and compressed by Zstandard.
    pub frames: [u64; 3],
    /// Bytes of all frames when decoded.
    pub raw: u64,
    /// Bytes of all frames in the file.
    pub stored: u64,
}

impl Store {
    /// A look into a pack.
    pub fn list_pack(&self, id: PackId) -> Listing {
        Listing(Pack::new(&self.directory, id))
    }
}

impl Listing {
    /// Its objects, by kind and id.
    pub fn objects(&self) -> Result<impl Iterator<Item = Packed>> {
        let table = self.0.table()?;
        Ok(table.records().map(move |record| Packed {
            kind: record.kind,
            id: record.id,
            length: record.length,
            frame: table.frame(record.frame_number).offset,
            offset: record.offset,
        }))
    }

    /// What they come to.
    pub fn totals(&self) -> Result<Totals> {
        let table = self.0.table()?;
        let mut totals = Totals { objects: table.len() as u64, ..Totals::default() };
        for frame in (0..table.frame_count()).map(|n| table.frame(n)) {
            totals.raw += u64::from(frame.raw);
            totals.stored += u64::from(frame.stored);
            let [stored, deflate, zstd] = &mut totals.frames;
            *match frame.codec {
                Codec::Stored => stored,
                Codec::Deflate => deflate,
                Codec::Zstd => zstd,
            } += 1;
        }
        Ok(totals)
    }
}
