//! Part of a content that is known by its pieces: its bytes, read a piece at a time from either end.

use crate::error::{Error, Result};
use crate::object::layout::{Piece, with_offsets};

/// A run of zeros is shown in parts of this many bytes.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// A content as a list of pieces, and how to get their bytes.
#[derive(Clone, Copy)]
pub struct Contents<'a> {
    /// In order, without gaps.
    pub pieces: &'a [Piece],
    /// Reads the chunk at this offset in the content, which has this length.
    pub fetch: &'a dyn Fn(u64, u32) -> Result<Vec<u8>>,
}

/// Some neighbouring pieces of a content. The piece read last is kept.
pub struct Area<'c, 'a> {
    contents: &'c Contents<'a>,
    /// Each piece with the offset it begins at.
    pieces: Vec<(u64, Piece)>,
    start: u64,
    end: u64,
    /// The piece read last and the offset it begins at.
    read: Option<(u64, Vec<u8>)>,
}

impl<'c, 'a> Area<'c, 'a> {
    /// These pieces of a content, which begin at `start`.
    pub fn new(contents: &'c Contents<'a>, pieces: &[Piece], start: u64) -> Area<'c, 'a> {
        let pieces: Vec<_> = with_offsets(pieces).map(|(offset, piece)| (start + offset, piece)).collect();
        let end = pieces.last().map_or(start, |(offset, piece)| offset + piece.length());
        Area { contents, pieces, start, end, read: None }
    }

    /// Offset in the content where it begins.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Offset in the content where it ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Its bytes.
    pub fn length(&self) -> u64 {
        self.end - self.start
    }

    /// The bytes from `offset`, at least one, as far as one piece goes. The offset must be in the area.
    pub fn forward(&mut self, offset: u64) -> Result<&[u8]> {
        let at = self.pieces.partition_point(|(start, _)| *start <= offset) - 1;
        let (start, piece) = self.pieces[at];
        let skipped = offset - start;
        match piece {
            Piece::Zeros { length } => Ok(zeros(length - skipped)),
            Piece::Chunk { length, .. } => Ok(&self.chunk(start, length)?[skipped as usize..]),
        }
    }

    /// The bytes before `offset`, at least one, as far as one piece goes. The offset must be in the area, not its start.
    pub fn backward(&mut self, offset: u64) -> Result<&[u8]> {
        let at = self.pieces.partition_point(|(start, _)| *start < offset) - 1;
        let (start, piece) = self.pieces[at];
        let taken = offset - start;
        match piece {
            Piece::Zeros { .. } => Ok(zeros(taken)),
            Piece::Chunk { length, .. } => Ok(&self.chunk(start, length)?[..taken as usize]),
        }
    }

    /// How many zeros there are from `offset` without being read; 0 if there are bytes. The offset must be in the area.
    pub fn zeros_from(&self, offset: u64) -> u64 {
        let at = self.pieces.partition_point(|(start, _)| *start <= offset) - 1;
        match self.pieces[at] {
            (start, Piece::Zeros { length }) => start + length - offset,
            _ => 0,
        }
    }

    /// How many zeros there are before `offset` without being read; 0 if there are bytes. Not at the start of the area.
    pub fn zeros_before(&self, offset: u64) -> u64 {
        let at = self.pieces.partition_point(|(start, _)| *start < offset) - 1;
        match self.pieces[at] {
            (start, Piece::Zeros { .. }) => offset - start,
            _ => 0,
        }
    }

    /// A range of the content that lies in the area.
    pub fn bytes(&mut self, offset: u64, length: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::with_capacity(length as usize);
        let (mut at, end) = (offset, offset + length);
        while at < end {
            let part = self.forward(at)?;
            let part = &part[..part.len().min((end - at) as usize)];
            bytes.extend_from_slice(part);
            at += part.len() as u64;
        }
        Ok(bytes)
    }

    fn chunk(&mut self, start: u64, length: u32) -> Result<&[u8]> {
        if self.read.as_ref().is_none_or(|(known, _)| *known != start) {
            let bytes = (self.contents.fetch)(start, length)?;
            if bytes.len() != length as usize {
                return Err(Error::damaged(format!(
                    "the chunk at byte {start} does not have the length in the layout"
                )));
            }
            self.read = Some((start, bytes));
        }
        Ok(self.read.as_ref().map_or(&[], |(_, bytes)| bytes))
    }
}

fn zeros(length: u64) -> &'static [u8] {
    &ZEROS[..length.min(ZEROS.len() as u64) as usize]
}
