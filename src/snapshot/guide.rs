//! Where a large file was cut when it was last recorded. Most of a changed file is cut there again, which the ids of the
//! old chunks prove: hashed once, their bytes are never searched for cut points.
//!
//! It is exact, not a guess: a cut depends on nothing but the bytes since the cut before it (`chunk`), so the bytes of an old
//! chunk that stand behind a cut are a chunk again, if its own content had cut it. Where a hole or the end of the file
//! had, a cut is searched for as in a new file.

use std::collections::HashMap;

use crate::chunk::{self, Params};
use crate::id::ChunkId;
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};

/// Goes along with a file that is cut from its beginning to its end.
pub struct Guide {
    params: Params,
    old: Vec<Old>,
    /// Chunks of `old` by id. Made when the first of them is not where it was.
    places: Option<HashMap<ChunkId, usize>>,
    /// How far the file has been cut.
    position: u64,
    /// Which of `old` is expected, and how much farther it would begin than it did.
    next: usize,
    shift: i64,
}

/// A chunk of the last content.
struct Old {
    id: ChunkId,
    start: u64,
    length: u32,
    /// Whether its own content had cut it.
    is_natural: bool,
}

/// The next piece of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its bytes.
    pub length: usize,
    /// What they are.
    pub sort: Sort,
}

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Nothing but zeros.
    Zeros,
    /// A chunk that the last content had too.
    Old(ChunkId),
    /// A chunk that it had not; its id, if it was looked at.
    New(Option<ChunkId>),
}

impl Guide {
    /// A guide by the layout of the last content; an empty one knows nothing.
    pub fn new(last: &Layout, params: Params) -> Guide {
        let mut old = Vec::new();
        let mut start = 0;
        for (at, piece) in last.pieces.iter().enumerate() {
            if let Piece::Chunk { id, length } = *piece {
                // In front of zeros there may have been a hole.
                let goes_on = matches!(last.pieces.get(at + 1), Some(Piece::Chunk { .. }));
                let has_length = (params.minimum()..=params.maximum()).contains(&(length as usize));
                old.push(Old { id, start, length, is_natural: goes_on && has_length });
            }
            start += piece.length();
        }
        Guide { params, old, places: None, position: 0, next: 0, shift: 0 }
    }

    /// The next piece. As for [`chunk::cut`], the bytes are at least as many as the longest chunk has, or all that are
    /// left before a hole or the end.
    pub fn next(&mut self, bytes: &[u8]) -> Found {
        if let Some(old) = self.expected()
            && let Some(chunk) = bytes.get(..old.length as usize)
        {
            let (id, length) = (old.id, chunk.len());
            if id_of(ObjectKind::Data, chunk) == id.object_id() {
                self.position += length as u64;
                self.next += 1;
                return Found { length, sort: Sort::Old(id) };
            }
        }
        let length = chunk::cut(bytes, &self.params);
        let chunk = &bytes[..length];
        self.position += length as u64;
        let sort = match chunk.iter().all(|&byte| byte == 0) {
            true => Sort::Zeros,
            false if self.old.is_empty() => Sort::New(None),
            false => self.meet(id_of(ObjectKind::Data, chunk).into()),
        };
        self.catch_up();
        Found { length, sort }
    }

    /// A hole of this length is next.
    pub fn pass(&mut self, length: u64) {
        self.position += length;
        self.catch_up();
    }

    /// The old chunk that would be next.
    fn expected(&self) -> Option<&Old> {
        let old = self.old.get(self.next)?;
        (old.is_natural && self.moved(old) == self.position as i64).then_some(old)
    }

    /// Where an old chunk would begin now.
    fn moved(&self, old: &Old) -> i64 {
        old.start as i64 + self.shift
    }

    /// A chunk that was searched for ends here: if the last content had it, what followed there is likely to follow here.
    fn meet(&mut self, id: ChunkId) -> Sort {
        let old = &self.old;
        // Of equal chunks the first: then all of them are passed again.
        let places =
            self.places.get_or_insert_with(|| old.iter().enumerate().rev().map(|(n, it)| (it.id, n)).collect());
        let Some(&at) = places.get(&id) else { return Sort::New(Some(id)) };
        let old = &self.old[at];
        self.shift = self.position as i64 - (old.start as i64 + i64::from(old.length));
        self.next = at + 1;
        Sort::Old(id)
    }

    /// Leaves what begins before the place that was reached: after a change within a chunk the next one is where it was.
    fn catch_up(&mut self) {
        while self.old.get(self.next).is_some_and(|old| self.moved(old) < self.position as i64) {
            self.next += 1;
        }
    }
}
