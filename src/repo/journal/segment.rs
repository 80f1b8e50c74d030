//! A segment of the journal: a file with a header, a checkpoint, and the records since.
//!
//! ```text
//! magic "undojrnl" | version u32 | number u64 | check 4 bytes | records
//! ```
//! `check` begins the BLAKE3 hash of the twenty bytes before it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::frame::{self, Frame};
use super::record::{OPERATION, Record};
use super::state::State;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::OperationId;
use crate::object::Operation;

const MAGIC: &[u8; 8] = b"undojrnl";
const VERSION: u32 = 1;
const HEADER: usize = 24;

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

fn file_name(number: u64) -> String {
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

/// A segment in memory.
pub struct Segment {
    path: PathBuf,
    bytes: Vec<u8>,
    /// Set if the header is damaged and the checkpoint is intact.
    header_damage: Option<&'static str>,
    /// The error that ended reading early.
    unreadable: Option<Error>,
}

/// Result of replaying a segment.
pub struct Replay {
    /// The state after the last valid record.
    pub state: State,
    /// Offset of the end of that record.
    pub length: u64,
    /// Size of the file in bytes.
    pub size: u64,
    /// Offset of the end of the checkpoint.
    pub checkpoint: u64,
    /// Damage after the last valid record.
    pub damage: Option<Error>,
}

impl Segment {
    /// Reads a segment. `None` if it does not exist.
    pub fn read(directory: &Path, number: u64) -> Result<Option<Segment>> {
        let path = path(directory, number);
        let Some((bytes, unreadable)) = fs::read_prefix(&path)? else { return Ok(None) };
        let mut segment = Segment { path, bytes, header_damage: None, unreadable };
        segment.check_header(number)?;
        Ok(Some(segment))
    }

    /// The file name has the same information as the header, so a valid checkpoint makes a damaged header harmless.
    fn check_header(&mut self, number: u64) -> Result<()> {
        let Some(header) = self.bytes.get(..HEADER) else { return Err(self.damaged(0, "truncated")) };
        if !header.starts_with(MAGIC) || blake3::hash(&header[..20]).as_bytes()[..4] != header[20..] {
            let why = "no journal header";
            if !matches!(frame::read(&self.bytes, HEADER), Frame::Record { .. }) {
                return Err(self.damaged(0, why));
            }
            self.header_damage = Some(why);
            return Ok(());
        }
        let field = |range: std::ops::Range<usize>| &header[range];
        if field(8..12) != VERSION.to_le_bytes() {
            let message = format!("`{}` was written by a newer version of undo", self.path.display());
            return Err(Error::new(ErrorKind::Unsupported, message).hint("update undo, then run the command again"));
        }
        if field(12..20) != number.to_le_bytes() {
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
    pub fn replay(&self) -> Result<Replay> {
        let (state, end) = self.checkpoint()?;
        let damage = self.header_damage.map(|why| self.damaged(0, why));
        let mut replay =
            Replay { state, length: end as u64, size: self.bytes.len() as u64, checkpoint: end as u64, damage };
        let mut at = end;
        loop {
            match frame::read(&self.bytes, at) {
                Frame::End | Frame::Torn => {
                    replay.damage = replay.damage.or(self.cut_short(at));
                    return Ok(replay);
                }
                Frame::Damaged(why) => {
                    replay.damage = Some(self.damaged(at, why));
                    return Ok(replay);
                }
                Frame::Record { kind, payload, end } => {
                    match Record::decode(kind, payload).and_then(|record| record.apply(&mut replay.state)) {
                        Ok(()) => at = end,
                        Err(error) if error.kind() == ErrorKind::Unsupported => return Err(self.located(error, at)),
                        Err(error) => {
                            replay.damage = Some(self.located(error, at));
                            return Ok(replay);
                        }
                    }
                    replay.length = end as u64;
                }
            }
        }
    }

    /// Payloads of all operations, oldest first, not decoded. Fails if a record cannot be read.
    pub fn operations(&self) -> Result<Vec<Range<usize>>> {
        let mut payloads = Vec::new();
        let mut at = HEADER;
        loop {
            match frame::read(&self.bytes, at) {
                Frame::End | Frame::Torn => return self.cut_short(at).map_or(Ok(payloads), Err),
                Frame::Damaged(why) => return Err(self.damaged(at, why)),
                Frame::Record { kind, payload, end } => {
                    if kind == OPERATION {
                        let end = end - frame::CHECKSUM;
                        payloads.push(end - payload.len()..end);
                    }
                    at = end;
                }
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

    /// An error if bytes after these could not be read.
    fn cut_short(&self, at: usize) -> Option<Error> {
        self.unreadable.as_ref().map(|_| self.damaged(at, "truncated"))
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
