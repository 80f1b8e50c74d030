//! Finds the ranges of bytes that differ between two binary contents.
//!
//! Applying the ranges to the old content always gives the new one. Their precision depends on the effort: equal pieces are
//! recognised by their ids, the bytes between them are compared one by one, and areas too large for that are replaced as a
//! whole.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp};

use crate::chunk;
use crate::error::Result;
use crate::id::ChunkId;
use crate::object::layout::Piece;

use super::area::{Area, From};

pub use super::area::Contents;

/// Ranges are joined if fewer equal bytes than this lie between them.
const MIN_GAP: u64 = 16;

/// Maximum number of ranges to list.
const MAX_RANGES: usize = 1_000;

/// 64 MiB: bytes that a comparison reads from each side before it reports larger ranges without reading them.
const MAX_READ: u64 = 64 << 20;

/// 4 MiB: ranges of different lengths are aligned by content up to this size, and replaced above it.
const MAX_ALIGNED: u64 = 4 << 20;

/// Cuts contents of different lengths about every 2 KiB to align them.
const FINE: chunk::Params = chunk::Params { whole: 0, target: 1 << 10 };

/// Time limit of the search for equal pieces. After it, the result is correct but less precise.
const TIME_LIMIT: Duration = Duration::from_secs(1);

/// Bytes of the old content and the bytes that replace them. One of the lengths may be 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Offset in the old content.
    pub old_offset: u64,
    /// Length in the old content.
    pub old_length: u64,
    /// Offset in the new content.
    pub new_offset: u64,
    /// Length in the new content.
    pub new_length: u64,
}

/// Differences between two contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    /// Changed ranges in order, at least 16 equal bytes apart.
    pub ranges: Vec<Range>,
    /// Whether the list is incomplete.
    pub truncated: bool,
}

/// Compares two contents in memory.
pub fn ranges(old: &[u8], new: &[u8]) -> Ranges {
    let mut found = Ranges::default();
    found.align(Range::all(old.len() as u64, new.len() as u64), old, new);
    found
}

/// Compares two contents given as pieces. Pieces with equal ids are not read.
///
/// Fails if a piece cannot be read or does not have the stated length.
pub fn ranges_of_pieces(old: &Contents<'_>, new: &Contents<'_>) -> Result<Ranges> {
    let mut found = Ranges::default();
    let mut budget = MAX_READ;
    let (mut old_offset, mut new_offset) = (0, 0);
    let length = |pieces: &[Piece]| pieces.iter().map(Piece::length).sum::<u64>();
    for op in aligned(&old.pieces.iter().map(key).collect::<Vec<_>>(), &new.pieces.iter().map(key).collect::<Vec<_>>())
    {
        let (old_pieces, new_pieces) = (&old.pieces[op.old_range()], &new.pieces[op.new_range()]);
        let area = Range { old_offset, old_length: length(old_pieces), new_offset, new_length: length(new_pieces) };
        if !matches!(op, DiffOp::Equal { .. }) {
            let mut sides = [Area::new(old, old_pieces, old_offset), Area::new(new, new_pieces, new_offset)];
            found.refine(area, &mut sides, &mut budget)?;
        }
        old_offset += area.old_length;
        new_offset += area.new_length;
        if found.truncated {
            break;
        }
    }
    Ok(found)
}

/// The key of a piece. Pieces with the same key are equal.
pub(super) fn key(piece: &Piece) -> (Option<ChunkId>, u64) {
    match *piece {
        Piece::Chunk { id, length } => (Some(id), u64::from(length)),
        Piece::Zeros { length } => (None, length),
    }
}

/// Aligns two lists.
pub(super) fn aligned<T: Eq + std::hash::Hash>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    similar::capture_diff_slices_deadline(Algorithm::Myers, old, new, Some(Instant::now() + TIME_LIMIT))
}

impl Range {
    fn all(old_length: u64, new_length: u64) -> Range {
        Range { old_offset: 0, old_length, new_offset: 0, new_length }
    }

    fn old_end(&self) -> u64 {
        self.old_offset + self.old_length
    }

    fn new_end(&self) -> u64 {
        self.new_offset + self.new_length
    }

    /// The range without this many bytes at the start and at the end.
    fn trimmed(&self, prefix: u64, suffix: u64) -> Range {
        Range {
            old_offset: self.old_offset + prefix,
            old_length: self.old_length - prefix - suffix,
            new_offset: self.new_offset + prefix,
            new_length: self.new_length - prefix - suffix,
        }
    }
}

impl Ranges {
    /// Adds a range that follows all others.
    fn push(&mut self, range: Range) {
        if range.old_length == 0 && range.new_length == 0 {
            return;
        }
        if let Some(last) = self.ranges.last_mut()
            && range.old_offset - last.old_end() < MIN_GAP
        {
            last.old_length = range.old_end() - last.old_offset;
            last.new_length = range.new_end() - last.new_offset;
        } else if self.ranges.len() == MAX_RANGES {
            self.truncated = true;
        } else {
            self.ranges.push(range);
        }
    }

