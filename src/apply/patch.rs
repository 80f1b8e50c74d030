//! Restores a large file with few differences: copies the existing file, sharing blocks where the file system can, and writes
//! only the differing pieces. Pieces that have moved, as after an insertion, are copied.
//!
//! The existing file can replace the saved content only if its stat is the saved one, which is checked before and after.

use std::collections::HashMap;
use std::fs::File;

use crate::error::Result;
use crate::fs::{self, Dir};
use crate::object::Content;
use crate::object::layout::Piece;
use crate::store::Reader;
use crate::worktree::index::Record;

use super::context::ApplyContext;
use super::write::{Placed, Threads, Wanted, placed, write_pieces};
use super::write_buffer::WriteBuffer;

/// Minimum size: below it, writing the whole file is as fast.
const LARGE: u64 = 8 << 20;

/// Number of bytes copied at a time through memory.
const AT_ONCE: usize = 1 << 20;

/// The file to replace.
pub(super) struct Source<'s> {
    pub directory: &'s Dir,
    pub name: &'s [u8],
    /// Its saved record, if it exists.
    pub record: Option<&'s Record>,
}

/// Fills an empty file with the content if most of it is in the file that it replaces. `false` if nothing was written.
pub(super) fn patch(
    file: &File,
    wanted: Wanted<'_>,
    source: Source<'_>,
    context: &ApplyContext<'_>,
    by: (&mut Reader<'_>, Threads),
) -> Result<bool> {
    let Some(record) = source.record.filter(|_| wanted.size >= LARGE && wanted.holes.is_empty()) else {
        return Ok(false);
    };
    let Content::File { blob: old, size } = record.content else { return Ok(false) };
    if record.racy || size < LARGE || has_holes(record, context)? || !context.store.contains_blob(old) {
        return Ok(false);
    }
    let layout = context.store.layout(wanted.blob)?;
    let (shared, missing) = split(&placed(&context.store.layout(old)?), &placed(&layout));
    let in_place = Shared::bytes(shared.iter().filter(|it| it.from == it.to));
    let bytes = Shared::bytes(&shared);
    let is_half = |bytes: u64| bytes >= wanted.size / 2;
    if !is_half(bytes) || (!is_half(in_place) && context.store.reflink_pack(&layout).is_some()) {
        return Ok(false);
    }
    let Ok((from, stat)) = source.directory.open_file_stat(source.name) else { return Ok(false) };
    if !record.stat.is_same(&stat) {
        return Ok(false);
    }
    let is_cloned = is_half(in_place) && fs::reflink(&from, file)?;
    if !is_cloned {
        fs::preallocate(file, wanted.size)?;
    }
    let mut to_copy = shared.iter().filter(|it| !is_cloned || it.from != it.to);
    let copied = if is_cloned {
        to_copy.try_for_each(|it| fs::copy_range((&from, it.from), (file, it.to), it.length))
    } else {
        copy(&from, file, to_copy)
    };
    // The copy may have failed because the file was truncated; then its stat has changed too.
    if !record.stat.is_same(&fs::stat_file(&from)?) {
        fs::set_len(file, 0)?;
        return Ok(false);
    }
    copied?;
    context.task.add(bytes)?;
    fs::set_len(file, wanted.size)?;
    write_pieces(file, &missing, &[], context.store, by, context.task)?;
    Ok(true)
}

/// Copies through memory: `copy_file_range` would leave the new file in the page cache.
fn copy<'s>(from: &File, to: &File, mut ranges: impl Iterator<Item = &'s Shared>) -> Result<()> {
    let mut buffered = WriteBuffer::new(to);
    let mut buffer = vec![0; AT_ONCE];
    ranges.try_for_each(|range| {
        let mut done = 0;
        while done < range.length {
            let part = &mut buffer[..(range.length - done).min(AT_ONCE as u64) as usize];
            fs::read_exact_at(from, part, range.from + done)?;
            buffered.write(part, range.to + done)?;
            done += part.len() as u64;
        }
        Ok(())
    })?;
    buffered.finish()
}

fn has_holes(record: &Record, context: &ApplyContext<'_>) -> Result<bool> {
    match record.attributes {
        Some(id) => Ok(!context.objects.attributes(id)?.holes.is_empty()),
        None => Ok(false),
    }
}

/// A range of bytes that both files have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shared {
    /// Offset in the old file.
    from: u64,
    /// Offset in the new file.
    to: u64,
    length: u64,
}

impl Shared {
    fn bytes<'s>(ranges: impl IntoIterator<Item = &'s Shared>) -> u64 {
        ranges.into_iter().map(|range| range.length).sum()
    }
}

/// Splits the new pieces into ranges that the old file has, preferably at the same offset, and missing pieces.
fn split(old: &[Placed], new: &[Placed]) -> (Vec<Shared>, Vec<Placed>) {
    let by_place: HashMap<u64, Piece> = old.iter().copied().collect();
    let is_chunk = |piece: &Piece| matches!(piece, Piece::Chunk { .. });
    let by_chunk: HashMap<Piece, u64> =
        old.iter().filter(|(_, piece)| is_chunk(piece)).map(|&(offset, piece)| (piece, offset)).collect();
    let (mut shared, mut missing): (Vec<Shared>, Vec<Placed>) = (Vec::new(), Vec::new());
    for &(to, piece) in new {
        let in_place = (by_place.get(&to) == Some(&piece)).then_some(to);
        let Some(from) = in_place.or_else(|| by_chunk.get(&piece).copied()) else {
            missing.push((to, piece));
            continue;
        };
        let length = piece.length();
        match shared.last_mut() {
            Some(last) if (last.from + last.length, last.to + last.length) == (from, to) => last.length += length,
            _ => shared.push(Shared { from, to, length }),
        }
    }
    (shared, missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ChunkId;
    use crate::object::layout::Piece;

    #[test]
    fn split_finds_shared_and_missing_pieces() {
        let chunk = |byte: u8, length: u32| Piece::Chunk { id: ChunkId([byte; 32]), length };
        let old = [(0, chunk(1, 10)), (10, chunk(2, 10)), (20, chunk(3, 10)), (30, Piece::Zeros { length: 5 })];
        let new = [
            (0, chunk(1, 10)),
            (10, chunk(2, 10)),
            (20, chunk(9, 10)),
            (30, Piece::Zeros { length: 5 }),
            (35, chunk(2, 10)),
            (45, chunk(3, 10)),
            (55, Piece::Zeros { length: 5 }),
        ];
        let (shared, missing) = split(&old, &new);
        let range = |from, to, length| Shared { from, to, length };
        assert_eq!(shared, [range(0, 0, 20), range(30, 30, 5), range(10, 35, 20)]);
        assert_eq!(missing, [new[2], new[6]]);
    }

    #[test]
    fn split_prefers_chunk_at_same_offset() {
        let chunk = Piece::Chunk { id: ChunkId([1; 32]), length: 10 };
        let twice = [(0, chunk), (10, chunk)];
        assert_eq!(split(&twice, &twice).0, [Shared { from: 0, to: 0, length: 20 }]);
    }
}
