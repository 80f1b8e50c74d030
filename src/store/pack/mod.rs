//! One pack file: opened on first use, and verified before its content is trusted.
//!
//! The file is read, not mapped: an unreadable sector becomes an error that names the pack.

pub mod file;
pub mod format;
mod frame_reader;
mod read_window;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::PackId;
use crate::store::cache;
use crate::store::mask::PackMask;

pub use format::{Footer, Frame, PackType, Record, Table};
pub use frame_reader::FrameReader;
pub use read_window::ReadWindow;

/// Frames of at least this size need not stay in the page cache: a disk reads them about as fast as they are decoded.
const LONG_FRAME: usize = 32 << 10;

/// Position of an object. In sorted order, packs are read from front to back and each frame
/// is decoded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Index of the pack in the store.
    pub pack: u32,
    /// The frame, with level 0 and only the first four bytes of the checksum, which the catalog contains.
    pub frame: Frame,
    /// Offset of the object in the decoded frame.
    pub offset: u32,
    /// Size of the object in bytes.
    pub length: u32,
    /// Number of the object in the pack's table.
    pub record: u32,
}

impl Location {
    /// The position of an object: record `n` of the table of `pack`.
    pub fn new(pack: u32, table: &Table<'_>, n: usize) -> Location {
        let record = table.record(n);
        let frame = table.frame(record.frame_number);
        let [a, b, c, d, ..] = frame.checksum;
        let frame = Frame { level: 0, checksum: [a, b, c, d, 0, 0, 0, 0], ..frame };
        Location { pack, frame, offset: record.offset, length: record.length, record: n as u32 }
    }

    /// The known part of the frame's checksum.
    pub fn checksum(&self) -> &[u8] {
        &self.frame.checksum[..4]
    }

    /// The cache key of the frame.
    pub fn key(&self) -> cache::Key {
        (self.pack, self.frame)
    }
}

/// Hint for damage, which rarely affects more than a few objects.
pub const OTHERS_ARE_WHOLE: &str = "what does not need it is still readable: see `undo log`";

/// A pack of a store.
pub struct Pack {
    /// Id of the pack.
    pub id: PackId,
    path: PathBuf,
    opened: OnceLock<Result<Opened>>,
    /// Verified table.
    table: OnceLock<Result<Vec<u8>>>,
    /// Objects that are hidden.
    hidden: Option<Arc<PackMask>>,
}

/// An open pack with a valid footer.
struct Opened {
    footer: Footer,
    /// Size of the file in bytes.
    size: u64,
    /// For a held pack: the end of its file, which for a small pack is the whole file.
    tail: Vec<u8>,
    /// For a held pack that other processes may merge and delete: an open file stays readable. Not for every pack,
    /// because a process may have far fewer open files than there are packs.
    file: Option<File>,
}

/// Number of bytes read at once from a held pack. Most small packs and most tables are shorter.
const TAIL: u64 = 64 << 10;

/// Path of a pack below the repository folder.
pub fn path_of(directory: &Path, id: PackId) -> PathBuf {
    let name = id.to_string();
    directory.join("packs").join(&name[..2]).join(name)
}

impl Pack {
    /// Creates a pack that is opened on first use. `hidden` has the hidden objects.
    pub fn new(directory: &Path, id: PackId, hidden: Option<Arc<PackMask>>) -> Pack {
        Pack { id, path: path_of(directory, id), opened: OnceLock::new(), table: OnceLock::new(), hidden }
    }

    /// Whether record `n` of the table is hidden: lookups do not find the object.
    pub fn is_hidden(&self, n: u32) -> bool {
        self.hidden.as_ref().is_some_and(|hidden| hidden.is_hidden(n))
    }

    /// Whether any object is hidden.
    pub fn has_hidden(&self) -> bool {
        self.hidden.is_some()
    }

