//! A large file of which little changes: a copy of what is there, sharing its blocks where the file system can, with
//! only the differing pieces written anew.
//!
//! The copy is as good as the saved content only while the file has the very stat that it had when it was saved: that is
//! looked at before and after.

use std::fs::File;

use crate::error::Result;
use crate::fs::{self, Dir};
use crate::object::Content;
use crate::store::Reader;
use crate::worktree::index::Record;

use super::pieces::{Placed, placed};
use super::work::Work;
use super::write::{Threads, Wanted, write_pieces};

/// Below this size writing all of it is as quick.
const LARGE: u64 = 8 << 20;

/// The file that is to be replaced.
pub(super) struct Source<'s> {
    pub directory: &'s Dir,
    pub name: &'s [u8],
    /// What was saved of it; `None`: there is none.
    pub record: Option<&'s Record>,
}

/// Fills an empty file with the content if most of it is in the file that it replaces; `false`: nothing is written.
pub(super) fn patch(
    file: &File,
    wanted: Wanted<'_>,
    source: Source<'_>,
    work: &Work<'_>,
    by: (&mut Reader<'_>, Threads),
) -> Result<bool> {
    let Some(record) = source.record.filter(|_| wanted.size >= LARGE && wanted.holes.is_empty()) else {
        return Ok(false);
    };
    let Content::File { blob: old, size } = record.content else { return Ok(false) };
    if record.racy || size < LARGE || has_holes(record, work)? || !work.store.contains_blob(old) {
        return Ok(false);
    }
    let old = placed(&work.store.layout(old)?);
    let (shared, missing) = split(&old, &placed(&work.store.layout(wanted.blob)?));
    let bytes: u64 = shared.iter().map(|(_, length)| length).sum();
    if bytes < wanted.size / 2 {
        return Ok(false);
    }
    let Ok((from, stat)) = source.directory.open_file_stat(source.name) else { return Ok(false) };
    if !record.stat.is_same(&stat) {
        return Ok(false);
    }
    let mut copied = Ok(());
    if !fs::reflink(&from, file)? {
        fs::preallocate(file, wanted.size)?;
        copied = shared.iter().try_for_each(|&(offset, length)| fs::copy_range(&from, file, offset, length));
    }
    // A failure may be that of a file which was cut in the meantime: then the same look tells.
    if !record.stat.is_same(&fs::stat_file(&from)?) {
        fs::set_len(file, 0)?;
        return Ok(false);
    }
    copied?;
    work.task.add(bytes);
    fs::set_len(file, wanted.size)?;
    write_pieces(file, &missing, &[], work.store, by, work.task)?;
    Ok(true)
}

fn has_holes(record: &Record, work: &Work<'_>) -> Result<bool> {
    match record.attributes {
        Some(id) => Ok(!work.objects.attributes(id)?.holes.is_empty()),
        None => Ok(false),
    }
}

/// The ranges of the new pieces that the old ones have at the same places, and the new pieces that they have not.
fn split(old: &[Placed], new: &[Placed]) -> (Vec<(u64, u64)>, Vec<Placed>) {
    let (mut shared, mut missing): (Vec<(u64, u64)>, Vec<Placed>) = (Vec::new(), Vec::new());
    let mut old = old.iter().peekable();
    for piece in new {
        while old.next_if(|(offset, _)| *offset < piece.0).is_some() {}
        if old.peek() != Some(&piece) {
            missing.push(*piece);
            continue;
        }
        let (offset, length) = (piece.0, piece.1.length());
        match shared.last_mut() {
            Some(last) if last.0 + last.1 == offset => last.1 += length,
            _ => shared.push((offset, length)),
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
    fn what_is_at_the_same_place_is_shared_and_the_rest_is_missing() {
        let chunk = |byte: u8, length: u32| Piece::Chunk { id: ChunkId([byte; 32]), length };
        let old = [(0, chunk(1, 10)), (10, chunk(2, 10)), (20, chunk(3, 10)), (30, Piece::Zeros { length: 5 })];
        let new = [
            (0, chunk(1, 10)),
            (10, chunk(2, 10)),
            (20, chunk(9, 10)),
            (30, Piece::Zeros { length: 5 }),
            (35, chunk(3, 10)),
        ];
        let (shared, missing) = split(&old, &new);
        assert_eq!(shared, [(0, 20), (30, 5)]);
        assert_eq!(missing, [new[2], new[4]]);
    }
}