    /// Adds the differences of an area, which is read piece by piece within the budget.
    fn refine(&mut self, area: Range, [old, new]: &mut [Area<'_, '_>; 2], budget: &mut u64) -> Result<()> {
        if area.old_length == area.new_length {
            return self.compare_in_place(old, new, budget);
        }
        let shorter = old.length().min(new.length());
        let prefix = common(old, new, From::Start, shorter, budget)?;
        let suffix = common(old, new, From::End, shorter - prefix, budget)?;
        let rest = area.trimmed(prefix, suffix);
        let size = rest.old_length.max(rest.new_length);
        if size > (*budget).min(MAX_ALIGNED) {
            self.push(rest);
            return Ok(());
        }
        *budget -= size;
        let old = old.read(rest.old_offset, rest.old_length)?;
        let new = new.read(rest.new_offset, rest.new_length)?;
        self.align(rest, &old, &new);
        Ok(())
    }

    /// Compares two areas of the same length piece by piece.
    fn compare_in_place(&mut self, old: &mut Area<'_, '_>, new: &mut Area<'_, '_>, budget: &mut u64) -> Result<()> {
        let mut done = 0;
        while done < old.length() && !self.truncated {
            let left = old.length() - done;
            let [old_offset, new_offset] = [old.range.start + done, new.range.start + done];
            let zeros = old.zeros_at(done, From::Start).min(new.zeros_at(done, From::Start));
            if zeros > 0 {
                done += zeros;
                continue;
            }
            if *budget == 0 {
                self.push(Range { old_offset, old_length: left, new_offset, new_length: left });
                break;
            }
            let (old, new) = (old.bytes_at(done, From::Start)?, new.bytes_at(done, From::Start)?);
            let length = old.len().min(new.len());
            let bytes = length as u64;
            let part = Range { old_offset, old_length: bytes, new_offset, new_length: bytes };
            self.compare_bytes(part, &old[..length], &new[..length]);
            *budget = budget.saturating_sub(bytes);
            done += bytes;
        }
        Ok(())
    }

    /// Compares two contents of the same length byte by byte.
    fn compare_bytes(&mut self, area: Range, old: &[u8], new: &[u8]) {
        let mut at = 0;
        while at < old.len() && !self.truncated {
            at += prefix(&old[at..], &new[at..]);
            let length = old[at..].iter().zip(&new[at..]).take_while(|(a, b)| a != b).count();
            self.push(Range {
                old_offset: area.old_offset + at as u64,
                old_length: length as u64,
                new_offset: area.new_offset + at as u64,
                new_length: length as u64,
            });
            at += length;
        }
    }

    /// Compares two contents of any length. If the lengths differ, cuts them by content and aligns equal parts.
    fn align(&mut self, area: Range, old: &[u8], new: &[u8]) {
        let (area, old, new) = trim(area, old, new);
        if old.len() == new.len() {
            return self.compare_bytes(area, old, new);
        }
        if old.len().max(new.len()) as u64 > MAX_ALIGNED || old.is_empty() || new.is_empty() {
            return self.push(area);
        }
        let [old_cuts, new_cuts] = [old, new].map(|bytes| chunk::chunks(bytes, &FINE).collect::<Vec<_>>());
        let (mut old_at, mut new_at) = (0, 0);
        for op in aligned(&old_cuts, &new_cuts) {
            let old_length = old_cuts[op.old_range()].iter().map(|part| part.len()).sum::<usize>();
            let new_length = new_cuts[op.new_range()].iter().map(|part| part.len()).sum::<usize>();
            let part = Range {
                old_offset: area.old_offset + old_at as u64,
                old_length: old_length as u64,
                new_offset: area.new_offset + new_at as u64,
                new_length: new_length as u64,
            };
            let [old_end, new_end] = [old_at + old_length, new_at + new_length];
            if !matches!(op, DiffOp::Equal { .. }) {
                let (part, old, new) = trim(part, &old[old_at..old_end], &new[new_at..new_end]);
                if old.len() == new.len() { self.compare_bytes(part, old, new) } else { self.push(part) }
            }
            (old_at, new_at) = (old_end, new_end);
        }
    }
}

/// Removes the equal bytes at the start and at the end of both.
fn trim<'b>(area: Range, old: &'b [u8], new: &'b [u8]) -> (Range, &'b [u8], &'b [u8]) {
    let prefix = prefix(old, new);
    let (old, new) = (&old[prefix..], &new[prefix..]);
    let suffix = suffix(old, new);
    (area.trimmed(prefix as u64, suffix as u64), &old[..old.len() - suffix], &new[..new.len() - suffix])
}

/// The number of equal bytes at the start of both.
pub(super) fn prefix(old: &[u8], new: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let blocks = old.chunks_exact(BLOCK).zip(new.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    blocks + old[blocks..].iter().zip(&new[blocks..]).take_while(|(a, b)| a == b).count()
}

/// The number of equal bytes at the end of both.
pub(super) fn suffix(old: &[u8], new: &[u8]) -> usize {
    old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// The number of equal bytes at one end of both areas, up to `most` and to the budget.
fn common(old: &mut Area<'_, '_>, new: &mut Area<'_, '_>, from: From, most: u64, budget: &mut u64) -> Result<u64> {
    let mut done = 0;
    while done < most && *budget > 0 {
        let zeros = old.zeros_at(done, from).min(new.zeros_at(done, from));
        if zeros > 0 {
            done += zeros;
            continue;
        }
        let (old, new) = (old.bytes_at(done, from)?, new.bytes_at(done, from)?);
        let equal = match from {
            From::Start => prefix(old, new),
            From::End => suffix(old, new),
        };
        done += equal as u64;
        *budget = budget.saturating_sub(equal as u64);
        if equal < old.len().min(new.len()) {
            break;
        }
    }
    Ok(done.min(most))
}

#[cfg(test)]
mod tests;
