//! One pack file: opened when it is first needed, mapped, and checked before anything in it is believed.

pub mod file;
pub mod format;
mod stretch;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Map};
use crate::id::PackId;
use crate::store::cache;
use crate::store::compress::Codec;

pub use format::{Footer, Frame, Record, Sort, Table};
pub use stretch::Stretch;

/// From so many bytes on, frames need not stay in the cache: a disk gives them about as quickly as they are decoded.
const LONG_FRAME: usize = 32 << 10;

/// Where an object lies and how it is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of the store's packs.
    pub pack: u32,
    /// Where its frame begins in the file.
    pub frame: u64,
    /// Bytes of the frame in the file.
    pub stored: u32,
    /// Bytes of the frame when decoded.
    pub raw: u32,
    /// How the frame is compressed.
    pub codec: Codec,
    /// The first bytes of the frame's checksum.
    pub checksum: [u8; 4],
    /// Where the object begins in the decoded frame.
    pub offset: u32,
    /// Its bytes.
    pub length: u32,
}

impl Place {
    /// Of an object in a frame.
    pub fn new(pack: u32, frame: &Frame, record: &Record) -> Place {
        let [a, b, c, d, ..] = frame.checksum;
        Place {
            pack,
            frame: frame.offset,
            stored: frame.stored,
            raw: frame.raw,
            codec: frame.codec,
            checksum: [a, b, c, d],
            offset: record.offset,
            length: record.length,
        }
    }

    /// What its frame is decoded by.
    pub fn key(&self) -> cache::Key {
        (self.pack, self.frame, self.stored, self.raw, self.codec as u8)
    }
}

/// What to do about damage: it is seldom everywhere.
pub const OTHERS_ARE_WHOLE: &str = "what does not need it is still readable: see `undo log`";

/// A failure that is kept, to be told as often as somebody asks. The system's error is not: it would pass for one of the
/// file in the worktree that the store was asked for.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: ErrorKind,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// Keeps it.
    pub fn of(error: &Error) -> Failure {
        Failure { kind: error.kind(), message: error.to_string(), hint: error.hint_text().map(str::to_owned) }
    }

    /// Tells it.
    pub fn error(&self) -> Error {
        let error = Error::new(self.kind, self.message.clone());
        match &self.hint {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        }
    }
}

/// A pack of the store's set.
pub struct Pack {
    /// Its name.
    pub id: PackId,
    path: PathBuf,
    opened: OnceLock<Result<Opened, Failure>>,
    /// Whether the table was checked, and what came of it.
    checked: OnceLock<Result<(), Failure>>,
}

/// A pack whose footer is sound.
struct Opened {
    /// For the footer and the table. A map needs no open file, of which a process may have far fewer than there are packs.
    map: Map,
    footer: Footer,
}

/// Where a pack of this name is, below the repository folder.
pub fn path_of(directory: &Path, id: PackId) -> PathBuf {
    let name = id.to_string();
    directory.join("packs").join(&name[..2]).join(name)
}

impl Pack {
    /// A pack that nothing is read from yet.
    pub fn new(directory: &Path, id: PackId) -> Pack {
        Pack { id, path: path_of(directory, id), opened: OnceLock::new(), checked: OnceLock::new() }
    }

    /// The failure that names it.
    pub fn damaged(&self, why: impl std::fmt::Display) -> Error {
        Error::damaged(format!("pack `{}` is damaged: {why}", self.path.display())).hint(OTHERS_ARE_WHOLE)
    }

    /// The whole file, after a look at its footer.
    pub fn bytes(&self) -> Result<&[u8]> {
        Ok(&self.opened()?.map)
    }

    /// Its bytes on disk.
    pub fn size(&self) -> Result<u64> {
        Ok(self.bytes()?.len() as u64)
    }

    /// Its table, which is checked once.
    pub fn table(&self) -> Result<Table<'_>> {
        let opened = self.opened()?;
        let bytes = &opened.map[opened.footer.table as usize..][..opened.footer.length as usize];
        let checked = self
            .checked
            .get_or_init(|| check_table(bytes, &opened.footer).map_err(|error| Failure::of(&self.named(error))));
        checked.as_ref().map_err(Failure::error)?;
        Table::of(bytes)
    }

    /// Bytes of its frames, and of its header if it has one: what lies before the table.
    pub fn data_length(&self) -> Result<u64> {
        Ok(self.opened()?.footer.table)
    }

    /// Its file, to be read from.
    pub fn file(&self) -> Result<File> {
        fs::open(&self.path)
    }

    fn opened(&self) -> Result<&Opened> {
        self.opened.get_or_init(|| self.open().map_err(|error| Failure::of(&error))).as_ref().map_err(Failure::error)
    }

    fn open(&self) -> Result<Opened> {
        let file = fs::open(&self.path).map_err(|error| match error.is_not_found() {
            true => Error::damaged(format!("pack `{}` is missing", self.path.display())).hint(OTHERS_ARE_WHOLE),
            false => error,
        })?;
        let map = Map::of(&file)?;
        let footer = Footer::decode(&map).map_err(|error| self.named(error))?;
        if footer.id != self.id {
            return Err(self.damaged("it is another pack"));
        }
        Ok(Opened { map, footer })
    }

    /// A failure of its bytes, with the name of the file.
    fn named(&self, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Damaged => self.damaged(error),
            _ => error.context(format_args!("cannot read pack `{}`", self.path.display())),
        }
    }
}

fn check_table(bytes: &[u8], footer: &Footer) -> Result<()> {
    if format::id_of_table(bytes) != footer.id {
        return Err(Error::damaged("its table is not the one that it is named by"));
    }
    Table::of(bytes)?.check(footer.table)
}
