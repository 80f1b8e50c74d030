//! Predicts the chunks of a large file from its last layout. The ids of the old chunks prove a prediction, so most of a changed
//! file is hashed but not searched for cut points. Groups at the same offset with the same hash need no proof.
//!
//! A proven prediction is exact: a cut depends only on the bytes since the previous cut (`chunk`), so the bytes of an old chunk
//! that follow a cut are a chunk again, unless a hole or the end of the file had ended that chunk. Then the cut is searched for
//! as in a new file.

use std::collections::HashMap;

use crate::chunk::{self, Params};
use crate::id::ChunkId;
use crate::object::groups::{GROUP, GroupHash};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};

/// Predicts the chunks of a file from its last layout, from beginning to end.
pub struct CutPredictor {
    params: Params,
    old: Vec<OldChunk>,
    /// Hashes of the old groups, and the old runs of zeros as start and end.
    groups: Vec<GroupHash>,
    zeros: Vec<(u64, u64)>,
    /// Chunks of `old` by id; created when a chunk has moved.
    places: Option<HashMap<ChunkId, usize>>,
    /// Number of bytes that have been cut.
    position: u64,
    /// Index in `old` of the next expected chunk, and how far its start has moved.
    next: usize,
    shift: i64,
}

/// A chunk of the last content.
pub struct OldChunk {
    pub id: ChunkId,
    start: u64,
    length: u32,
    /// Whether a cut point of its content ends it, not a hole or the end of the file.
    is_natural: bool,
}

/// One piece of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePiece {
    /// Number of bytes.
    pub length: usize,
    /// `None` if all bytes are zero.
    pub chunk: Option<ChunkId>,
    /// Whether this is a chunk that the last content is not known to have.
    pub is_new: bool,
}

impl FilePiece {
    /// The piece of these bytes.
    pub fn of(bytes: &[u8]) -> FilePiece {
        let is_zeros = bytes.iter().all(|&byte| byte == 0);
        let chunk = (!is_zeros).then(|| id_of(ObjectKind::Data, bytes).into());
        FilePiece { length: bytes.len(), chunk, is_new: !is_zeros }
    }

    /// The piece in a layout.
    pub fn piece(&self) -> Piece {
        match self.chunk {
            Some(id) => Piece::Chunk { id, length: self.length as u32 },
            None => Piece::Zeros { length: self.length as u64 },
        }
    }
}

impl OldChunk {
    /// The chunk, found again.
    pub fn as_found(&self) -> FilePiece {
        FilePiece { length: self.length(), chunk: Some(self.id), is_new: false }
    }

    pub fn length(&self) -> usize {
        self.length as usize
    }
}

impl CutPredictor {
    /// Starts from the layout of the last content, which may be empty.
    pub fn new(last: &Layout, params: Params) -> CutPredictor {
        let (mut old, mut zeros) = (Vec::new(), Vec::new());
        for (at, (start, piece)) in last.pieces_with_offsets().enumerate() {
            if let Piece::Chunk { id, length } = piece {
                // In front of zeros there may have been a hole.
                let is_continued = matches!(last.pieces.get(at + 1), Some(Piece::Chunk { .. }));
                let has_length = (params.minimum()..=params.maximum()).contains(&(length as usize));
                old.push(OldChunk { id, start, length, is_natural: is_continued && has_length });
            } else {
                zeros.push((start, start + piece.length()));
            }
        }
        CutPredictor { params, old, groups: last.groups.clone(), zeros, places: None, position: 0, next: 0, shift: 0 }
    }

    /// Whether there was no last content.
    pub fn is_empty(&self) -> bool {
        self.old.is_empty()
    }

    /// The old chunks expected next: at most `most`, within `available` bytes.
    pub fn expected(&self, available: usize, most: usize) -> &[OldChunk] {
        let mut end = self.position as i64;
        let fits = |old: &&OldChunk| {
            let is_next = old.is_natural && self.moved(old) == end;
            end += i64::from(old.length);
            is_next && end - self.position as i64 <= available as i64
        };
        let rest = &self.old[self.next.min(self.old.len())..];
        let count = rest.iter().take(most).take_while(fits).count();
        &rest[..count]
    }

    /// Whether an old chunk has not moved and lies in groups with unchanged hashes. `groups` are those of the new content.
    pub fn is_unchanged(&self, old: &OldChunk, groups: &[GroupHash]) -> bool {
        let group = |offset: u64| (offset / GROUP as u64) as usize;
        let mut within = group(old.start)..=group(old.start + u64::from(old.length) - 1);
        self.shift == 0 && within.all(|n| groups.get(n).is_some_and(|value| self.groups.get(n) == Some(value)))
    }

    /// Hash of a group, if it was all zeros.
    pub fn zero_group(&self, number: usize) -> Option<GroupHash> {
        let start = number as u64 * GROUP as u64;
        let run = self.zeros.partition_point(|&(_, end)| end <= start);
        let (first, end) = self.zeros.get(run)?;
        if *first <= start && start + GROUP as u64 <= *end { self.groups.get(number).copied() } else { None }
    }

    /// Moves past this many expected chunks.
    pub fn accept(&mut self, count: usize) {
        self.position += self.old[self.next..][..count].iter().map(|old| u64::from(old.length)).sum::<u64>();
        self.next += count;
    }

    /// The next piece, searched for. As for [`chunk::cut`], the bytes are at least as many as the longest chunk has, or all
    /// that are left before a hole or the end.
    pub fn search(&mut self, bytes: &[u8]) -> FilePiece {
        let mut piece = FilePiece::of(&bytes[..chunk::cut(bytes, &self.params)]);
        self.position += piece.length as u64;
        piece.is_new = piece.chunk.is_some_and(|id| !self.meet(id));
        self.catch_up();
        piece
    }

    /// Moves past bytes that were cut without it.
    pub fn pass(&mut self, length: u64) {
        self.position += length;
        self.catch_up();
    }

    /// Expected start of an old chunk.
    fn moved(&self, old: &OldChunk) -> i64 {
        old.start as i64 + self.shift
    }

    /// Handles a chunk that was found by search. If the last content had it, expects the chunks that followed there. Returns
    /// whether it had.
    fn meet(&mut self, id: ChunkId) -> bool {
        let old = &self.old;
        // Of equal chunks the first: then all of them are passed again.
        let places =
            self.places.get_or_insert_with(|| old.iter().enumerate().rev().map(|(n, it)| (it.id, n)).collect());
        let Some(&at) = places.get(&id) else { return false };
        let old = &self.old[at];
        self.shift = self.position as i64 - (old.start as i64 + i64::from(old.length));
        self.next = at + 1;
        true
    }

    /// Leaves what begins before the place that was reached: after a change within a chunk the next one is where it was.
    fn catch_up(&mut self) {
        while self.old.get(self.next).is_some_and(|old| self.moved(old) < self.position as i64) {
            self.next += 1;
        }
    }
}
