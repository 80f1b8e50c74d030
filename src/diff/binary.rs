//! Two binary contents: which ranges of bytes differ.
//!
//! Applying the ranges to the old content always gives the new one. How sharp they are depends on the effort: equal
//! pieces are told by their ids, the bytes between them are compared one by one, and what is too large for that is
//! replaced as a whole.

use std::time::{Duration, Instant};

use similar::{Algorithm, DiffOp};

use crate::chunk;
use crate::error::Result;
use crate::id::ChunkId;
use crate::object::layout::Piece;

use super::area::Area;

pub use super::area::Contents;

/// Ranges are joined where fewer equal bytes than this lie between them.
const GAP: u64 = 16;

/// More ranges than this are not listed.
const MOST: usize = 1_000;

/// 64 MiB: bytes that one comparison reads from each side before it takes larger ranges as they are.
const MOST_READ: u64 = 64 << 20;

/// 4 MiB: ranges of different length up to this are aligned by their content; above, they are replaced.
const MOST_ALIGNED: u64 = 4 << 20;

/// Where contents of different length are cut to be aligned: about every 2 KiB.
const FINE: chunk::Params = chunk::Params { whole: 0, target: 1 << 10 };

/// How long the search for equal pieces may take; what comes after it is right, but coarser.
const PATIENCE: Duration = Duration::from_secs(1);

/// Bytes of the old content and those that stand for them in the new one. One of the lengths may be 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Where they begin in the old content.
    pub old_offset: u64,
    /// How many they are there.
    pub old_length: u64,
    /// Where they begin in the new content.
    pub new_offset: u64,
    /// How many they are there.
    pub new_length: u64,
}

/// What differs between two contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    /// In order, at least 16 equal bytes apart.
    pub ranges: Vec<Range>,
    /// There are more than are listed.
    pub truncated: bool,
}

/// The ranges that differ between two contents in memory.
pub fn ranges(old: &[u8], new: &[u8]) -> Ranges {
    let mut found = Ranges::default();
    found.align(Range::all(old.len() as u64, new.len() as u64), old, new);
    found
}

/// The ranges that differ between two contents of which the pieces are known. Pieces of one id are not read.
///
/// Fails with what `fetch` of the contents fails with, and if a piece has not the length that the list says.
pub fn ranges_of_pieces(old: &Contents<'_>, new: &Contents<'_>) -> Result<Ranges> {
    let mut found = Ranges::default();
    let mut budget = MOST_READ;
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

/// What makes a piece equal to another.
fn key(piece: &Piece) -> (Option<ChunkId>, u64) {
    match *piece {
        Piece::Chunk { id, length } => (Some(id), u64::from(length)),
        Piece::Zeros { length } => (None, length),
    }
}

fn aligned<T: Eq + std::hash::Hash>(old: &[T], new: &[T]) -> Vec<DiffOp> {
    similar::capture_diff_slices_deadline(Algorithm::Myers, old, new, Some(Instant::now() + PATIENCE))
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

    /// Without this many bytes at both ends.
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
    /// Adds what follows all that is there.
    fn push(&mut self, range: Range) {
        if range.old_length == 0 && range.new_length == 0 {
            return;
        }
        if let Some(last) = self.ranges.last_mut()
            && range.old_offset - last.old_end() < GAP
        {
            last.old_length = range.old_end() - last.old_offset;
            last.new_length = range.new_end() - last.new_offset;
        } else if self.ranges.len() == MOST {
            self.truncated = true;
        } else {
            self.ranges.push(range);
        }
    }

    /// Adds what differs in an area, reading it piece by piece as far as the budget goes.
    fn refine(&mut self, area: Range, [old, new]: &mut [Area<'_, '_>; 2], budget: &mut u64) -> Result<()> {
        if area.old_length == area.new_length {
            return self.compare_in_place(old, new, budget);
        }
        let prefix = common_prefix(old, new, budget)?;
        let suffix = common_suffix(old, new, prefix, budget)?;
        let rest = area.trimmed(prefix, suffix);
        let size = rest.old_length.max(rest.new_length);
        if size > (*budget).min(MOST_ALIGNED) {
            self.push(rest);
            return Ok(());
        }
        *budget -= size;
        let old = old.bytes(rest.old_offset, rest.old_length)?;
        let new = new.bytes(rest.new_offset, rest.new_length)?;
        self.align(rest, &old, &new);
        Ok(())
    }

    /// Two areas of one length, piece by piece.
    fn compare_in_place(&mut self, old: &mut Area<'_, '_>, new: &mut Area<'_, '_>, budget: &mut u64) -> Result<()> {
        let mut done = 0;
        while done < old.length() && !self.truncated {
            let left = old.length() - done;
            let [old_offset, new_offset] = [old.start() + done, new.start() + done];
            let zeros = old.zeros_from(old_offset).min(new.zeros_from(new_offset));
            if zeros > 0 {
                done += zeros;
                continue;
            }
            if *budget == 0 {
                self.push(Range { old_offset, old_length: left, new_offset, new_length: left });
                break;
            }
            let (old, new) = (old.forward(old_offset)?, new.forward(new_offset)?);
            let length = old.len().min(new.len());
            let bytes = length as u64;
            let part = Range { old_offset, old_length: bytes, new_offset, new_length: bytes };
            self.positional(part, &old[..length], &new[..length]);
            *budget = budget.saturating_sub(bytes);
            done += bytes;
        }
        Ok(())
    }

    /// Two contents of one length, byte by byte.
    fn positional(&mut self, area: Range, old: &[u8], new: &[u8]) {
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

    /// Two contents of any length: cut by content where their lengths differ, and what is equal in both left out.
    fn align(&mut self, area: Range, old: &[u8], new: &[u8]) {
        let (area, old, new) = trim(area, old, new);
        if old.len() == new.len() {
            return self.positional(area, old, new);
        }
        if old.len().max(new.len()) as u64 > MOST_ALIGNED || old.is_empty() || new.is_empty() {
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
                if old.len() == new.len() { self.positional(part, old, new) } else { self.push(part) }
            }
            (old_at, new_at) = (old_end, new_end);
        }
    }
}

/// Leaves out what both begin and end with.
fn trim<'b>(area: Range, old: &'b [u8], new: &'b [u8]) -> (Range, &'b [u8], &'b [u8]) {
    let prefix = prefix(old, new);
    let (old, new) = (&old[prefix..], &new[prefix..]);
    let suffix = suffix(old, new);
    (area.trimmed(prefix as u64, suffix as u64), &old[..old.len() - suffix], &new[..new.len() - suffix])
}

