//! A new pack: collected in memory, spilled to a file in `tmp/`, sealed with its table, flushed, and renamed into
//! place.
//!
//! A file is renamed only after its bytes are durable, and its id is returned only after its directory is durable
//! (`docs/format.md`, "Write order").

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::format::{self, Frame, PackType, Record};
use super::{LONG_FRAME, path_of};
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, TempFile};
use crate::id::PackId;

/// Number of bytes kept in memory before a file is created, so that small packs of several threads can be combined.
const SPILL: usize = 2 << 20;

/// Largest memory page of any system: no page is modified while it is being written to the disk.
const PAGE: usize = 64 << 10;

/// Creates a file in `tmp/` below the repository folder; `what` begins its name.
pub fn stage(directory: &Path, what: &str) -> Result<TempFile> {
    stage_in(&directory.join("tmp"), what)
}

fn stage_in(folder: &Path, what: &str) -> Result<TempFile> {
    match TempFile::beside(&folder.join(what)) {
        Err(error) if error.is_not_found() => {
            fs::create_dir_private(folder)?;
            TempFile::beside(&folder.join(what))
        }
        result => result,
    }
}

/// The frames of a new pack.
pub struct Builder {
    /// Folder of the file.
    folder: PathBuf,
    file: Option<TempFile>,
    /// Bytes that are not in the file yet.
    buffer: Vec<u8>,
    /// Bytes of long frames, each with one object.
    long: usize,
    /// Bytes in the file.
    written: u64,
    frames: Vec<Frame>,
    records: Vec<Record>,
}

/// A complete pack that is not renamed into place yet.
pub struct Sealed {
    /// Id of the pack.
    pub id: PackId,
    /// Bytes that it takes on disk.
    pub bytes: u64,
    /// The staged file.
    pub(in crate::store) file: TempFile,
}

impl Builder {
    /// Creates an empty pack, whose file will be staged in `tmp/` below the repository folder. Creates no file until
    /// enough is added.
    pub fn new(directory: &Path) -> Builder {
        Builder::staged_in(directory.join("tmp"))
    }

    /// Like [`Builder::new`], for a file in another folder.
    pub fn staged_in(folder: PathBuf) -> Builder {
        Builder { folder, file: None, buffer: Vec::new(), long: 0, written: 0, frames: Vec::new(), records: Vec::new() }
    }

    /// Size of header and frames so far, in bytes.
    pub fn size(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Number of objects so far.
    pub fn objects(&self) -> usize {
        self.records.len()
    }

    /// Whether no frame was added.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether no file was created yet.
    pub fn is_in_memory(&self) -> bool {
        self.file.is_none()
    }

    /// Adds a frame with its objects, and sets its offset.
    pub fn push(&mut self, frame: Frame, bytes: &[u8], records: impl IntoIterator<Item = Record>) -> Result<()> {
        if self.size() == 0 {
            self.buffer.extend_from_slice(&format::encode_header());
        }
        let number = self.frames.len() as u32;
        self.frames.push(Frame { offset: self.size(), stored: bytes.len() as u32, ..frame });
        let before = self.records.len();
        self.records.extend(records.into_iter().map(|record| Record { frame_number: number, ..record }));
        self.buffer.extend_from_slice(bytes);
        if bytes.len() >= LONG_FRAME && self.records.len() == before + 1 {
            self.long += bytes.len();
        }
        if self.buffer.len() >= SPILL { self.spill(self.buffer.len() / PAGE * PAGE) } else { Ok(()) }
    }

    /// Adds all frames of another pack that is still in memory.
    pub fn absorb(&mut self, other: &Builder) -> Result<()> {
        let mut records = other.records.clone();
        records.sort_by_key(|record| record.frame_number);
        let mut rest = &records[..];
        for (number, frame) in other.frames.iter().enumerate() {
            let count = rest.partition_point(|record| record.frame_number == number as u32);
            let (these, others) = rest.split_at(count);
            let bytes = &other.buffer[frame.offset as usize..][..frame.stored as usize];
            self.push(*frame, bytes, these.iter().copied())?;
            rest = others;
        }
        Ok(())
    }

    /// Writes `length` bytes of the buffer.
    fn spill(&mut self, length: usize) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(stage_in(&self.folder, "pack")?),
        };
        let is_long = self.long > self.buffer.len() / 2;
        let write = if is_long { fs::write_all_uncached_at } else { fs::write_all_at };
        write(file.file(), &self.buffer[..length], self.written)?;
        self.written += length as u64;
        self.buffer.drain(..length);
        self.long = 0;
        Ok(())
    }

    /// Writes table and footer. The id of the pack is one that is not taken.
    pub fn seal(mut self, is_taken: &dyn Fn(PackId) -> bool) -> Result<Sealed> {
        let end = self.size();
        let (id, tail) = format::encode_tail(PackType::Plain, &mut self.frames, &mut self.records, end, is_taken);
        self.buffer.extend_from_slice(&tail);
        self.spill(self.buffer.len())?;
        let file = self.file.take().expect("a spill makes the file");
        Ok(Sealed { id, bytes: self.written, file })
    }
}

impl Sealed {
    /// Flushes the file.
    pub fn sync(&mut self, durability: Durability) -> Result<()> {
        self.file.sync(durability)
    }
}

/// Renames durable packs into place and makes their names durable.
pub fn publish(directory: &Path, packs: Vec<Sealed>, durability: Durability) -> Result<()> {
    let mut touched = BTreeSet::new();
    for pack in packs {
        let path = path_of(directory, pack.id);
        let folder = path.parent().expect("a pack lies in a folder");
        // A process that was stopped before the next two lines may have left an empty directory.
        if touched.insert(folder.to_owned()) && fs::list(folder)?.is_empty() {
            fs::create_dir_private(folder)?;
            fs::sync_dir(&directory.join("packs"), durability)?;
            fs::sync_dir(directory, durability)?;
        }
        pack.file.rename(&path).map_err(|error| match error.is_not_found() {
            // Only the holder of the lock deletes staged files.
            true => Error::new(ErrorKind::Locked, "another command has taken the lock while this one was running")
                .with_source(error)
                .hint("run the command again"),
            false => error,
        })?;
    }
    touched.iter().try_for_each(|folder| fs::sync_dir(folder, durability))
}
