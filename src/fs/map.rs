//! Files mapped into memory, and read at an offset.

use std::path::Path;

use crate::error::Result;

/// A file of the repository, mapped read-only. Only immutable or atomically replaced files are mapped.
#[derive(Debug)]
pub struct Map {}

impl Map {
    /// Maps a whole file; `None` if it is not there.
    pub fn open(path: &Path) -> Result<Option<Map>> {
        let _ = path;
        todo!()
    }
}

impl std::ops::Deref for Map {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        todo!()
    }
}
