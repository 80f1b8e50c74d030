//! Files mapped into memory.

use std::fs::File;
use std::io::ErrorKind as Cause;
use std::path::Path;

use crate::error::{Error, Result};

/// A file of the repository, mapped read-only. Only immutable or atomically replaced files are mapped.
#[derive(Debug)]
pub struct Map {
    /// `None` for an empty file: the system maps at least one byte.
    bytes: Option<memmap2::Mmap>,
}

impl Map {
    /// Maps a whole file; `None` if it is not there.
    pub fn open(path: &Path) -> Result<Option<Map>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(cause) if matches!(cause.kind(), Cause::NotFound | Cause::NotADirectory) => return Ok(None),
            Err(cause) => return Err(Error::io("open", path, cause)),
        };
        Map::of(&file).map(Some)
    }

    /// Maps a whole open file, as long as it is now.
    pub fn of(file: &File) -> Result<Map> {
        if super::stat_file(file)?.size == 0 {
            return Ok(Map { bytes: None });
        }
        // SAFETY: the bytes must not change while they are mapped. Packs are never written after they have their name,
        // catalog and index are replaced by rename, and `.undo` belongs to this program alone (mode 0700). Whoever
        // cuts such a file by hand ends the program with a signal, and nothing is lost: the map is read-only.
        #[expect(unsafe_code, reason = "a memory map has no safe form")]
        let mapped = unsafe { memmap2::Mmap::map(file) };
        let bytes = mapped.map_err(|cause| super::handle::failed("map", file, cause))?;
        Ok(Map { bytes: Some(bytes) })
    }

    /// Lets go of the memory that reading it took: what is asked for again comes from the system's cache.
    pub fn release(&self) {
        let Some(bytes) = &self.bytes else { return };
        // SAFETY: of a shared map of a file, which nobody writes to through it, only the way to the pages is forgotten: the
        // same bytes are found when they are asked for.
        #[expect(unsafe_code, reason = "other kinds of maps would lose what was written to them")]
        let released = unsafe { bytes.unchecked_advise(memmap2::UncheckedAdvice::DontNeed) };
        // It is advice: without it more memory is in use, and nothing else.
        drop(released);
    }
}

impl std::ops::Deref for Map {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or_default()
    }
}
