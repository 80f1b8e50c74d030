//! Writes the content of one file: small files at once, large ones in pieces by all workers. Holes are not written.

use std::fs::File;
use std::ops::Range;

use crate::error::{Error, Result};
use crate::fs;
use crate::id::BlobId;
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};
use crate::parallel;
use crate::store::Reader;

use super::context::ApplyContext;
use super::write_buffer::WriteBuffer;

/// A piece with its offset.
pub(super) type Placed = (u64, Piece);

/// The pieces of a layout with their offsets.
pub(super) fn placed(layout: &Layout) -> Vec<Placed> {
    layout.pieces_with_offsets().collect()
}

/// Length in bytes of the parts of a large file that workers take one at a time.
const PART: u64 = 16 << 20;

/// Splits pieces into parts of about that length.
fn parts(pieces: &[Placed]) -> Vec<&[Placed]> {
    let length = |(_, piece): &Placed| piece.length();
    parallel::split_into(pieces, pieces.iter().map(length).sum::<u64>() / PART, length)
}

/// All workers may write a file of this size or more: below, starting a thread costs as much as it saves.
pub(super) const SHARED: u64 = 2 * PART;
/// Space for files of this size or more is allocated first, so that a full disk is noticed early.
const AHEAD: u64 = 8 << 20;
/// Zeros written at a time.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// Number of workers that may write to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Threads {
    /// One, while others write other files: the system serializes writes to one file.
    One,
    /// All: while one writes, the others decode.
    All,
}

/// The wanted content of a file.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'c> {
    pub blob: BlobId,
    pub size: u64,
    /// Holes as offset and length, ascending.
    pub holes: &'c [(u64, u64)],
}

/// Writes the content of one staged file, which is empty.
#[derive(Clone, Copy)]
pub(super) struct FileWriter<'w> {
    pub file: &'w File,
    pub wanted: Wanted<'w>,
    pub context: &'w ApplyContext<'w>,
    pub threads: Threads,
}

impl FileWriter<'_> {
    /// Writes the content from the store.
    pub(super) fn write(&self, reader: &mut Reader<'_>) -> Result<()> {
        let (file, store, Wanted { blob, size, holes }) = (self.file, self.context.store, self.wanted);
        let wrong = || Error::damaged(format!("blob `{}` is not as long as its file, {size} bytes", blob.short()));
        if size == 0 {
            return Ok(());
        }
        store.check_not_purged(blob)?;
        if store.locate(ObjectKind::Data, blob.object_id()).is_some() {
            let bytes = reader.read(ObjectKind::Data, blob.object_id())?;
            if bytes.len() as u64 != size {
                return Err(wrong());
            }
            self.reserve()?;
            if holes.is_empty() {
                fs::write_all_at(file, bytes, 0)?;
            } else {
                let mut buffered = WriteBuffer::new(file);
                write_around(&mut buffered, bytes, 0, holes)?;
                buffered.finish()?;
            }
            self.context.task.add(size)?;
        } else {
            let layout = store.layout(blob)?;
            if layout.size() != size {
                return Err(wrong());
            }
            if holes.is_empty() && self.clone_pack(&layout)? {
                return Ok(());
            }
            self.reserve()?;
            self.write_pieces(&placed(&layout), reader)?;
        }
        if holes.last().is_some_and(|&(start, length)| start.saturating_add(length) >= size) {
            fs::set_len(file, size)?;
        }
        Ok(())
    }

    fn reserve(&self) -> Result<()> {
        let is_large = self.wanted.size >= AHEAD && self.wanted.holes.is_empty();
        if is_large { fs::preallocate(self.file, self.wanted.size) } else { Ok(()) }
    }

    /// Writes pieces at their offsets; if they are large, with all workers that may write to the file.
    pub(super) fn write_pieces(&self, pieces: &[Placed], reader: &mut Reader<'_>) -> Result<()> {
        let bytes: u64 = pieces.iter().map(|(_, piece)| piece.length()).sum();
        if bytes < SHARED || self.threads == Threads::One {
            return self.write_run(pieces, reader);
        }
        let write = |reader: &mut _, part| self.write_run(part, reader);
        parallel::try_map(parts(pieces).into_iter(), || self.context.store.reader(), write).map(drop)
    }

    fn write_run(&self, pieces: &[Placed], reader: &mut Reader<'_>) -> Result<()> {
        let (holes, mut buffered) = (self.wanted.holes, WriteBuffer::new(self.file));
        for &(offset, piece) in pieces {
            match piece {
                Piece::Chunk { id, length } => {
                    write_around(&mut buffered, reader.chunk(id, length)?, offset, holes)?;
                }
                Piece::Zeros { length } => {
                    for range in outside(holes, offset..offset + length) {
                        write_zeros(&mut buffered, range)?;
                    }
                }
            }
            self.context.task.add(piece.length())?;
        }
        buffered.finish()
    }

    /// Fills the file with a reflink copy of the pack that holds only this file. Verifies the pack, so that damage is
    /// noticed. `false` if nothing was written.
    fn clone_pack(&self, layout: &Layout) -> Result<bool> {
        let Some(pack) = self.context.store.reflink_pack(layout) else { return Ok(false) };
        let (file, size) = (self.file, layout.size());
        // Cloned before the pack is verified: without reflinks, reading the pack is not worthwhile. Errors show when writing.
        let is_cloned = fs::reflink(&pack, file).unwrap_or(false);
        if is_cloned && !fs::has_hole(&pack, size)? && is_proven(&pack, &placed(layout)) {
            fs::set_len(file, size)?;
            self.context.task.add(size)?;
            return Ok(true);
        }
        fs::set_len(file, 0)?;
        Ok(false)
    }
}

