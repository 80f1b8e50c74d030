//! A file that is too long for one piece: cut into chunks in a window that moves over it, and its whole hashed besides.
//! A long one is worked on by two threads at a time: one cuts while the other hashes, then each stores half.

use crate::error::Result;
use crate::id::{BlobId, ChunkId};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};
use crate::snapshot::guide::{Found, Guide, Sort};
use crate::store::Writer;
use crate::worktree::Reading;
use crate::worktree::content::{Step, hash_zeros};

/// Work on fewer bytes than this is not shared: starting a thread takes as long as hashing some 100 KiB.
const SHARED: usize = 1 << 20;

/// A large file on its way into the store.
pub struct Large<'l, 's> {
    window: &'l mut [u8],
    /// The longest chunk.
    longest: usize,
    /// Holes from here on are left out of the chunks.
    long: u64,
    writer: &'l mut Writer<'s>,
    /// For a second thread, if there is to be one.
    other: Option<&'l mut Writer<'s>>,
    guide: Guide,
    hasher: blake3::Hasher,
    layout: Layout,
    /// Bytes in the window, and how many of them are hashed.
    filled: usize,
    hashed: usize,
}

impl<'l, 's> Large<'l, 's> {
    /// A file whose first `filled` bytes are in the window, which is longer than the longest chunk.
    pub fn new(
        (window, filled): (&'l mut [u8], usize),
        (longest, long): (usize, u64),
        (writer, other): (&'l mut Writer<'s>, Option<&'l mut Writer<'s>>),
        guide: Guide,
    ) -> Large<'l, 's> {
        let (hasher, layout) = (blake3::Hasher::new(), Layout::default());
        Large { window, longest, long, writer, other, guide, hasher, layout, filled, hashed: 0 }
    }

    /// Puts all of it; `step` is what was met behind the bytes in the window.
    pub fn put(mut self, reading: &mut Reading<'_>, mut step: Step) -> Result<BlobId> {
        loop {
            match step {
                Step::Data(_) => self.advance(false)?,
                // What is before a hole, or the end, is all there is to cut.
                Step::Hole(length) => {
                    self.advance(true)?;
                    hash_zeros(&mut self.hasher, length);
                    self.guide.pass(length);
                    self.layout.push(Piece::Zeros { length });
                }
                Step::End => {
                    self.advance(true)?;
                    break;
                }
            }
            step = reading.next(&mut self.window[self.filled..], self.long)?;
            if let Step::Data(length) = step {
                self.filled += length;
            }
        }
        let blob = BlobId(*self.hasher.finalize().as_bytes());
        self.put_layout(blob)?;
        Ok(blob)
    }

    /// Takes chunks from the front of the window, the last one only if `all` of it is there.
    fn advance(&mut self, all: bool) -> Result<()> {
        let found = self.cut_and_hash(all);
        self.put_chunks(&found)?;
        let cut = found.iter().map(|found| found.length).sum();
        self.window.copy_within(cut..self.filled, 0);
        self.filled -= cut;
        self.hashed = self.filled;
        Ok(())
    }

    /// Finds chunks, and hashes what is new in the window.
    fn cut_and_hash(&mut self, all: bool) -> Vec<Found> {
        let (guide, hasher, longest) = (&mut self.guide, &mut self.hasher, self.longest);
        let bytes = &self.window[..self.filled];
        let fresh = &bytes[self.hashed..];
        if self.other.is_none() || fresh.len() < SHARED {
            hasher.update(fresh);
            return cut(guide, bytes, longest, all);
        }
        std::thread::scope(|scope| {
            let hashing = scope.spawn(|| hasher.update(fresh));
            let found = cut(guide, bytes, longest, all);
            hashing.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            found
        })
    }

    /// Puts the chunks from the front of the window.
    fn put_chunks(&mut self, found: &[Found]) -> Result<()> {
        let writer = &mut *self.writer;
        let pieces = match (half(found), &mut self.other) {
            (Some((first, start)), Some(other)) => {
                let (mine, theirs) = found.split_at(first);
                let (my_bytes, their_bytes) = self.window.split_at(start);
                std::thread::scope(|scope| {
                    let putting = scope.spawn(|| put_run(other, their_bytes, theirs));
                    let mut pieces = put_run(writer, my_bytes, mine)?;
                    pieces.extend(putting.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
                    Ok(pieces)
                })?
            }
            _ => put_run(writer, self.window, found)?,
        };
        pieces.into_iter().for_each(|piece| self.layout.push(piece));
        Ok(())
    }

    fn put_layout(&mut self, blob: BlobId) -> Result<()> {
        let writer = &mut *self.writer;
        let root = self.layout.save(blob, |node, bytes| {
            writer.put(ObjectKind::LayoutNode, node.object_id(), &bytes)?;
            Ok(())
        })?;
        writer.put(ObjectKind::Layout, blob.object_id(), &root)?;
        Ok(())
    }
}

/// Cuts as far as is certain: the last chunk of the bytes is one only if they are `all` there is.
fn cut(guide: &mut Guide, bytes: &[u8], longest: usize, all: bool) -> Vec<Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < bytes.len() && (all || bytes.len() - at >= longest) {
        found.push(guide.next(&bytes[at..]));
        at += found[found.len() - 1].length;
    }
    found
}

/// Where the second half of the new bytes begins, as a number of chunks and of bytes; `None` if they are too few to share.
fn half(found: &[Found]) -> Option<(usize, usize)> {
    let is_new = |found: &Found| matches!(found.sort, Sort::New(_));
    let new: usize = found.iter().filter(|found| is_new(found)).map(|found| found.length).sum();
    if new < SHARED {
        return None;
    }
    let (mut before, mut start) = (0, 0);
    for (at, found) in found.iter().enumerate() {
        if before >= new / 2 {
            return Some((at, start));
        }
        before += if is_new(found) { found.length } else { 0 };
        start += found.length;
    }
    None
}

/// Puts chunks that stand one after the other from the beginning of `bytes`.
fn put_run(writer: &mut Writer<'_>, bytes: &[u8], found: &[Found]) -> Result<Vec<Piece>> {
    let mut rest = bytes;
    let mut pieces = Vec::with_capacity(found.len());
    for Found { length, sort } in found {
        let (chunk, others) = rest.split_at(*length);
        rest = others;
        let id = match *sort {
            Sort::Zeros => {
                pieces.push(Piece::Zeros { length: *length as u64 });
                continue;
            }
            Sort::Old(id) | Sort::New(Some(id)) => id.object_id(),
            Sort::New(None) => id_of(ObjectKind::Data, chunk),
        };
        // An old one too: it is written again if its pack is lost.
        writer.put(ObjectKind::Data, id, chunk)?;
        pieces.push(Piece::Chunk { id: ChunkId::from(id), length: *length as u32 });
    }
    Ok(pieces)
}
