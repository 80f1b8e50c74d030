//! Cuts a large file into chunks in a moving window, and hashes the whole file at the same time.
//! All workers read, hash, cut and store parts of the window.

use crate::chunk::Params;
use crate::error::Result;
use crate::id::{BlobId, ChunkId};
use crate::object::groups::GROUP;
use crate::object::layout::Piece;
use crate::object::{Groups, Layout, ObjectKind, id_of};
use crate::parallel;
use crate::snapshot::chunker::{self, LEAST, SectionCutter};
use crate::snapshot::rechunk::{CutPredictor, FilePiece, PieceKind};
use crate::store::{Adoption, Writer};
use crate::worktree::Reading;
use crate::worktree::content::Step;

/// Stores one large file.
pub struct LargeFile<'l, 's> {
    window: &'l mut [u8],
    params: Params,
    /// One for each worker.
    writers: &'l mut [Writer<'s>],
    /// Takes the pieces in place of the writers.
    adoption: Option<&'l mut Adoption<'s>>,
    predictor: CutPredictor,
    groups: Groups,
    layout: Layout,
    /// Number of bytes in the window, and of those that are hashed.
    filled: usize,
    hashed: usize,
}

impl<'l, 's> LargeFile<'l, 's> {
    /// Starts with the first `filled` bytes in the window. The window must be longer than the longest chunk.
    pub fn new(
        (window, filled): (&'l mut [u8], usize),
        params: Params,
        writers: &'l mut [Writer<'s>],
        (predictor, adoption): (CutPredictor, Option<&'l mut Adoption<'s>>),
    ) -> LargeFile<'l, 's> {
        let (groups, layout) = (Groups::new(writers.len() > 1), Layout::default());
        LargeFile { window, params, writers, adoption, predictor, groups, layout, filled, hashed: 0 }
    }

    /// Puts all chunks; `step` is what follows the bytes in the window.
    pub fn put(mut self, reading: &mut Reading<'_>, mut step: Step) -> Result<(BlobId, Layout)> {
        let long = u64::from(self.params.target);
        loop {
            match step {
                Step::Data(_) => self.advance(false)?,
                // A chunk ends at a hole and at the end of the file.
                Step::Hole(length) => {
                    self.advance(true)?;
                    self.groups.update_zeros(length, &|number| self.predictor.zero_group(number));
                    self.predictor.pass(length);
                    self.layout.push(Piece::Zeros { length });
                }
                Step::End => {
                    self.advance(true)?;
                    break;
                }
            }
            let end = self.filled + fresh(reading.position(), self.window.len() - self.filled);
            step = reading.next(&mut self.window[self.filled..end], long)?;
            if let Step::Data(length) = step {
                self.filled += length;
            }
        }
        let (blob, groups) = self.groups.finish();
        self.layout.groups = groups;
        Ok((blob, self.layout))
    }

    /// Puts the chunks at the front of the window; with `all`, up to its end.
    fn advance(&mut self, all: bool) -> Result<()> {
        self.groups.update(&self.window[self.hashed..self.filled]);
        let is_shared = self.writers.len() > 1;
        let cutter = SectionCutter { params: self.params, all, is_shared, groups: self.groups.values() };
        let found = cutter.cut(&mut self.predictor, &self.window[..self.filled]);
        self.put_chunks(&found)?;
        let cut = chunker::length(&found);
        self.window.copy_within(cut..self.filled, 0);
        self.filled -= cut;
        self.hashed = self.filled;
        Ok(())
    }

    /// Puts the chunks from the front of the window.
    fn put_chunks(&mut self, found: &[FilePiece]) -> Result<()> {
        let is_adopted = self.adoption.is_some();
        let runs = match self.writers.len() {
            1 => vec![found],
            _ => parallel::split(found, LEAST, new_length),
        };
        let mut work = Vec::with_capacity(runs.len());
        let mut rest = &*self.window;
        for (run, writer) in runs.into_iter().zip(&mut *self.writers) {
            work.push((run, Some(writer).filter(|_| !is_adopted), rest));
            rest = &rest[chunker::length(run)..];
        }
        let put = |_: &mut (), (run, writer, bytes): (_, _, _)| put_run(writer, bytes, run);
        let pieces = parallel::try_map(work.into_iter(), || (), put)?.concat();
        if let Some(adoption) = &mut self.adoption {
            adoption.add(&pieces);
        }
        pieces.into_iter().for_each(|piece| self.layout.push(piece));
        Ok(())
    }
}

/// Number of bytes to read at a position into this much space, so that the next read starts at a group if possible.
pub fn fresh(position: u64, room: usize) -> usize {
    let past = (position + room as u64) % GROUP as u64;
    if past < room as u64 { room - past as usize } else { room }
}

/// Puts the layout of a large file. Its chunks must have been put before.
pub fn put_layout(writer: &mut Writer<'_>, blob: BlobId, layout: &Layout) -> Result<()> {
    let root = layout.save(blob, |node, bytes| {
        writer.put(ObjectKind::LayoutNode, node.object_id(), &bytes)?;
        Ok(())
    })?;
    writer.put(ObjectKind::Layout, blob.object_id(), &root)?;
    Ok(())
}

/// Length of a piece that may have to be stored.
fn new_length(found: &FilePiece) -> u64 {
    if matches!(found.kind, PieceKind::New(_)) { found.length as u64 } else { 0 }
}

/// Puts consecutive chunks from the beginning of `bytes`. Without a writer, only computes their ids.
fn put_run(mut writer: Option<&mut Writer<'_>>, bytes: &[u8], found: &[FilePiece]) -> Result<Vec<Piece>> {
    let mut rest = bytes;
    let mut pieces = Vec::with_capacity(found.len());
    for FilePiece { length, kind } in found {
        let (chunk, others) = rest.split_at(*length);
        rest = others;
        let id = match *kind {
            PieceKind::Zeros => {
                pieces.push(Piece::Zeros { length: *length as u64 });
                continue;
            }
            PieceKind::Old(id) | PieceKind::New(Some(id)) => id.object_id(),
            PieceKind::New(None) => id_of(ObjectKind::Data, chunk),
        };
        // Old chunks too: they are written again if their pack is lost.
        if let Some(writer) = &mut writer {
            writer.put(ObjectKind::Data, id, chunk)?;
        }
        pieces.push(Piece::Chunk { id: ChunkId::from(id), length: *length as u32 });
    }
    Ok(pieces)
}
