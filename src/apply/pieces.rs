//! The pieces of a large file and where they begin.

use crate::object::Layout;
use crate::object::layout::Piece;
use crate::parallel;

/// A piece and where it begins.
pub(super) type Placed = (u64, Piece);

/// The pieces of a layout with their offsets.
pub(super) fn placed(layout: &Layout) -> Vec<Placed> {
    layout.pieces_with_offsets().collect()
}

/// Length in bytes of the parts of a large file that workers take one at a time.
pub(super) const PART: u64 = 16 << 20;

/// Splits pieces into parts of about that length.
pub(super) fn parts(pieces: &[Placed]) -> Vec<&[Placed]> {
    let length = |(_, piece): &Placed| piece.length();
    parallel::split_into(pieces, pieces.iter().map(length).sum::<u64>() / PART, length)
}
