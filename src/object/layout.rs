//! Layouts: how a large blob is put together from chunks and runs of zeros.

use crate::error::Result;
use crate::id::{BlobId, ChunkId, LayoutId};

/// One piece of a large blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// A stored chunk of this many bytes.
    Chunk {
        /// Its bytes, kept as `ObjectKind::Data`.
        id: ChunkId,
        /// How many.
        length: u32,
    },
    /// So many zero bytes, not stored.
    Zeros {
        /// How many.
        length: u64,
    },
}

/// A large blob as a list of pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// In order, without gaps.
    pub pieces: Vec<Piece>,
}

impl Piece {
    /// Bytes of the blob that it covers.
    pub fn length(&self) -> u64 {
        match *self {
            Piece::Chunk { length, .. } => u64::from(length),
            Piece::Zeros { length } => length,
        }
    }
}

impl Layout {
    /// Bytes of the whole blob.
    pub fn size(&self) -> u64 {
        self.pieces.iter().map(Piece::length).sum()
    }

    /// Encodes the list. Long lists are cut into nodes, which go to `put`; the bytes returned are the root, to be stored
    /// as `ObjectKind::Layout` under the blob's id.
    pub fn save(&self, blob: BlobId, put: impl FnMut(LayoutId, Vec<u8>) -> Result<()>) -> Result<Vec<u8>> {
        let _ = (blob, put);
        todo!()
    }

    /// Decodes a root and the nodes below it.
    pub fn load(blob: BlobId, root: &[u8], node: impl Fn(LayoutId) -> Result<Vec<u8>>) -> Result<Layout> {
        let _ = (blob, root, node);
        todo!()
    }
}
