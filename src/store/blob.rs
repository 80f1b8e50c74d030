//! Reads blobs: whole, streamed, or at any offset. Verifies all bytes that it returns.

use std::io::Write;
use std::path::Path;

use super::pack::OTHERS_ARE_WHOLE;
use super::pack_set::{Store, is_empty_data};
use super::purged::PurgedBlobs;
use super::reader::Reader;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId, LayoutId};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, Objects};

/// Source of the bytes of zero runs, which the reader returns in parts of at most this size.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Number of bytes of a blob that are fetched from elsewhere together.
const AHEAD: u64 = 16 << 20;

/// Reads a blob at any offset, and caches the chunk read last. Verifies each chunk against its id, but not the whole blob.
pub struct BlobReader<'s> {
    reader: Reader<'s>,
    /// Each piece with its offset in the blob.
    pieces: Vec<(u64, Piece)>,
}

impl BlobReader<'_> {
    /// The bytes from `offset` to the end of the piece there, or fewer in a long run of zeros. Empty at and after the end of
    /// the blob.
    pub fn bytes_at(&mut self, offset: u64) -> Result<&[u8]> {
        let after = self.pieces.partition_point(|(start, _)| *start <= offset);
        let Some((start, piece)) = after.checked_sub(1).map(|index| self.pieces[index]) else { return Ok(&[]) };
        let skipped = (offset - start).min(piece.length());
        match piece {
            Piece::Chunk { id, length } => {
                let following = self.pieces[after..].iter().take_while(|(start, _)| *start < offset + AHEAD);
                self.reader.expect(following.filter_map(|(_, piece)| piece.chunk()).map(ChunkId::object_id));
                Ok(&self.reader.chunk(id, length)?[skipped as usize..])
            }
            Piece::Zeros { length } => Ok(&ZEROS[..(length - skipped).min(ZEROS.len() as u64) as usize]),
        }
    }
}

impl Store {
    /// Replaces the list of purged blobs.
    pub fn set_purged(&mut self, purged: PurgedBlobs) {
        self.purged = purged;
    }

    /// The purged blobs.
    pub fn purged(&self) -> &PurgedBlobs {
        &self.purged
    }

    /// Whether a blob was purged.
    pub fn is_purged(&self, blob: BlobId) -> bool {
        self.purged.contains(blob)
    }

    /// [`ErrorKind::Purged`] if the blob was purged.
    pub fn check_not_purged(&self, blob: BlobId) -> Result<()> {
        match self.is_purged(blob) {
            true => Err(Error::new(ErrorKind::Purged, format!("the content `{}` was purged", blob.short()))),
            false => Ok(()),
        }
    }

    /// The layout of a blob: one chunk for a blob that is stored whole, none for the empty blob.
    /// [`ErrorKind::Purged`] if the blob was purged.
    pub fn layout(&self, blob: BlobId) -> Result<Layout> {
        self.check_not_purged(blob)?;
        self.layout_of_any(blob)
    }

    /// Like [`Store::layout`], also for a purged blob whose layout is still stored.
    pub fn layout_of_any(&self, blob: BlobId) -> Result<Layout> {
        let id = blob.object_id();
        if is_empty_data(ObjectKind::Data, id) {
            return Ok(Layout::default());
        }
        let whole = |length| {
            let piece = Piece::Chunk { id: ChunkId(blob.0), length };
            Layout { pieces: vec![piece], groups: Vec::new() }
        };
        if let Some(location) = self.locate(ObjectKind::Data, id) {
            return Ok(whole(location.length));
        }
        let root = match self.locate(ObjectKind::Layout, id) {
            Some(_) => self.object(ObjectKind::Layout, id)?,
            None => {
                if let Some(bytes) = self.fetch(ObjectKind::Data, &[id])? {
                    return Ok(whole(bytes.len() as u32));
                }
                let missing = || self.missing(ObjectKind::Data, id).context(format_args!("blob `{blob}`"));
                self.fetch(ObjectKind::Layout, &[id])?.ok_or_else(missing)?
            }
        };
        let node = |node: LayoutId| Ok(self.object(ObjectKind::LayoutNode, node.object_id())?.to_vec());
        Layout::load(blob, &root, node)
    }

    /// Opens a blob for reading at any offset.
    pub fn open_blob(&self, blob: BlobId) -> Result<BlobReader<'_>> {
        Ok(self.blob_reader(&self.layout(blob)?))
    }

    fn blob_reader(&self, layout: &Layout) -> BlobReader<'_> {
        BlobReader { reader: self.reader(), pieces: layout.pieces_with_offsets().collect() }
    }

    /// Streams a blob into `to` and verifies it against its id; returns its size. Chunks are verified before they are
    /// written, the whole blob only at the end: after an error, the caller must discard what was written.
    pub fn copy_blob(&self, blob: BlobId, to: &mut dyn Write) -> Result<u64> {
        self.copy_layout(blob, &self.layout(blob)?, to)
    }

    /// The bytes of a blob, verified against its id. `None` if it has more than `limit` bytes.
    pub fn read_blob(&self, blob: BlobId, limit: u64) -> Result<Option<Vec<u8>>> {
        let layout = self.layout(blob)?;
        if layout.size() > limit {
            return Ok(None);
        }
        if is_stored_whole(blob, &layout) {
            return Ok(Some(self.object(ObjectKind::Data, blob.object_id())?.to_vec()));
        }
        let mut bytes = Vec::new();
        self.copy_layout(blob, &layout, &mut bytes)?;
        Ok(Some(bytes))
    }

    fn copy_layout(&self, blob: BlobId, layout: &Layout, to: &mut dyn Write) -> Result<u64> {
        let mut reader = self.blob_reader(layout);
        // The reader verifies a blob that is stored whole, because its id is that of its only chunk.
        let mut hasher = (!is_stored_whole(blob, layout)).then(blake3::Hasher::new);
        let mut offset = 0;
        loop {
            let bytes = reader.bytes_at(offset)?;
            if bytes.is_empty() {
                break;
            }
            if let Some(hasher) = &mut hasher {
                hasher.update(bytes);
            }
            to.write_all(bytes).map_err(|cause| Error::io("write blob", Path::new(&blob.to_string()), cause))?;
            offset += bytes.len() as u64;
        }
        if hasher.is_some_and(|hasher| hasher.finalize().as_bytes() != &blob.0) {
            return Err(
                Error::damaged(format!("the content of blob `{blob}` does not match its id")).hint(OTHERS_ARE_WHOLE)
            );
        }
        Ok(offset)
    }
}

/// Whether the blob is stored as one chunk under its own id, without a layout.
fn is_stored_whole(blob: BlobId, layout: &Layout) -> bool {
    matches!(layout.pieces[..], [Piece::Chunk { id, .. }] if id.0 == blob.0)
}

impl Reader<'_> {
    /// The verified bytes of a chunk, valid until the next call.
    pub fn chunk(&mut self, id: ChunkId, length: u32) -> Result<&[u8]> {
        let bytes = self.read(ObjectKind::Data, id.object_id())?;
        if bytes.len() == length as usize {
            return Ok(bytes);
        }
        Err(Error::damaged(format!("chunk `{id}` does not have the length in its layout")).hint(OTHERS_ARE_WHOLE))
    }
}
