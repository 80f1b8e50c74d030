//! Restores a file by reflink from the pack that holds only this file.
//!
//! The pack is verified, so that damage is noticed; then the file is written piece by piece instead.

use std::fs::File;

use crate::error::Result;
use crate::fs;
use crate::object::layout::Piece;
use crate::object::{Layout, ObjectKind, id_of};
use crate::parallel;
use crate::progress::Task;
use crate::store::Store;

use super::pieces::{Placed, parts, placed};

/// Number of zeros that are compared at a time.
const ZEROS: u64 = 1 << 20;

/// Fills an empty file with a reflink copy of the pack of this layout. `false` if nothing was written.
pub(super) fn clone(file: &File, layout: &Layout, store: &Store, task: &dyn Task) -> Result<bool> {
    let Some(pack) = store.adopted(layout) else { return Ok(false) };
    let size = layout.size();
    // Cloned before the pack is verified: without reflinks, reading the pack is not worthwhile. Errors show when writing.
    let is_cloned = fs::reflink(&pack, file).unwrap_or(false);
    if is_cloned && !fs::has_hole(&pack, size)? && is_proven(&pack, &placed(layout)) {
        fs::set_len(file, size)?;
        task.add(size)?;
        return Ok(true);
    }
    fs::set_len(file, 0)?;
    Ok(false)
}

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
            .step_by(ZEROS as usize)
            .all(|at| holds(offset + at, ZEROS.min(length - at), &|bytes| bytes.iter().all(|&byte| byte == 0))),
    })
}
