//! A new pack: gathered in memory, spilled to a file in `tmp/`, sealed with its table, flushed, and given its name.
//!
//! The order is the promise: nothing has its name before its bytes are durable, and no name is told before its directory
//! is durable too (`docs/format.md`, "Write order").

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::format::{self, Footer, Frame, Record, Sort};
use super::{LONG_FRAME, path_of};
use crate::environment::Durability;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, TempFile};
use crate::id::PackId;

/// Bytes kept in memory before they go to the file, so that a small pack of one thread can still join another's.
const SPILL: usize = 2 << 20;

/// The longest page of memory that systems have: no page is written to again while it is on its way to the disk.
const PAGE: usize = 64 << 10;

/// A new file in `tmp/` below the repository folder, to be `what`.
pub fn stage(directory: &Path, what: &str) -> Result<TempFile> {
    let tmp = directory.join("tmp");
    match TempFile::beside(&tmp.join(what)) {
        Err(error) if error.is_not_found() => {
            fs::create_dir_private(&tmp)?;
            TempFile::beside(&tmp.join(what))
        }
        result => result,
    }
}

/// Frames on their way into one pack.
pub struct Builder {
    directory: PathBuf,
    file: Option<TempFile>,
    /// Not yet in the file.
    buffer: Vec<u8>,
    /// Bytes in it of long frames that are one object each.
    long: usize,
    /// Bytes in the file.
    written: u64,
    frames: Vec<Frame>,
    records: Vec<Record>,
}

/// A whole pack that has no name yet.
pub struct Sealed {
    /// What its name will be.
    pub id: PackId,
    /// Bytes that it takes on disk anew.
    pub bytes: u64,
    /// Its file.
    pub(in crate::store) file: TempFile,
}

impl Builder {
    /// A pack for this repository folder; nothing is written before there is much.
    pub fn new(directory: &Path) -> Builder {
        Builder {
            directory: directory.to_owned(),
            file: None,
            buffer: Vec::new(),
            long: 0,
            written: 0,
            frames: Vec::new(),
            records: Vec::new(),
        }
    }

    /// Bytes of its header and frames so far.
    pub fn size(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Number of objects so far.
    pub fn objects(&self) -> usize {
        self.records.len()
    }

    /// Whether nothing was put in.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether no file was made for it.
    pub fn is_in_memory(&self) -> bool {
        self.file.is_none()
    }

    /// Adds a frame and what is in it; where the frame comes to lie is found here.
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

    /// Adds all frames of another one that is still in memory.
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

    /// Writes so much of what is in the buffer.
    fn spill(&mut self, length: usize) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(stage(&self.directory, "pack")?),
        };
        let is_long = self.long > self.buffer.len() / 2;
        let write = if is_long { fs::write_all_uncached_at } else { fs::write_all_at };
        write(file.file(), &self.buffer[..length], self.written)?;
        self.written += length as u64;
        self.buffer.drain(..length);
        self.long = 0;
        Ok(())
    }

    /// Writes table and footer.
    pub fn seal(mut self) -> Result<Sealed> {
        let table = format::encode_table(Sort::Plain, &self.frames, &mut self.records);
        let id = format::id_of_table(&table);
        let footer = Footer { table: self.size(), length: table.len() as u64, id };
        let footer = footer.encode(self.frames.len() as u32, self.records.len() as u32);
        self.buffer.extend_from_slice(&table);
        self.buffer.extend_from_slice(&footer);
        self.spill(self.buffer.len())?;
        let file = self.file.take().expect("a spill makes the file");
        Ok(Sealed { id, bytes: self.written, file })
    }
}

impl Sealed {
    /// Makes its bytes durable.
    pub fn sync(&mut self, durability: Durability) -> Result<()> {
        self.file.sync(durability)
    }
}

/// Gives packs that are durable their names, and makes the names durable.
pub fn publish(directory: &Path, packs: Vec<Sealed>, durability: Durability) -> Result<()> {
    let mut touched = BTreeSet::new();
    for pack in packs {
        let path = path_of(directory, pack.id);
        let folder = path.parent().expect("a pack lies in a folder");
        // An empty one may have been made by a process that was stopped before the next two lines.
        if touched.insert(folder.to_owned()) && fs::list(folder)?.is_empty() {
            fs::create_dir_private(folder)?;
            fs::sync_dir(&directory.join("packs"), durability)?;
            fs::sync_dir(directory, durability)?;
        }
        pack.file.rename(&path).map_err(|error| match error.is_not_found() {
            // Only the holder of the lock removes staged files.
            true => Error::new(ErrorKind::Locked, "another command has taken the lock while this one was running")
                .with_source(error)
                .hint("run the command again"),
            false => error,
        })?;
    }
    touched.iter().try_for_each(|folder| fs::sync_dir(folder, durability))
}
