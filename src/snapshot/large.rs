//! Cuts a large file into chunks in a moving window, hashes and stores them. All workers work on parts of the window, and the cuts
//! do not depend on their number.

use crate::chunk::{self, Params};
use crate::error::{ErrorKind, Result};
use crate::id::BlobId;
use crate::object::groups::{GROUP, GroupHash};
use crate::object::layout::Piece;
use crate::object::{Groups, Layout, ObjectKind, id_of};
use crate::parallel;
use crate::snapshot::prefix::Prefix;
use crate::snapshot::rechunk::{CutPredictor, FilePiece, OldChunk};
use crate::store::{ReflinkCopy, Writer};
use crate::worktree::Reading;
use crate::worktree::content::Step;

/// Stores one large file.
pub struct LargeFile<'l, 's> {
    window: &'l mut [u8],
    params: Params,
    /// One for each worker.
    writers: &'l mut [Writer<'s>],
    /// Takes the pieces in place of the writers.
    adoption: Option<&'l mut ReflinkCopy<'s>>,
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
        (predictor, adoption): (CutPredictor, Option<&'l mut ReflinkCopy<'s>>),
    ) -> LargeFile<'l, 's> {
        let (groups, layout) = (Groups::new(writers.len() > 1), Layout::default());
        LargeFile { window, params, writers, adoption, predictor, groups, layout, filled, hashed: 0 }
    }

    /// Continues behind a prefix that is stored, with an empty window.
    pub fn resume(self, Prefix { layout, groups }: Prefix) -> LargeFile<'l, 's> {
        let mut predictor = self.predictor;
        predictor.pass(layout.size());
        LargeFile { predictor, groups, layout, ..self }
    }

    /// Puts all chunks; `step` is what follows the bytes in the window. After [`ErrorKind::NotInTime`], what was read is put as if the
    /// file ended there.
    pub fn put(&mut self, reading: &mut Reading<'_>, mut step: Step) -> Result<()> {
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
                    return self.advance(true);
                }
            }
            let end = self.filled + fresh(reading.position(), self.window.len() - self.filled);
            step = match reading.next(&mut self.window[self.filled..end], long) {
                Err(error) if error.kind() == ErrorKind::NotInTime => {
                    self.advance(true)?;
                    return Err(error);
                }
                step => step?,
            };
            if let Step::Data(length) = step {
                self.filled += length;
            }
        }
    }

    /// The content that was put.
    pub fn finish(self) -> (BlobId, Layout) {
        let (blob, groups) = self.groups.finish();
        (blob, Layout { groups, ..self.layout })
    }

    /// Puts the chunks at the front of the window; with `all`, up to its end.
    fn advance(&mut self, all: bool) -> Result<()> {
        self.groups.update(&self.window[self.hashed..self.filled]);
        let (workers, groups) = (self.writers.len(), self.groups.values());
        let cutter = SectionCutter { params: self.params, all, workers, groups };
        let found = cutter.cut(&mut self.predictor, &self.window[..self.filled]);
        self.put_chunks(&found)?;
        let cut = total_length(&found);
        self.window.copy_within(cut..self.filled, 0);
        self.filled -= cut;
        self.hashed = self.filled;
        Ok(())
    }

    /// Puts the chunks from the front of the window.
    fn put_chunks(&mut self, found: &[FilePiece]) -> Result<()> {
        if let Some(adoption) = &mut self.adoption {
            adoption.add(&found.iter().map(FilePiece::piece).collect::<Vec<_>>());
        } else {
            let mut rest = &*self.window;
            let runs = split(found, self.writers.len(), LEAST, new_length).into_iter().zip(&mut *self.writers);
            let with_bytes = |(run, writer)| {
                let (bytes, after) = rest.split_at(total_length(run));
                rest = after;
                (run, writer, bytes)
            };
            let work: Vec<_> = runs.map(with_bytes).collect();
            parallel::try_map(work.into_iter(), || (), |(), (run, writer, bytes)| put_run(writer, bytes, run))?;
        }
        found.iter().for_each(|found| self.layout.push(found.piece()));
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
    if found.is_new { found.length as u64 } else { 0 }
}

/// Puts the chunks of `bytes`. Old chunks too: they are written again if their pack is lost.
fn put_run(writer: &mut Writer<'_>, mut bytes: &[u8], found: &[FilePiece]) -> Result<()> {
    for FilePiece { length, chunk, .. } in found {
        let (content, rest) = bytes.split_at(*length);
        bytes = rest;
        if let Some(id) = chunk {
            writer.put(ObjectKind::Data, id.object_id(), content)?;
        }
    }
    Ok(())
}

/// Splits items into runs of at least this weight, at most one for each worker.
fn split<T>(items: &[T], workers: usize, least: u64, weight: impl Fn(&T) -> u64) -> Vec<&[T]> {
    let total: u64 = items.iter().map(&weight).sum();
    parallel::split_into(items, (workers as u64).min(total / least), weight)
}

/// Minimum number of bytes that one worker hashes: starting a thread takes as long as hashing some 100 KiB.
const LEAST: u64 = 512 << 10;

/// After this many new bytes in a row, the rest of the section is cut by content only.
const MOST_NEW: usize = 2 << 20;