/// Writes bytes at `offset`, except zeros in holes. Other bytes in a hole are written.
fn write_around(to: &mut WriteBuffer<'_>, bytes: &[u8], offset: u64, holes: &[(u64, u64)]) -> Result<()> {
    let range = offset..offset + bytes.len() as u64;
    let part = |part: &Range<u64>| &bytes[(part.start - offset) as usize..(part.end - offset) as usize];
    for gap in inside(holes, range.clone()) {
        if part(&gap).iter().any(|&byte| byte != 0) {
            to.write(part(&gap), gap.start)?;
        }
    }
    outside(holes, range).try_for_each(|data| to.write(part(&data), data.start))
}

fn write_zeros(to: &mut WriteBuffer<'_>, range: Range<u64>) -> Result<()> {
    let mut at = range.start;
    while at < range.end {
        let length = (range.end - at).min(ZEROS.len() as u64);
        to.write(&ZEROS[..length as usize], at)?;
        at += length;
    }
    Ok(())
}

/// The parts of a range that are in holes.
fn inside(holes: &[(u64, u64)], range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let first = holes.partition_point(|&(start, length)| start.saturating_add(length) <= range.start);
    let end = range.end;
    let cut = move |&(start, length): &(u64, u64)| start.max(range.start)..start.saturating_add(length).min(range.end);
    holes[first..].iter().take_while(move |(start, _)| *start < end).map(cut)
}

/// The parts of a range that are outside holes.
fn outside(holes: &[(u64, u64)], range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let mut at = range.start;
    let last = range.end..range.end;
    let before = move |gap: Range<u64>| {
        let data = at..gap.start;
        at = gap.end;
        data
    };
    inside(holes, range).chain(std::iter::once(last)).map(before).filter(|data| !data.is_empty())
}

/// Number of zeros that are compared at a time.
const COMPARED: u64 = 1 << 20;

/// Whether a file begins with exactly these pieces.
fn is_proven(file: &File, pieces: &[Placed]) -> bool {
    let check = |_: &mut (), part| if are_there(file, part) { Ok(()) } else { Err(()) };
    parallel::try_map(parts(pieces).into_iter(), || (), check).is_ok()
}

fn are_there(file: &File, pieces: &[Placed]) -> bool {
    let mut buffer = Vec::new();
    let mut holds = |offset: u64, length: u64, is_right: &dyn Fn(&[u8]) -> bool| {
        buffer.resize(length as usize, 0);
        fs::read_at(file, &mut buffer, offset).is_ok_and(|read| read == buffer.len()) && is_right(&buffer)
    };
    pieces.iter().all(|&(offset, piece)| match piece {
        Piece::Chunk { id, length } => {
            holds(offset, length.into(), &|bytes| id_of(ObjectKind::Data, bytes) == id.object_id())
        }
        Piece::Zeros { length } => (0..length)
            .step_by(COMPARED as usize)
            .all(|at| holds(offset + at, COMPARED.min(length - at), &|bytes| bytes.iter().all(|&byte| byte == 0))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn range_is_split_at_holes() {
        let holes = [(0, 10), (20, 5), (40, 100)];
        let inside: Vec<_> = inside(&holes, 5..50).collect();
        let outside: Vec<_> = outside(&holes, 5..50).collect();
        assert_eq!(inside, [5..10, 20..25, 40..50]);
        assert_eq!(outside, [10..20, 25..40]);
        assert!(super::outside(&[], 3..9).eq(std::iter::once(3..9)));
        assert_eq!(super::outside(&holes, 42..44).count(), 0);
    }
}