/// How many bytes both begin with.
fn prefix(old: &[u8], new: &[u8]) -> usize {
    const BLOCK: usize = 64;
    let blocks = old.chunks_exact(BLOCK).zip(new.chunks_exact(BLOCK)).take_while(|(a, b)| a == b).count() * BLOCK;
    blocks + old[blocks..].iter().zip(&new[blocks..]).take_while(|(a, b)| a == b).count()
}

/// How many bytes both end with.
fn suffix(old: &[u8], new: &[u8]) -> usize {
    old.iter().rev().zip(new.iter().rev()).take_while(|(a, b)| a == b).count()
}

/// How many bytes two areas both begin with, as far as the budget goes.
fn common_prefix(old: &mut Area<'_, '_>, new: &mut Area<'_, '_>, budget: &mut u64) -> Result<u64> {
    let most = old.length().min(new.length());
    let mut done = 0;
    while done < most && *budget > 0 {
        let (old_offset, new_offset) = (old.start() + done, new.start() + done);
        let zeros = old.zeros_from(old_offset).min(new.zeros_from(new_offset));
        if zeros > 0 {
            done += zeros;
            continue;
        }
        let (old, new) = (old.forward(old_offset)?, new.forward(new_offset)?);
        let equal = prefix(old, new);
        done += equal as u64;
        *budget = budget.saturating_sub(equal as u64);
        if equal < old.len().min(new.len()) {
            break;
        }
    }
    Ok(done)
}

/// How many bytes two areas both end with, not counting those that both begin with, as far as the budget goes.
fn common_suffix(old: &mut Area<'_, '_>, new: &mut Area<'_, '_>, prefix: u64, budget: &mut u64) -> Result<u64> {
    let most = old.length().min(new.length()) - prefix;
    let mut done = 0;
    while done < most && *budget > 0 {
        let (old_offset, new_offset) = (old.end() - done, new.end() - done);
        let zeros = old.zeros_before(old_offset).min(new.zeros_before(new_offset));
        if zeros > 0 {
            done += zeros;
            continue;
        }
        let (old, new) = (old.backward(old_offset)?, new.backward(new_offset)?);
        let equal = suffix(old, new);
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