/// How to cut a section.
pub struct SectionCutter<'c> {
    /// Chunk lengths.
    pub params: Params,
    /// The section ends at a hole or at the end of the file. Otherwise a chunk is final only if as many bytes follow its start
    /// as the longest chunk has.
    pub all: bool,
    /// Number of workers that cut.
    pub workers: usize,
    /// Hashes of the groups of the new content so far.
    pub groups: &'c [GroupHash],
}

impl SectionCutter<'_> {
    /// Returns the final pieces from the beginning of `bytes`.
    pub fn cut(&self, predictor: &mut CutPredictor, bytes: &[u8]) -> Vec<FilePiece> {
        let mut found = Vec::new();
        let (mut at, mut reach, mut new_bytes) = (0, 1, 0);
        while at < bytes.len() {
            if predictor.is_empty() || new_bytes >= MOST_NEW {
                let fresh = self.cut_fresh(&bytes[at..]);
                predictor.pass(total_length(&fresh) as u64);
                found.extend(fresh);
                return found;
            }
            let expected = predictor.expected(bytes.len() - at, reach);
            let count = self.prove(predictor, expected, &bytes[at..]);
            let is_all = count > 0 && count == expected.len();
            found.extend(expected[..count].iter().map(OldChunk::as_found));
            at += expected[..count].iter().map(OldChunk::length).sum::<usize>();
            predictor.accept(count);
            if is_all {
                (reach, new_bytes) = (2 * reach, 0);
                continue;
            }
            if at == bytes.len() || !self.is_certain(bytes.len() - at) {
                break;
            }
            let next = predictor.search(&bytes[at..]);
            new_bytes = if next.is_new { new_bytes + next.length } else { 0 };
            (at, reach) = (at + next.length, 1);
            found.push(next);
        }
        found
    }

    fn is_certain(&self, left: usize) -> bool {
        self.all || left >= self.params.maximum()
    }

    /// Number of expected chunks that `bytes` starts with.
    fn prove<'o>(&self, predictor: &CutPredictor, expected: &'o [OldChunk], bytes: &[u8]) -> usize {
        let free = expected.iter().take_while(|old| predictor.is_unchanged(old, self.groups)).count();
        let (passed, expected) = expected.split_at(free);
        let mut rest = &bytes[passed.iter().map(OldChunk::length).sum()..];
        let with_bytes = |olds: &'o [OldChunk]| {
            let (bytes, after) = rest.split_at(olds.iter().map(OldChunk::length).sum());
            rest = after;
            (olds, bytes)
        };
        let parts = split(expected, self.workers, 2 * LEAST, |old| old.length() as u64);
        let parts: Vec<_> = parts.into_iter().map(with_bytes).collect();
        let counts = parallel::map(parts.iter(), |(olds, bytes)| matching(olds, bytes));
        // Chunks behind one that has changed do not count.
        let whole = counts.iter().zip(&parts).take_while(|(count, (olds, _))| **count == olds.len()).count();
        free + counts.iter().take(whole + 1).sum::<usize>()
    }

    /// Cuts unknown bytes. A cut depends on nothing before the previous cut, so a thread that
    /// begins in the middle soon cuts where one that began in front does.
    fn cut_fresh(&self, bytes: &[u8]) -> Vec<FilePiece> {
        let size = bytes.len().div_ceil(self.workers.min(bytes.len() / (2 * self.params.maximum())).max(1)).max(1);
        let starts = (0..bytes.len()).step_by(size);
        let parts = parallel::map(starts.clone(), |start| self.cut_until(bytes, start, bytes.len().min(start + size)));
        let (mut cut, mut at) = (Vec::new(), 0);
        for (start, part) in starts.zip(parts) {
            let begin = |start: &mut usize, found: &FilePiece| Some(std::mem::replace(start, *start + found.length));
            let begins: Vec<usize> = part.iter().scan(start, begin).collect();
            let end = start + total_length(&part);
            while at < end {
                if let Ok(same) = begins.binary_search(&at) {
                    cut.extend(&part[same..]);
                    at = end;
                } else if let Some(next) = self.fresh(bytes, at) {
                    at += next.length;
                    cut.push(next);
                } else {
                    return cut;
                }
            }
        }
        cut.extend(self.cut_until(bytes, at, bytes.len()));
        cut
    }

    /// The pieces that start at or after `at` and before `end`.
    fn cut_until(&self, bytes: &[u8], mut at: usize, end: usize) -> Vec<FilePiece> {
        let mut found = Vec::new();
        while at < end
            && let Some(next) = self.fresh(bytes, at)
        {
            at += next.length;
            found.push(next);
        }
        found
    }

    /// The piece that starts at `at`, if it is final.
    fn fresh(&self, bytes: &[u8], at: usize) -> Option<FilePiece> {
        let rest = &bytes[at..];
        if rest.is_empty() || !self.is_certain(rest.len()) {
            return None;
        }
        Some(FilePiece::of(&rest[..chunk::cut(rest, &self.params)]))
    }
}

/// Number of these chunks that `bytes` starts with.
fn matching(expected: &[OldChunk], mut bytes: &[u8]) -> usize {
    let is_there = |old: &&OldChunk| {
        let (chunk, rest) = bytes.split_at(old.length());
        bytes = rest;
        id_of(ObjectKind::Data, chunk) == old.id.object_id()
    };
    expected.iter().take_while(is_there).count()
}

/// Number of bytes in these pieces.
fn total_length(found: &[FilePiece]) -> usize {
    found.iter().map(|found| found.length).sum()
}
