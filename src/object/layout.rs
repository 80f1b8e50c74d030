//! Layouts: large blobs as lists of chunks and runs of zeros.

use super::fields::{self, Field};
use super::groups::{self, GroupHash};
use super::kind::ObjectKind;
use super::nodes::{self, Item, Node};
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId, LayoutId};

/// A piece of a large blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Piece {
    /// A stored chunk.
    Chunk {
        /// Id of the chunk, which is stored as `ObjectKind::Data`.
        id: ChunkId,
        /// Length in bytes.
        length: u32,
    },
    /// A run of zeros, which is not stored.
    Zeros {
        /// Length in bytes.
        length: u64,
    },
}

/// A large blob as a list of pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// All pieces in order. No piece is empty, and no two runs of zeros are adjacent.
    pub pieces: Vec<Piece>,
    /// Hashes of the groups of the blob. Empty for a blob of one group, and if unknown.
    pub groups: Vec<GroupHash>,
}

/// Version with groups; version 1 has none.
const WITH_GROUPS: u8 = 2;

/// 32 MiB: a chunk has at most 8 T bytes, and T is at most 4 MiB. Bounds the memory that a layout can request.
const LONGEST_CHUNK: u32 = 32 << 20;

impl Piece {
    /// Length in bytes.
    pub fn length(&self) -> u64 {
        match *self {
            Piece::Chunk { length, .. } => u64::from(length),
            Piece::Zeros { length } => length,
        }
    }

    /// The chunk; `None` for zeros.
    pub fn chunk(&self) -> Option<ChunkId> {
        match *self {
            Piece::Chunk { id, .. } => Some(id),
            Piece::Zeros { .. } => None,
        }
    }
}

/// Pairs each piece with its offset, which counts from the first piece.
pub fn with_offsets(pieces: &[Piece]) -> impl Iterator<Item = (u64, Piece)> {
    pieces.iter().scan(0, |end, piece| {
        let start = *end;
        *end += piece.length();
        Some((start, *piece))
    })
}

impl Layout {
    /// Size of the blob in bytes.
    pub fn size(&self) -> u64 {
        self.pieces.iter().map(Piece::length).sum()
    }

    /// Pairs each piece with its offset in the blob.
    pub fn pieces_with_offsets(&self) -> impl Iterator<Item = (u64, Piece)> {
        with_offsets(&self.pieces)
    }

    /// Appends a piece. Ignores an empty one, and merges adjacent runs of zeros.
    pub fn push(&mut self, piece: Piece) {
        match (self.pieces.last_mut(), piece) {
            _ if piece.length() == 0 => {}
            (Some(Piece::Zeros { length }), Piece::Zeros { length: more }) => *length += more,
            _ => self.pieces.push(piece),
        }
    }

    /// Encodes the layout. Long lists are split into nodes, which go to `put`. Returns the root, to be stored as
    /// `ObjectKind::Layout` under the id of the blob.
    pub fn save(&self, blob: BlobId, put: impl FnMut(LayoutId, Vec<u8>) -> Result<()>) -> Result<Vec<u8>> {
        let size = self.pieces.iter().try_fold(0u64, |sum, piece| match piece.length() {
            0 => None,
            length => sum.checked_add(length),
        });
        let Some(size) = size else {
            return Err(Error::new(ErrorKind::Internal, format!("cannot encode the layout of `{blob}`: bad length")));
        };
        let version = if self.groups.is_empty() { 1 } else { WITH_GROUPS };
        let mut encoder = fields::begin(ObjectKind::Layout as u8, version);
        encoder.put(&blob).put(&size);
        match nodes::split(&self.pieces, put)? {
            None => nodes::put_items(&mut encoder, &self.pieces),
            Some(children) => nodes::put_children(&mut encoder, &children),
        }
        for value in &self.groups {
            encoder.raw(value);
        }
        Ok(encoder.finish())
    }

    /// Decodes a root and its nodes.
    pub fn load(blob: BlobId, root: &[u8], node: impl Fn(LayoutId) -> Result<Vec<u8>>) -> Result<Layout> {
        let Root { size, node: root, groups } = Root::decode(blob, root)?;
        let pieces = nodes::load(root, |id| Node::<Piece>::decode(&node(id)?))?;
        let total = pieces.iter().try_fold(0u64, |sum, piece| sum.checked_add(piece.length()));
        if total != Some(size) {
            return Err(Error::damaged(format!("invalid layout: pieces of `{blob}` do not add up to {size} bytes")));
        }
        Ok(Layout { pieces, groups })
    }
}

/// The root of a layout, without its nodes.
#[derive(Debug)]
pub struct Root {
    /// Size of the blob in bytes.
    pub size: u64,
    /// Pieces, or references to nodes with pieces.
    pub node: Node<Piece>,
    /// Hashes of the groups, if known.
    pub groups: Vec<GroupHash>,
}

impl Root {
    /// Decodes the layout object of a blob.
    pub fn decode(blob: BlobId, bytes: &[u8]) -> Result<Root> {
        let (mut decoder, version) = fields::expect("layout", ObjectKind::Layout as u8, WITH_GROUPS, bytes)?;
        if decoder.take::<BlobId>()? != blob {
            return Err(decoder.invalid("made for another blob"));
        }
        let mut root = Root { size: decoder.take()?, node: Node::take(&mut decoder)?, groups: Vec::new() };
        if version == WITH_GROUPS {
            let count = groups::count(root.size);
            root.groups = (0..count).map(|_| decoder.array()).collect::<Result<_>>()?;
            if !groups::prove(blob, &root.groups) {
                return Err(decoder.invalid("groups of another blob"));
            }
        }
        decoder.finish()?;
        Ok(root)
    }
}

/// A layout is a long list of pieces, with chunk ids as keys, so that node boundaries follow the content.
impl Item for Piece {
    type Id = LayoutId;
    const KIND: ObjectKind = ObjectKind::LayoutNode;

    fn key(&self) -> &[u8] {
        match self {
            Piece::Chunk { id, .. } => &id.0,
            Piece::Zeros { .. } => &[],
        }
    }

    fn weight(&self) -> u64 {
        self.length()
    }

    fn follows(&self, previous: &Piece) -> bool {
        !matches!((previous, self), (Piece::Zeros { .. }, Piece::Zeros { .. }))
    }

    fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}

impl Field for Piece {
    fn put(&self, encoder: &mut Encoder) {
        match self {
            Piece::Chunk { id, length } => encoder.u8(1).put(length).put(id),
            Piece::Zeros { length } => encoder.u8(2).put(length),
        };
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Piece> {
        let (form, length) = (decoder.u8()?, decoder.varint()?);
        match (form, u32::try_from(length)) {
            (_, Ok(0)) => Err(decoder.invalid("empty piece")),
            (1, Ok(length)) if length <= LONGEST_CHUNK => Ok(Piece::Chunk { id: decoder.take()?, length }),
            (1, _) => Err(decoder.invalid("chunk longer than any")),
            (2, _) => Ok(Piece::Zeros { length }),
            _ => Err(decoder.invalid("unknown piece")),
        }
    }
}
