//! Compares large texts line by line: reads only around the pieces that differ.
//!
//! Memory: two windows of differing lines, and the lists of pieces.

use std::ops::Range;
use std::time::Instant;

use similar::DiffOp;

use crate::error::Result;
use crate::object::layout::Piece;

use super::area::{Area, Contents, From};
use super::binary::{aligned, key};
use super::text::{self, Hunk, TextOptions, is_text};

/// Limits of a comparison, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Length of a window: differing lines with their context, on each side.
    pub window: u64,
    /// Length of all lines in hunks.
    pub hunks: u64,
    /// Bytes that are read to number lines. Behind them, numbers are estimated.
    pub counted: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { window: 8 << 20, hunks: 16 << 20, counted: 128 << 20 }
    }
}

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The changed lines.
    Hunks(Vec<Hunk>),
    /// A side is not text.
    Binary,
    /// More differs than the limits allow.
    TooDifferent,
}

/// Differing bytes on both sides.
struct Window {
    old: Range<u64>,
    new: Range<u64>,
}

impl Window {
    fn length(&self) -> u64 {
        (self.old.end - self.old.start).max(self.new.end - self.new.start)
    }
}

/// The hunks between two texts.
pub fn diff(old: &Contents<'_>, new: &Contents<'_>, options: TextOptions, limits: Limits) -> Result<Outcome> {
    let mut sides = [Area::new(old, old.pieces, 0), Area::new(new, new.pieces, 0)];
    for side in &mut sides {
        if side.length() > 0 && !is_text(side.bytes_at(0, From::Start)?) {
            return Ok(Outcome::Binary);
        }
    }
    let Some(windows) = windows(old.pieces, new.pieces, &mut sides, options.context, limits)? else {
        return Ok(Outcome::TooDifferent);
    };
    let deadline = Instant::now() + text::TIME_LIMIT;
    let (mut hunks, mut shown) = (Vec::new(), 0);
    let mut position = Position::new(&mut sides[1], limits.counted)?;
    for window in windows {
        position.advance(&mut sides[1], window.new.start)?;
        let old = sides[0].read(window.old.start, window.old.end - window.old.start)?;
        let new = sides[1].read(window.new.start, window.new.end - window.new.start)?;
        let Some(found) = text::hunks(&old, &new, options, deadline) else { return Ok(Outcome::TooDifferent) };
        for mut hunk in found {
            shown += hunk.lines.iter().map(|line| line.text.len() as u64).sum::<u64>();
            hunk.new_start += position.line as usize;
            hunk.old_start += (position.line - position.shift) as usize;
            hunk.is_estimated = position.is_estimated;
            hunks.push(hunk);
        }
        if shown > limits.hunks {
            return Ok(Outcome::TooDifferent);
        }
        position.pass(&old, &new, window.new.end);
    }
    Ok(Outcome::Hunks(hunks))
}

/// The areas that differ, extended to whole lines with context. `None` if one is too large.
fn windows(
    old: &[Piece],
    new: &[Piece],
    sides: &mut [Area<'_, '_>; 2],
    context: usize,
    limits: Limits,
) -> Result<Option<Vec<Window>>> {
    let Some(areas) = differing(old, new, sides, limits)? else { return Ok(None) };
    let mut windows: Vec<Window> = Vec::new();
    for (number, area) in areas.iter().enumerate() {
        let floor = windows.last().map_or(0, |window| window.new.end);
        let ceiling = areas.get(number + 1).map_or(sides[1].length(), |next| next.new.start);
        let (Some(before), Some(after)) = (
            lines_before(&mut sides[1], area.new.start, floor, context, limits.window)?,
            lines_after(&mut sides[1], area.new.end, ceiling, context, limits.window)?,
        ) else {
            return Ok(None);
        };
        let (old_end, new_end) = (area.old.end + after, area.new.end + after);
        match windows.last_mut().filter(|last| area.new.start - before <= last.new.end) {
            Some(last) => (last.old.end, last.new.end) = (old_end, new_end),
            None => {
                windows.push(Window { old: area.old.start - before..old_end, new: area.new.start - before..new_end })
            }
        }
        if windows.last().is_some_and(|window| window.length() > limits.window) {
            return Ok(None);
        }
    }
    Ok(Some(windows))
}

/// The areas that differ, without the equal bytes at their ends. `None` if one is too large.
fn differing(
    old: &[Piece],
    new: &[Piece],
    sides: &mut [Area<'_, '_>; 2],
    limits: Limits,
) -> Result<Option<Vec<Window>>> {
    let length = |pieces: &[Piece]| pieces.iter().map(Piece::length).sum::<u64>();
    let (mut areas, mut at) = (Vec::<Window>::new(), [0, 0]);
    for op in aligned(&old.iter().map(key).collect::<Vec<_>>(), &new.iter().map(key).collect::<Vec<_>>()) {
        let [old_at, new_at] = at;
        at = [old_at + length(&old[op.old_range()]), new_at + length(&new[op.new_range()])];
        if matches!(op, DiffOp::Equal { .. }) {
            continue;
        }
        match areas.last_mut().filter(|last| last.old.end == old_at && last.new.end == new_at) {
            Some(last) => (last.old.end, last.new.end) = (at[0], at[1]),
            None => areas.push(Window { old: old_at..at[0], new: new_at..at[1] }),
        }
    }
    let mut trimmed = Vec::new();
    for mut area in areas {
        trim(&mut area, sides)?;
        if area.length() > limits.window {
            return Ok(None);
        }
        if area.length() > 0 {
            trimmed.push(area);
        }
    }
    Ok(Some(trimmed))
}

