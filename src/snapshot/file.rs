//! One file into the store: in one piece, or cut into chunks; hashed as it is read.
//!
//! What is hashed is the very buffer that is stored, so a file that changes meanwhile never makes an object that is not
//! what its id says.

use crate::chunk::{self, Params};
use crate::error::Result;
use crate::id::{BlobId, ChunkId, ObjectId};
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};
use crate::store::Writer;
use crate::worktree::Reading;
use crate::worktree::content::{Step, hash_zeros};
use crate::worktree::scan::Sink;

/// Bytes of a large file that are in memory at once, at least.
const WINDOW: usize = 4 << 20;

/// Puts what a scan reads into the store.
pub struct StoreSink<'a> {
    writer: Writer<'a>,
    params: Params,
    /// Whether trees are put at once; otherwise they stay with the scan, to be compared first.
    takes_objects: bool,
    /// At least one byte longer than a blob that is kept in one piece, and than the longest chunk.
    window: Vec<u8>,
    /// Holes from here on are left out of the chunks.
    long: u64,
}

/// A large file on its way through the window.
struct Cutting {
    hasher: blake3::Hasher,
    layout: Layout,
}

impl<'a> StoreSink<'a> {
    /// One for a thread.
    pub fn new(writer: Writer<'a>, params: Params, takes_objects: bool) -> StoreSink<'a> {
        let whole = usize::try_from(params.whole).unwrap_or(WINDOW);
        let length = WINDOW.max(whole + 1).max(2 * params.maximum());
        StoreSink { writer, params, takes_objects, window: vec![0; length], long: u64::from(params.target) }
    }

    /// A blob that is all in the window.
    fn put_whole(&mut self, length: usize) -> Result<BlobId> {
        let bytes = &self.window[..length];
        let id = id_of(ObjectKind::Data, bytes);
        self.writer.put(ObjectKind::Data, id, bytes)?;
        Ok(id.into())
    }

    /// A blob that is longer than what is kept in one piece, of which `filled` bytes are in the window.
    fn cut_up(&mut self, reading: &mut Reading<'_>, mut filled: usize, mut next: Option<Step>) -> Result<BlobId> {
        let mut cutting = Cutting { hasher: blake3::Hasher::new(), layout: Layout::default() };
        loop {
            let step = match next.take() {
                Some(step) => step,
                None => self.more(reading, &mut filled)?,
            };
            match step {
                Step::Data(_) => {
                    let cut = self.put_chunks(&mut cutting, filled, false)?;
                    self.window.copy_within(cut..filled, 0);
                    filled -= cut;
                }
                // What is before a hole, or the end, is all there is to cut.
                Step::Hole(length) => {
                    self.put_chunks(&mut cutting, filled, true)?;
                    filled = 0;
                    hash_zeros(&mut cutting.hasher, length);
                    cutting.layout.push(Piece::Zeros { length });
                }
                Step::End => {
                    self.put_chunks(&mut cutting, filled, true)?;
                    break;
                }
            }
        }
        let blob = BlobId(*cutting.hasher.finalize().as_bytes());
        self.put_layout(blob, &cutting.layout)?;
        Ok(blob)
    }

    /// Reads on behind what is in the window, until that is full, or a long hole or the end is next.
    fn more(&mut self, reading: &mut Reading<'_>, filled: &mut usize) -> Result<Step> {
        let step = reading.next(&mut self.window[*filled..], self.long)?;
        if let Step::Data(length) = step {
            *filled += length;
        }
        Ok(step)
    }

    /// Cuts the window's first bytes into chunks, the last one only if `all` of it is there; gives how far.
    fn put_chunks(&mut self, cutting: &mut Cutting, filled: usize, all: bool) -> Result<usize> {
        let mut at = 0;
        while at < filled && (all || filled - at >= self.params.maximum()) {
            let chunk = &self.window[at..filled];
            let chunk = &chunk[..chunk::cut(chunk, &self.params)];
            cutting.hasher.update(chunk);
            if chunk.iter().all(|&byte| byte == 0) {
                cutting.layout.push(Piece::Zeros { length: chunk.len() as u64 });
            } else {
                let id = id_of(ObjectKind::Data, chunk);
                self.writer.put(ObjectKind::Data, id, chunk)?;
                cutting.layout.push(Piece::Chunk { id: ChunkId::from(id), length: chunk.len() as u32 });
            }
            at += chunk.len();
        }
        Ok(at)
    }

    fn put_layout(&mut self, blob: BlobId, layout: &Layout) -> Result<()> {
        let writer = &mut self.writer;
        let root = layout.save(blob, |node, bytes| {
            writer.put(ObjectKind::LayoutNode, node.object_id(), &bytes)?;
            Ok(())
        })?;
        writer.put(ObjectKind::Layout, blob.object_id(), &root)?;
        Ok(())
    }
}

impl Sink for StoreSink<'_> {
    const STORES: bool = true;

    fn read(&mut self, reading: &mut Reading<'_>) -> Result<BlobId> {
        let mut filled = 0;
        loop {
            match self.more(reading, &mut filled)? {
                Step::End if filled as u64 <= self.params.whole => return self.put_whole(filled),
                // A hole in a short file is not worth a layout.
                Step::Hole(length) if filled as u64 + length <= self.params.whole => {
                    let end = filled + length as usize;
                    self.window[filled..end].fill(0);
                    filled = end;
                }
                Step::Data(_) if filled < self.window.len() => {}
                step => return self.cut_up(reading, filled, Some(step)),
            }
        }
    }

    fn object(&mut self, kind: ObjectKind, id: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        if !self.takes_objects {
            return Ok(Some(bytes));
        }
        self.writer.put(kind, id, &bytes)?;
        Ok(None)
    }

    fn finish(self) -> Result<()> {
        self.writer.finish()
    }
}
