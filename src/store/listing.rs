//! Lists the objects of one pack, for commands that show how objects are stored.

use super::pack::Pack;
use super::pack_set::Store;
use crate::error::Result;
use crate::id::{ObjectId, PackId};
use crate::object::ObjectKind;

/// A pack file, opened whether or not the journal names it.
pub struct Listing(Pack);

/// An object in a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedObject {
    /// Kind of the object.
    pub kind: ObjectKind,
    /// Id of the object.
    pub id: ObjectId,
    /// Size in bytes.
    pub length: u32,
    /// Offset of its frame in the pack.
    pub frame: u64,
    /// Offset in the decoded frame.
    pub offset: u32,
}

/// Totals of a pack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of objects that are not hidden.
    pub objects: u64,
    /// Bytes of file content in these objects.
    pub content: u64,
    /// Number of frames by the number of their codec: stored, deflated, and compressed by Zstandard.
    pub frames: [u64; 3],
    /// Size of all frames when decoded, in bytes.
    pub raw: u64,
    /// Size of all frames in the file, in bytes.
    pub stored: u64,
}

impl Store {
    /// Opens a pack file for listing.
    pub fn list_pack(&self, id: PackId) -> Listing {
        Listing(self.pack_file(id))
    }
}

impl Listing {
    /// The objects that are not hidden, sorted by kind and id.
    pub fn objects(&self) -> Result<impl Iterator<Item = ListedObject>> {
        let table = self.0.table()?;
        Ok(self.0.visible()?.map(move |(_, record)| ListedObject {
            kind: record.kind,
            id: record.id,
            length: record.length,
            frame: table.frame(record.frame_number).offset,
            offset: record.offset,
        }))
    }

    /// The totals.
    pub fn totals(&self) -> Result<Totals> {
        let table = self.0.table()?;
        let mut totals = Totals::default();
        for (_, record) in self.0.visible()? {
            totals.objects += 1;
            totals.content += if record.kind == ObjectKind::Data { u64::from(record.length) } else { 0 };
        }
        for frame in (0..table.frame_count()).map(|n| table.frame(n)) {
            totals.raw += u64::from(frame.raw);
            totals.stored += u64::from(frame.stored);
            totals.frames[frame.codec as usize] += 1;
        }
        Ok(totals)
    }
}