/// Removes the equal bytes at both ends of an area.
fn trim(area: &mut Window, [old, new]: &mut [Area<'_, '_>; 2]) -> Result<()> {
    while !area.old.is_empty() && !area.new.is_empty() {
        let (a, b) = (old.bytes_at(area.old.start, From::Start)?, new.bytes_at(area.new.start, From::Start)?);
        let length = a.len().min(b.len()).min((area.old.end - area.old.start) as usize);
        let length = length.min((area.new.end - area.new.start) as usize);
        let equal = a[..length].iter().zip(&b[..length]).take_while(|(a, b)| a == b).count();
        (area.old.start, area.new.start) = (area.old.start + equal as u64, area.new.start + equal as u64);
        if equal < length {
            break;
        }
    }
    let (old_length, new_length) = (old.length(), new.length());
    while !area.old.is_empty() && !area.new.is_empty() {
        let (a, b) =
            (old.bytes_at(old_length - area.old.end, From::End)?, new.bytes_at(new_length - area.new.end, From::End)?);
        let length = a.len().min(b.len()).min((area.old.end - area.old.start) as usize);
        let length = length.min((area.new.end - area.new.start) as usize);
        let equal = a.iter().rev().zip(b.iter().rev()).take(length).take_while(|(a, b)| a == b).count();
        (area.old.end, area.new.end) = (area.old.end - equal as u64, area.new.end - equal as u64);
        if equal < length {
            break;
        }
    }
    Ok(())
}

/// Number of bytes from the start of a line to `offset`, with at least this many whole lines between, or from `floor`. `None`
/// if that is more than `most`.
fn lines_before(side: &mut Area<'_, '_>, offset: u64, floor: u64, lines: usize, most: u64) -> Result<Option<u64>> {
    let (length, mut newlines, mut at) = (side.length(), 0, offset);
    while at > floor {
        let bytes = side.bytes_at(length - at, From::End)?;
        for byte in bytes.iter().rev().take((at - floor) as usize) {
            if *byte == b'\n' {
                newlines += 1;
                if newlines > lines {
                    return Ok(Some(offset - at));
                }
            }
            at -= 1;
            if offset - at > most {
                return Ok(None);
            }
        }
    }
    Ok(Some(offset - floor))
}

/// Number of bytes from `offset` to the end of a line, with at least this many whole lines between, or to `ceiling`. `None` if
/// that is more than `most`.
fn lines_after(side: &mut Area<'_, '_>, offset: u64, ceiling: u64, lines: usize, most: u64) -> Result<Option<u64>> {
    let (mut newlines, mut at) = (0, offset);
    while at < ceiling {
        let bytes = side.bytes_at(at, From::Start)?;
        for byte in bytes.iter().take((ceiling - at) as usize) {
            at += 1;
            if at - offset > most {
                return Ok(None);
            }
            if *byte == b'\n' {
                newlines += 1;
                if newlines > lines {
                    return Ok(Some(at - offset));
                }
            }
        }
    }
    Ok(Some(ceiling - offset))
}

/// A place in the new text and its line number.
struct Position {
    offset: u64,
    /// Number of lines before.
    line: i64,
    /// Number of lines that the new text has more than the old one up to here.
    shift: i64,
    is_estimated: bool,
    /// Bytes that were read, of which `lines_read` are newlines. Begins with a sample from the start of the text.
    bytes_read: u64,
    lines_read: u64,
    /// Bytes that may still be read.
    budget: u64,
}

impl Position {
    fn new(new: &mut Area<'_, '_>, budget: u64) -> Result<Position> {
        let sample = if new.length() > 0 { new.bytes_at(0, From::Start)? } else { &[] };
        let (bytes_read, lines_read) = (sample.len() as u64, newlines(sample) as u64);
        Ok(Position { offset: 0, line: 0, shift: 0, is_estimated: false, bytes_read, lines_read, budget })
    }

    /// Moves over equal text. Counts its lines, or estimates their number if that would be too much to read.
    fn advance(&mut self, new: &mut Area<'_, '_>, to: u64) -> Result<()> {
        while self.offset < to && self.budget > 0 {
            let zeros = new.zeros_at(self.offset, From::Start).min(to - self.offset);
            if zeros > 0 {
                self.offset += zeros;
                continue;
            }
            let bytes = new.bytes_at(self.offset, From::Start)?;
            let length = bytes.len().min((to - self.offset) as usize);
            let (lines, length) = (newlines(&bytes[..length]), length as u64);
            (self.line, self.lines_read) = (self.line + lines, self.lines_read + lines as u64);
            (self.offset, self.bytes_read) = (self.offset + length, self.bytes_read + length);
            self.budget = self.budget.saturating_sub(length);
        }
        if self.offset < to {
            let rest = u128::from(to - self.offset);
            self.line += (rest * u128::from(self.lines_read) / u128::from(self.bytes_read.max(1))) as i64;
            self.is_estimated = true;
        }
        self.offset = to;
        Ok(())
    }

    /// Moves over a window.
    fn pass(&mut self, old: &[u8], new: &[u8], end: u64) {
        self.line += newlines(new);
        self.shift += newlines(new) - newlines(old);
        self.offset = end;
    }
}

fn newlines(bytes: &[u8]) -> i64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as i64
}

#[cfg(test)]
mod tests;
