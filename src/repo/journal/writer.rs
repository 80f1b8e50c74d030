//! Appends to the journal: one write and one flush. Starts a new segment when the current one is long.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::record::Record;
use super::state::State;
use super::{End, segment};
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;

/// Maximum number of bytes after the checkpoint of a segment. Opening a repository reads them.
pub const SEGMENT: u64 = 256 << 10;

/// The end of the journal, open for writing. Its owner holds the lock.
pub struct Writer {
    directory: PathBuf,
    file: File,
    end: End,
    durability: Durability,
    /// A write or a flush has failed. The content of the disk is unknown, so nothing more is written.
    has_failed: bool,
}

impl Writer {
    /// Opens the newest segment.
    pub fn open(directory: &Path, end: End, durability: Durability) -> Result<Writer> {
        let file = open_at(directory, &end)?;
        if end.length == end.checkpoint {
            // The process that created the segment may have been stopped before it flushed the directory.
            fs::sync_dir(directory, durability)?;
        }
        Ok(Writer { directory: directory.to_owned(), file, end, durability, has_failed: false })
    }

    /// Starts a new segment if the current one is long. `state` is the state after the last record.
    pub fn roll_if_long(&mut self, state: &State) -> Result<()> {
        let since = self.end.length - self.end.checkpoint;
        if since >= SEGMENT.max(2 * self.end.checkpoint) && !self.has_failed { self.roll(state) } else { Ok(()) }
    }

    /// Appends records in one write, durable on return. If the disk is full, calls `make_space` once and tries again.
    pub fn append<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r Record>,
        make_space: impl FnOnce() -> bool,
    ) -> Result<End> {
        self.append_with(records, self.durability, make_space)
    }

    /// Like [`Writer::append`], but the records become durable with the next ones that are flushed.
    pub fn append_unflushed<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r Record>,
        make_space: impl FnOnce() -> bool,
    ) -> Result<End> {
        self.append_with(records, Durability::NoSync, make_space)
    }

    fn append_with<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r Record>,
        durability: Durability,
        make_space: impl FnOnce() -> bool,
    ) -> Result<End> {
        if self.has_failed {
            return Err(Error::new(ErrorKind::Io, "the journal cannot be written after a failure")
                .hint("run the command again"));
        }
        self.check_end()?;
        let bytes: Vec<u8> = records.into_iter().flat_map(Record::encode).collect();
        match self.write(&bytes, durability, make_space) {
            Ok(()) => {
                self.end.length += bytes.len() as u64;
                self.end.size = self.end.length;
                Ok(self.end)
            }
            Err(error) => {
                self.has_failed = true;
                // Unacknowledged records must not appear later. If truncating fails too, their checksums decide.
                let _ = fs::set_len(&self.file, self.end.length);
                Err(error.context("cannot record the operation"))
            }
        }
    }

    fn write(&self, bytes: &[u8], durability: Durability, make_space: impl FnOnce() -> bool) -> Result<()> {
        if self.end.size > self.end.length {
            // A torn write.
            fs::set_len(&self.file, self.end.length)?;
        }
        match fs::write_all_at(&self.file, bytes, self.end.length) {
            Err(error) if error.kind() == ErrorKind::NoSpace && make_space() => {
                fs::set_len(&self.file, self.end.length)?;
                fs::write_all_at(&self.file, bytes, self.end.length)?;
            }
            written => written?,
        }
        fs::sync_data(&self.file, durability)
    }

    /// Fails with [`ErrorKind::Locked`] unless the journal still ends where it did when it was last read or written: a
    /// process that lost the lock must not overwrite what the next holder recorded. Opens the file again, because some
    /// network file systems query the server for its size only on open.
    fn check_end(&self) -> Result<()> {
        let path = segment::path(&self.directory, self.end.segment);
        let size = fs::stat_file(&fs::open(&path)?)?.size;
        if size == self.end.size && !self.has_next()? {
            return Ok(());
        }
        let message =
            format!("another command has written to the journal `{}` while this one was running", path.display());
        Err(Error::new(ErrorKind::Locked, message).hint("run the command again"))
    }

    fn has_next(&self) -> Result<bool> {
        fs::exists(&segment::path(&self.directory, self.end.segment + 1))
    }

    /// Starts a new segment with a checkpoint. If the disk is full, keeps the current one.
    fn roll(&mut self, state: &State) -> Result<()> {
        self.check_end()?;
        match create(&self.directory, self.end.segment + 1, state, self.durability) {
            Ok(end) => {
                self.file = open_at(&self.directory, &end)?;
                self.end = end;
                Ok(())
            }
            // An existing next segment would be read first, without the records that are appended here.
            Err(error) if error.kind() == ErrorKind::NoSpace && !self.has_next().unwrap_or(true) => Ok(()),
            Err(error) => {
                self.has_failed = true;
                Err(error)
            }
        }
    }
}

fn open_at(directory: &Path, end: &End) -> Result<File> {
    fs::open_to_write(&segment::path(directory, end.segment))
}

/// Creates a segment that begins with `state`. Atomic, and durable on return.
pub fn create(directory: &Path, number: u64, state: &State, durability: Durability) -> Result<End> {
    let bytes = segment::encode(number, state);
    fs::write_atomic(&segment::path(directory, number), [&bytes], durability)?;
    let length = bytes.len() as u64;
    Ok(End { segment: number, length, size: length, checkpoint: length })
}

#[cfg(test)]
impl Writer {
    /// One that writes to another file than the segment.
    pub fn onto(file: File, directory: &Path, end: End) -> Writer {
        Writer { directory: directory.to_owned(), file, end, durability: Durability::Synced, has_failed: false }
    }
}
