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

use super::write::{FileWriter, Placed, placed};
use super::write_buffer::WriteBuffer;

/// Minimum size: below it, writing the whole file is as fast.
const LARGE: u64 = 8 << 20;

/// Number of bytes copied at a time through memory.
const AT_ONCE: usize = 1 << 20;

/// The file to replace.
pub(super) struct Source<'s> {
    pub directory: &'s Dir,
    pub name: &'s [u8],
    pub record: &'s Record,
}

impl FileWriter<'_> {
    /// Writes the content if most of it is in the file that it replaces. `false` if nothing was written.
    pub(super) fn patch(&self, source: &Source<'_>, reader: &mut Reader<'_>) -> Result<bool> {
        let (file, size) = (self.file, self.wanted.size);
        let Some(Patch { shared, missing }) = self.plan_patch(source.record)? else { return Ok(false) };
        let Ok((from, stat)) = source.directory.open_file_stat(source.name) else { return Ok(false) };
        if !source.record.stat.is_same(&stat) {
            return Ok(false);
        }
        let is_cloned = in_place(&shared) >= size / 2 && fs::reflink(&from, file)?;
        if !is_cloned {
            fs::preallocate(file, size)?;
        }
        let copied = copy(&from, file, shared.iter().filter(|range| !is_cloned || range.from != range.to));
        // The copy may have failed because the file was truncated; then its stat has changed too.
        if !source.record.stat.is_same(&fs::stat_file(&from)?) {
            fs::set_len(file, 0)?;
            return Ok(false);
        }
        copied?;
        self.context.task.add(total(&shared))?;
        fs::set_len(file, size)?;
        self.write_pieces(&missing, reader)?;
        Ok(true)
    }

    /// Compares the content with a saved file. `None` if writing all of it is as good.
    fn plan_patch(&self, record: &Record) -> Result<Option<Patch>> {
        let (wanted, store) = (self.wanted, self.context.store);
        let Content::File { blob: old, size } = record.content else { return Ok(None) };
        if wanted.size.min(size) < LARGE
            || !wanted.holes.is_empty()
            || record.racy
            || !self.context.attributes(record.attributes)?.holes.is_empty()
            || !store.contains_blob(old)
        {
            return Ok(None);
        }
        let layout = store.layout(wanted.blob)?;
        let patch = Patch::between(&placed(&store.layout(old)?), &placed(&layout));
        let has_half = |bytes: u64| bytes >= wanted.size / 2;
        let is_shared_otherwise = !has_half(in_place(&patch.shared)) && store.reflink_pack(&layout).is_some();
        Ok(Some(patch).filter(|patch| has_half(total(&patch.shared)) && !is_shared_otherwise))
    }
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

/// How a file differs from the one that it replaces.
struct Patch {
    /// Ranges that the old file has, preferably at the same offset.
    shared: Vec<Shared>,
    /// Pieces that the old file does not have.
    missing: Vec<Placed>,
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

fn total(ranges: &[Shared]) -> u64 {
    ranges.iter().map(|range| range.length).sum()
}

/// Number of bytes that are at the same offset in both files.
fn in_place(ranges: &[Shared]) -> u64 {
    ranges.iter().filter(|range| range.from == range.to).map(|range| range.length).sum()
}

impl Patch {
    fn between(old: &[Placed], new: &[Placed]) -> Patch {
        let by_place: HashMap<u64, Piece> = old.iter().copied().collect();
        let chunks = old.iter().filter(|(_, piece)| matches!(piece, Piece::Chunk { .. }));
        let by_chunk: HashMap<Piece, u64> = chunks.map(|&(offset, piece)| (piece, offset)).collect();
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
        Patch { shared, missing }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ChunkId;
    use crate::object::layout::Piece;

    #[test]
    fn copying_ranges_fails_if_source_is_short() {
        let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
        let (from, to) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        fs::write_all(&from, &bytes).unwrap();
        let range = |from, to, length| Shared { from, to, length };
        let read = |file: &File, offset: u64, length: usize| {
            let mut found = vec![0; length];
            fs::read_exact_at(file, &mut found, offset).unwrap();
            found
        };
        copy(&from, &to, [range(0, 0, 300_001), range(300_001, 300_001, 399_999)].iter()).unwrap();
        assert!(read(&to, 0, bytes.len()) == bytes);
        copy(&from, &to, [range(1, 0, 699_999)].iter()).unwrap();
        assert!(read(&to, 0, bytes.len() - 1) == bytes[1..]);
        assert!(copy(&from, &to, [range(700_000 - 5, 700_000 - 5, 6)].iter()).is_err());
        // Between two file systems, if there is another one.
        if let Ok(file) = tempfile::tempfile_in("/dev/shm") {
            copy(&from, &file, [range(7, 3, 699_993)].iter()).unwrap();
            assert!(read(&file, 3, bytes.len() - 7) == bytes[7..]);
        }
    }

    #[test]
    fn patch_finds_shared_and_missing_pieces() {
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
        let Patch { shared, missing } = Patch::between(&old, &new);
        let range = |from, to, length| Shared { from, to, length };
        assert_eq!(shared, [range(0, 0, 20), range(30, 30, 5), range(10, 35, 20)]);
        assert_eq!(missing, [new[2], new[6]]);
    }

    #[test]
    fn patch_prefers_chunk_at_same_offset() {
        let chunk = Piece::Chunk { id: ChunkId([1; 32]), length: 10 };
        let twice = [(0, chunk), (10, chunk)];
        assert_eq!(Patch::between(&twice, &twice).shared, [Shared { from: 0, to: 0, length: 20 }]);
    }
}
