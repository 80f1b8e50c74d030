//! The pieces of a large file and where they begin.

use crate::object::Layout;
use crate::object::layout::Piece;

/// A piece and where it begins.
pub(super) type Placed = (u64, Piece);

/// The pieces of a layout with their offsets.
pub(super) fn placed(layout: &Layout) -> Vec<Placed> {
    let mut offset = 0;
    let place = |piece: &Piece| {
        let at = offset;
        offset += piece.length();
        (at, *piece)
    };
    layout.pieces.iter().map(place).collect()
}

/// Pieces in two parts of much the same length.
pub(super) fn halves(pieces: &[Placed]) -> (&[Placed], &[Placed]) {
    let bytes: u64 = pieces.iter().map(|(_, piece)| piece.length()).sum();
    let mut before = 0;
    let middle = pieces.iter().position(|(_, piece)| {
        before += piece.length();
        before >= bytes / 2
    });
    pieces.split_at(middle.unwrap_or(0))
}
