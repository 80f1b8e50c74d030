//! Blobs: how one is put together, and its bytes, proven by the id of the whole.

use std::io::Write;
use std::path::Path;

use super::pack::OTHERS_ARE_WHOLE;
use super::pack_set::{Store, is_empty_data};
use super::reader::Reader;
use crate::error::{Error, Result};
use crate::id::{BlobId, ChunkId, LayoutId};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, Objects};

/// Zeros are written so many at a time.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

impl Store {
    /// How a blob is put together: one chunk for a blob kept in one piece, none for the empty blob.
    pub fn layout(&self, blob: BlobId) -> Result<Layout> {
        let id = blob.object_id();
        if is_empty_data(ObjectKind::Data, id) {
            return Ok(Layout::default());
        }
        if let Some(location) = self.locate(ObjectKind::Data, id) {
            let piece = Piece::Chunk { id: ChunkId(blob.0), length: location.length };
            return Ok(Layout { pieces: vec![piece], groups: Vec::new() });
        }
        if self.locate(ObjectKind::Layout, id).is_none() {
            return Err(self.missing_blob(blob));
        }
        let root = self.object(ObjectKind::Layout, id)?;
        let node = |node: LayoutId| Ok(self.object(ObjectKind::LayoutNode, node.object_id())?.to_vec());
        Layout::load(blob, &root, node)
    }

    /// Streams a blob, checked against its id, into `to`; gives its length. Each chunk is checked before it is written,
    /// the whole when all of it was: after a failure what was written is to be thrown away.
    pub fn copy_blob(&self, blob: BlobId, to: &mut dyn Write) -> Result<u64> {
        let layout = self.layout(blob)?;
        self.copy(blob, &layout, to)
    }

    /// A blob's bytes, checked against its id, if it has at most `limit` of them.
    pub fn read_blob(&self, blob: BlobId, limit: u64) -> Result<Option<Vec<u8>>> {
        let layout = self.layout(blob)?;
        let size = layout.size();
        if size > limit {
            return Ok(None);
        }
        if let [Piece::Chunk { id, .. }] = layout.pieces[..]
            && id.0 == blob.0
        {
            return Ok(Some(self.object(ObjectKind::Data, id.object_id())?.to_vec()));
        }
        let mut bytes = Vec::new();
        self.copy(blob, &layout, &mut bytes)?;
        Ok(Some(bytes))
    }

    fn copy(&self, blob: BlobId, layout: &Layout, to: &mut dyn Write) -> Result<u64> {
        let mut reader = self.reader();
        if let [Piece::Chunk { id, length }] = layout.pieces[..]
            && id.0 == blob.0
        {
            // The id of the piece is that of the whole.
            write(blob, to, reader.chunk(id, length)?)?;
            return Ok(length.into());
        }
        let mut hasher = blake3::Hasher::new();
        for piece in &layout.pieces {
            match *piece {
                Piece::Chunk { id, length } => {
                    let bytes = reader.chunk(id, length)?;
                    hasher.update(bytes);
                    write(blob, to, bytes)?;
                }
                Piece::Zeros { mut length } => {
                    while length > 0 {
                        let zeros = &ZEROS[..length.min(ZEROS.len() as u64) as usize];
                        hasher.update(zeros);
                        write(blob, to, zeros)?;
                        length -= zeros.len() as u64;
                    }
                }
            }
        }
        if hasher.finalize().as_bytes() != &blob.0 {
            return Err(Error::damaged(format!("the chunks of blob `{blob}` do not make it up")).hint(OTHERS_ARE_WHOLE));
        }
        Ok(layout.size())
    }

    fn missing_blob(&self, blob: BlobId) -> Error {
        self.missing(ObjectKind::Data, blob.object_id()).context(format_args!("blob `{blob}`"))
    }
}

impl Reader<'_> {
    /// The verified bytes of a piece of a blob, valid until the next call.
    pub fn chunk(&mut self, id: ChunkId, length: u32) -> Result<&[u8]> {
        let bytes = self.read(ObjectKind::Data, id.object_id())?;
        if bytes.len() == length as usize {
            return Ok(bytes);
        }
        Err(Error::damaged(format!("chunk `{id}` is not as long as its layout says")).hint(OTHERS_ARE_WHOLE))
    }
}

fn write(blob: BlobId, to: &mut dyn Write, bytes: &[u8]) -> Result<()> {
    to.write_all(bytes).map_err(|cause| Error::io("write out the blob", Path::new(&blob.to_string()), cause))
}