    /// The objects that are not hidden, with their numbers in the table.
    pub fn visible(&self) -> Result<impl Iterator<Item = (u32, Record)> + '_> {
        Ok((0..).zip(self.table()?.records()).filter(|(n, _)| !self.is_hidden(*n)))
    }

    /// The error for damage that was found when the pack was opened.
    pub fn damaged(&self, why: impl std::fmt::Display) -> Error {
        Error::damaged(format!("pack `{}` is damaged: {why}", self.path.display())).hint(OTHERS_ARE_WHOLE)
    }

    /// Fails if the file cannot be opened or its footer is damaged.
    pub fn check_footer(&self) -> Result<()> {
        self.opened().map(drop)
    }

    /// Opens the pack so that it stays readable if another process merges and removes it.
    pub fn hold(&self) {
        // A failure is kept, and reported if an object is missing.
        let _ = self.opened.get_or_init(|| self.open(true));
    }

    /// Size on disk in bytes.
    pub fn size(&self) -> Result<u64> {
        Ok(self.opened()?.size)
    }

    /// Whether this is a reflink pack, for estimates: the table is neither read whole nor verified.
    pub fn seems_reflinked(&self) -> Result<bool> {
        let mut kind = [0];
        self.read(&mut kind, self.opened()?.footer.table + format::TYPE_OFFSET)?;
        Ok(kind[0] == PackType::Reflinked as u8)
    }

    /// The table, read and verified on first use.
    pub fn table(&self) -> Result<Table<'_>> {
        Table::of(self.table.get_or_init(|| self.read_table()).as_ref().map_err(Error::copy)?)
    }

    /// The share of objects in the stored bytes of their frames: for each frame, rounded down.
    pub fn bytes_of(&self, is_counted: impl Fn(u32) -> bool) -> Result<u64> {
        let table = self.table()?;
        let mut raw = vec![0u64; table.frame_count() as usize];
        for (n, record) in (0..).zip(table.records()) {
            raw[record.frame_number as usize] += if is_counted(n) { u64::from(record.length) } else { 0 };
        }
        let share = |(n, raw): (u32, &u64)| {
            let frame = table.frame(n);
            raw * u64::from(frame.stored) / u64::from(frame.raw).max(1)
        };
        Ok((0..).zip(&raw).map(share).sum())
    }

    /// The share of each object in the stored bytes of its frame, rounded down.
    pub fn record_bytes(&self) -> Result<Vec<u32>> {
        let table = self.table()?;
        let share = |record: Record| {
            let frame = table.frame(record.frame_number);
            (u64::from(record.length) * u64::from(frame.stored) / u64::from(frame.raw).max(1)) as u32
        };
        Ok(table.records().map(share).collect())
    }

    /// Offset of the table: the size of header and frames in bytes.
    pub fn data_length(&self) -> Result<u64> {
        Ok(self.opened()?.footer.table)
    }

    /// The open file.
    pub fn file(&self) -> Result<File> {
        fs::open(&self.path)
    }

    /// Fills a buffer from this offset of the file.
    pub fn read(&self, buffer: &mut [u8], start: u64) -> Result<()> {
        let opened = self.opened()?;
        if let Some(at) = start.checked_sub(opened.size - opened.tail.len() as u64)
            && let Some(bytes) = opened.tail.get(at as usize..).and_then(|rest| rest.get(..buffer.len()))
        {
            buffer.copy_from_slice(bytes);
            return Ok(());
        }
        let read = if buffer.len() < LONG_FRAME { fs::read_exact_at } else { fs::read_exact_uncached_at };
        match &opened.file {
            Some(file) => read(file, buffer, start),
            None => read(&self.open_file()?, buffer, start),
        }
        .map_err(with_hint)
    }

    fn opened(&self) -> Result<&Opened> {
        self.opened.get_or_init(|| self.open(false)).as_ref().map_err(Error::copy)
    }

    fn open(&self, holds: bool) -> Result<Opened> {
        let file = self.open_file()?;
        let size = fs::stat_file(&file)?.size;
        let length = size.min(if holds { TAIL } else { format::FOOTER as u64 });
        let mut tail = vec![0; length as usize];
        fs::read_exact_at(&file, &mut tail, size - length).map_err(with_hint)?;
        let footer = Footer::decode(&tail, size).map_err(|error| self.named(error))?;
        if footer.id != self.id {
            return Err(self.damaged("it is another pack"));
        }
        if !holds {
            return Ok(Opened { footer, size, tail: Vec::new(), file: None });
        }
        let is_kept = size > TAIL && fs::may_keep_files_open();
        Ok(Opened { footer, size, tail, file: is_kept.then_some(file) })
    }

    fn open_file(&self) -> Result<File> {
        fs::open(&self.path).map_err(|error| match error.is_not_found() {
            true => Error::damaged(format!("pack `{}` is missing", self.path.display())).hint(OTHERS_ARE_WHOLE),
            false => with_hint(error),
        })
    }

    fn read_table(&self) -> Result<Vec<u8>> {
        let footer = self.opened()?.footer;
        let mut bytes = vec![0; footer.length as usize];
        self.read(&mut bytes, footer.table)?;
        if format::id_of_table(&bytes) != footer.id {
            return Err(self.damaged("its table does not match its name"));
        }
        let check_mask = |table: Table<'_>| match &self.hidden {
            Some(hidden) if hidden.records() as usize != table.len() => Err(Error::damaged("the mask does not fit it")),
            _ => table.check(footer.table),
        };
        let checked = Table::of(&bytes).and_then(check_mask);
        checked.map_err(|error| self.named(error)).map(|()| bytes)
    }

    /// An error about the content of the pack. Names the file.
    fn named(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Damaged => self.damaged(error),
            _ => error.context(format_args!("cannot read pack `{}`", self.path.display())),
        }
    }
}

/// Adds the hint for damaged packs.
fn with_hint(error: Error) -> Error {
    if error.kind() == ErrorKind::Damaged { error.hint(OTHERS_ARE_WHOLE) } else { error }
}
