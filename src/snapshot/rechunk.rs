//! Where a large file was cut when it was last recorded. Most of a changed file is cut there again, which the ids of the
//! old chunks prove: hashed once, their bytes are never searched for cut points.
//!
//! Where a group of bytes hashes to what it did, and stands where it stood, not even that is needed.
//!
//! It is exact, not a guess: a cut depends on nothing but the bytes since the cut before it (`chunk`), so the bytes of an old
//! chunk that stand behind a cut are a chunk again, if its own content had cut it. Where a hole or the end of the file
//! had, a cut is searched for as in a new file.

use std::collections::HashMap;

use crate::chunk::{self, Params};
use crate::id::ChunkId;
use crate::object::groups::{GROUP, Value};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};

/// Goes along with a file that is cut from its beginning to its end.
pub struct Guide {
    params: Params,
    old: Vec<Old>,
    /// What the old groups hash to, and the old runs of zeros, as start and end.
    groups: Vec<Value>,
    zeros: Vec<(u64, u64)>,
    /// Chunks of `old` by id. Made when the first of them is not where it was.
    places: Option<HashMap<ChunkId, usize>>,
    /// ScanOptions far the file has been cut.
    position: u64,
    /// Which of `old` is expected, and how much farther it would begin than it did.
    next: usize,
    shift: i64,
}

/// A chunk of the last content.
pub struct Old {
    /// Its id.
    pub id: ChunkId,
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

impl Old {
    /// Its bytes.
    pub fn length(&self) -> usize {
        self.length as usize
    }
}

impl Guide {
    /// A guide by the layout of the last content; an empty one knows nothing.
    pub fn new(last: &Layout, params: Params) -> Guide {
        let (mut old, mut zeros) = (Vec::new(), Vec::new());
        for (at, (start, piece)) in last.pieces_with_offsets().enumerate() {
            if let Piece::Chunk { id, length } = piece {
                // In front of zeros there may have been a hole.
                let goes_on = matches!(last.pieces.get(at + 1), Some(Piece::Chunk { .. }));
                let has_length = (params.minimum()..=params.maximum()).contains(&(length as usize));
                old.push(Old { id, start, length, is_natural: goes_on && has_length });
            } else {
                zeros.push((start, start + piece.length()));
            }
        }
        Guide { params, old, groups: last.groups.clone(), zeros, places: None, position: 0, next: 0, shift: 0 }
    }

    /// Whether it knows nothing.
    pub fn is_empty(&self) -> bool {
        self.old.is_empty()
    }

    /// The old chunks that would be next, at most `most` of them, in at most `available` bytes.
    pub fn expected(&self, available: usize, most: usize) -> &[Old] {
        let mut end = self.position as i64;
        let fits = |old: &&Old| {
            let is_next = old.is_natural && self.moved(old) == end;
            end += i64::from(old.length);
            is_next && end - self.position as i64 <= available as i64
        };
        let rest = &self.old[self.next.min(self.old.len())..];
        let count = rest.iter().take(most).take_while(fits).count();
        &rest[..count]
    }

    /// Whether an old chunk is where it was, in groups that hash to what they did; `groups` are those of the new content.
    pub fn is_unchanged(&self, old: &Old, groups: &[Value]) -> bool {
        let group = |offset: u64| (offset / GROUP as u64) as usize;
        let mut within = group(old.start)..=group(old.start + u64::from(old.length) - 1);
        self.shift == 0 && within.all(|n| groups.get(n).is_some_and(|value| self.groups.get(n) == Some(value)))
    }

    /// The value of a group, if all of it was zeros.
    pub fn zero_group(&self, number: usize) -> Option<Value> {
        let start = number as u64 * GROUP as u64;
        let run = self.zeros.partition_point(|&(_, end)| end <= start);
        let (first, end) = self.zeros.get(run)?;
        if *first <= start && start + GROUP as u64 <= *end { self.groups.get(number).copied() } else { None }
    }

    /// So many of the expected chunks are there.
    pub fn accept(&mut self, count: usize) {
        self.position += self.old[self.next..][..count].iter().map(|old| u64::from(old.length)).sum::<u64>();
        self.next += count;
    }

    /// The next piece, searched for. As for [`chunk::cut`], the bytes are at least as many as the longest chunk has, or all
    /// that are left before a hole or the end.
    pub fn search(&mut self, bytes: &[u8]) -> Found {
        let length = chunk::cut(bytes, &self.params);
        let chunk = &bytes[..length];
        self.position += length as u64;
        let sort = match chunk.iter().all(|&byte| byte == 0) {
            true => Sort::Zeros,
            false => self.meet(id_of(ObjectKind::Data, chunk).into()),
        };
        self.catch_up();
        Found { length, sort }
    }

    /// So many bytes are next that it is not asked about.
    pub fn pass(&mut self, length: u64) {
        self.position += length;
        self.catch_up();
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
