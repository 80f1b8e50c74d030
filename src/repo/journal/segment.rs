//! A segment of the journal: a file with a header, a checkpoint, and the records since.
//!
//! ```text
//! magic "undojrnl" | version u32 | number u64 | check 4 bytes | records
//! ```
//! `check` begins the BLAKE3 hash of the twenty bytes before it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::frame::{self, Frame};
use super::record::{OPERATION, PACKS, Record};
use super::state::State;
use super::{End, Loaded};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::{OperationId, PackId};
use crate::object::Operation;

const MAGIC: &[u8; 8] = b"undojrnl";
const VERSION: u32 = 1;
/// Size of the header in bytes.
pub const HEADER: usize = 24;

/// Hint for a damaged segment.
pub const FROM_BACKUP: &str = "copy that file from a backup of this repository";

/// The numbers of all segments, ascending. Ignores staged files.
pub fn numbers(directory: &Path) -> Result<Vec<u64>> {
    let mut numbers: Vec<u64> = fs::list(directory)?.iter().filter_map(|name| number_of(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

fn number_of(name: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(name).ok()?;
    let number = text.parse().ok()?;
    (file_name(number) == text).then_some(number)
}

/// Name of a segment.
pub fn file_name(number: u64) -> String {
    format!("{number:08}")
}

/// Path of a segment.
pub fn path(directory: &Path, number: u64) -> PathBuf {
    directory.join(file_name(number))
}

/// Encodes a segment that begins with a state.
pub fn encode(number: u64, state: &State) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    let check = blake3::hash(&bytes);
    bytes.extend_from_slice(&check.as_bytes()[..4]);
    bytes.extend_from_slice(&Record::Checkpoint(state.clone()).encode());
    bytes
}

/// Whether the bytes have the intact header of another segment.
pub fn is_other(bytes: &[u8], number: u64) -> bool {
    let header = bytes.get(..HEADER).filter(|header| header.starts_with(MAGIC));
    let intact = header.filter(|header| blake3::hash(&header[..20]).as_bytes()[..4] == header[20..]);
    intact.is_some_and(|header| header[12..20] != number.to_le_bytes())
}

/// A segment in memory.
pub struct Segment {
    number: u64,
    path: PathBuf,
    bytes: Vec<u8>,
    /// Set if the header is damaged and the checkpoint is intact.
    header_damage: Option<&'static str>,
    /// The error that ended reading early.
    unreadable: Option<Error>,
}

impl Segment {
    /// Reads a segment. `None` if it does not exist.
    pub fn read(directory: &Path, number: u64) -> Result<Option<Segment>> {
        let path = path(directory, number);
        let Some((bytes, unreadable)) = fs::read_prefix(&path)? else { return Ok(None) };
        let mut segment = Segment { number, path, bytes, header_damage: None, unreadable };
        segment.check_header()?;
        Ok(Some(segment))
    }

    /// The file name has the same information as the header, so a valid checkpoint makes a damaged header harmless.
    fn check_header(&mut self) -> Result<()> {
        let Some(header) = self.bytes.get(..HEADER) else { return Err(self.damaged(0, "truncated")) };
        if !header.starts_with(MAGIC) || blake3::hash(&header[..20]).as_bytes()[..4] != header[20..] {
            let why = "no journal header";
            if !matches!(frame::read(&self.bytes, HEADER), Frame::Record { .. }) {
                return Err(self.damaged(0, why));
            }
            self.header_damage = Some(why);
            return Ok(());
        }
        let field = |range: Range<usize>| &header[range];
        if field(8..12) != VERSION.to_le_bytes() {
            let message = format!("`{}` was written by a newer version of undo", self.path.display());
            return Err(Error::new(ErrorKind::Unsupported, message).hint("update undo, then run the command again"));
        }
        if field(12..20) != self.number.to_le_bytes() {
            return Err(self.damaged(12, "the number of another segment"));
        }
        Ok(())
    }

    /// Drops the bytes from this offset on, which were written later than the requested state.
    pub fn truncate(&mut self, length: u64) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length <= self.bytes.len() {
            self.unreadable = None;
        }
        self.bytes.truncate(length);
    }

    /// The checkpoint.
    pub fn begins_with(&self) -> Result<State> {
        self.checkpoint().map(|(state, _)| state)
    }

    /// The checkpoint and the offset of its end.
    fn checkpoint(&self) -> Result<(State, usize)> {
        let Frame::Record { kind, payload, end } = frame::read(&self.bytes, HEADER) else {
            return Err(self.damaged(HEADER, "no checkpoint"));
        };
        match Record::decode(kind, payload).map_err(|error| self.located(error, HEADER))? {
            Record::Checkpoint(state) => Ok((state, end)),
            _ => Err(self.damaged(HEADER, "no checkpoint")),
        }
    }

    /// Applies all records to the checkpoint. Fails if the checkpoint is not valid.
    pub fn replay(&self) -> Result<Loaded> {
        let (mut state, checkpoint) = self.checkpoint()?;
        let mut length = checkpoint;
        let damage = match self.apply_records(&mut state, &mut length) {
            Ok(()) => self.header_damage.map(|why| self.damaged(0, why)),
            Err(error) if error.kind() == ErrorKind::Unsupported => return Err(error),
            Err(error) => Some(error),
        };
        let [length, size, checkpoint] = [length, self.bytes.len(), checkpoint].map(|bytes| bytes as u64);
        Ok(Loaded { state, end: End { segment: self.number, length, size, checkpoint }, damage })
    }

    /// Applies the records from offset `at` on, and advances `at` beyond each.
    fn apply_records(&self, state: &mut State, at: &mut usize) -> Result<()> {
        while let Some((kind, payload)) = self.record(*at)? {
            let record = Record::decode(kind, &self.bytes[payload.clone()]);
            record.and_then(|record| record.apply(state)).map_err(|error| self.located(error, *at))?;
            *at = payload.end + frame::CHECKSUM;
        }
        Ok(())
    }

    /// Payloads of all operations, oldest first, not decoded. Fails if a record cannot be read.
    pub fn operations(&self) -> Result<Vec<Range<usize>>> {
        let (mut payloads, mut at) = (Vec::new(), HEADER);
        while let Some((kind, payload)) = self.record(at)? {
            at = payload.end + frame::CHECKSUM;
            payloads.extend((kind == OPERATION).then_some(payload));
        }
        Ok(payloads)
    }

    /// Packs that other packs have replaced. Fails if a record cannot be read.
    pub fn replaced_packs(&self) -> Result<Vec<PackId>> {
        let (mut packs, mut at) = (Vec::new(), HEADER);
        while let Some((kind, payload)) = self.record(at)? {
            at = payload.end + frame::CHECKSUM;
            if kind == PACKS
                && let Record::Packs { removed, .. } = Record::decode(kind, &self.bytes[payload])?
            {
                packs.extend(removed);
            }
        }
        Ok(packs)
    }

    /// Kind and payload of the record at an offset; `None` at the end. Fails if the bytes there are damaged or unreadable.
    fn record(&self, at: usize) -> Result<Option<(u8, Range<usize>)>> {
        match frame::read(&self.bytes, at) {
            Frame::End | Frame::Torn if self.unreadable.is_some() => Err(self.damaged(at, "truncated")),
            Frame::End | Frame::Torn => Ok(None),
            Frame::Damaged(why) => Err(self.damaged(at, why)),
            Frame::Record { kind, payload, end } => {
                let end = end - frame::CHECKSUM;
                Ok(Some((kind, end - payload.len()..end)))
            }
        }
    }

    /// Decodes an operation.
    pub fn operation(&self, payload: Range<usize>) -> Result<(OperationId, Operation)> {
        let at = payload.start - frame::HEADER;
        match Record::decode(OPERATION, &self.bytes[payload]).map_err(|error| self.located(error, at))? {
            Record::Operation { id, operation, .. } => Ok((id, operation)),
            _ => Err(self.damaged(at, "no operation")),
        }
    }

    fn damaged(&self, at: usize, why: &str) -> Error {
        match &self.unreadable {
            Some(error) => Error::damaged(error.to_string()).hint(FROM_BACKUP),
            None => self.located(Error::damaged(why).hint(FROM_BACKUP), at),
        }
    }

    fn located(&self, error: Error, at: usize) -> Error {
        error.context(format!("`{}` is damaged at byte {at}", self.path.display()))
    }
}
