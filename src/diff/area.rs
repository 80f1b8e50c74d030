//! Reads part of a content piece by piece, from the start or from the end.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::object::layout::{Piece, with_offsets};

/// Bytes of a run of zeros are returned from here.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// A content as a list of pieces, and a way to read them.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    /// All pieces in order.
    pub pieces: &'a [Piece],
    /// Reads the chunk at this offset of the content, which has this length.
    pub fetch: &'a dyn Fn(u64, u32) -> Result<Vec<u8>>,
}

/// The end of an area that distances are counted from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Start,
    End,
}

/// Neighbouring pieces of a content.
pub(super) struct Area<'c, 'a> {
    contents: &'c Contents<'a>,
    /// Each piece with its offset.
    pieces: Vec<(u64, Piece)>,
    /// Offsets of the area in the content.
    pub range: Range<u64>,
    /// The chunk that was read last, with its offset.
    last_read: Option<(u64, Vec<u8>)>,
}

impl<'c, 'a> Area<'c, 'a> {
    /// Creates an area of these pieces of a content, which begin at `start`.
    pub fn new(contents: &'c Contents<'a>, pieces: &[Piece], start: u64) -> Area<'c, 'a> {
        let pieces: Vec<_> = with_offsets(pieces).map(|(offset, piece)| (start + offset, piece)).collect();
        let end = pieces.last().map_or(start, |(offset, piece)| offset + piece.length());
        Area { contents, pieces, range: start..end, last_read: None }
    }

    /// The length in bytes.
    pub fn length(&self) -> u64 {
        self.range.end - self.range.start
    }

    /// The number of zeros at a distance from one end that need not be read; 0 if a chunk is there.
    pub fn zeros_at(&self, distance: u64, from: From) -> u64 {
        match self.piece_at(distance, from) {
            (_, Piece::Zeros { .. }, part) => part.end - part.start,
            _ => 0,
        }
    }

    /// The bytes at a distance from one end: at least one, at most one piece. The distance must be less than the length.
    pub fn bytes_at(&mut self, distance: u64, from: From) -> Result<&[u8]> {
        let (start, piece, part) = self.piece_at(distance, from);
        match piece {
            Piece::Zeros { .. } => Ok(&ZEROS[..(part.end - part.start).min(ZEROS.len() as u64) as usize]),
            Piece::Chunk { length, .. } => Ok(&self.chunk(start, length)?[part.start as usize..part.end as usize]),
        }
    }

    /// Reads a range of the content that lies in the area.
    pub fn read(&mut self, offset: u64, length: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length as usize);
        while (bytes.len() as u64) < length {
            let left = length as usize - bytes.len();
            let part = self.bytes_at(offset + bytes.len() as u64 - self.range.start, From::Start)?;
            bytes.extend_from_slice(&part[..part.len().min(left)]);
        }
        Ok(bytes)
    }

    /// The piece at a distance from one end, its offset, and the part of the piece from there on.
    fn piece_at(&self, distance: u64, from: From) -> (u64, Piece, Range<u64>) {
        let before = match from {
            From::Start => self.pieces.partition_point(|(start, _)| *start <= self.range.start + distance),
            From::End => self.pieces.partition_point(|(start, _)| *start < self.range.end - distance),
        };
        let (start, piece) = self.pieces[before - 1];
        let part = match from {
            From::Start => self.range.start + distance - start..piece.length(),
            From::End => 0..self.range.end - distance - start,
        };
        (start, piece, part)
    }

    fn chunk(&mut self, start: u64, length: u32) -> Result<&[u8]> {
        if self.last_read.as_ref().is_none_or(|(known, _)| *known != start) {
            let bytes = (self.contents.fetch)(start, length)?;
            if bytes.len() as u64 != u64::from(length) {
                return Err(Error::damaged(format!(
                    "the chunk at byte {start} does not have the length in the layout"
                )));
            }
            self.last_read = Some((start, bytes));
        }
        Ok(self.last_read.as_ref().map_or(&[], |(_, bytes)| bytes))
    }
}
