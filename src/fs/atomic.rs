//! Whole files that appear at once or not at all.

use std::fs::File;
use std::path::Path;

use crate::environment::Durability;
use crate::error::Result;
use crate::fs::inherit::parent;
use crate::fs::{TempFile, sync_dir, write_all};

/// Pieces that are shorter are gathered, to be written together.
const GATHERED: usize = 256 << 10;

/// Writes a repository file next to `path`, flushes it, renames it over `path` and flushes the directory. The bytes are
/// given in pieces. Caches pass [`Durability::NoSync`].
pub fn write_atomic(
    path: &Path,
    pieces: impl IntoIterator<Item = impl AsRef<[u8]>>,
    durability: Durability,
) -> Result<()> {
    let mut staged = TempFile::beside(path)?;
    write_pieces(staged.file(), pieces)?;
    staged.sync(durability)?;
    staged.rename(path)?;
    if durability.is_synced() { sync_dir(parent(path), durability) } else { Ok(()) }
}

fn write_pieces(file: &File, pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<()> {
    let mut gathered = Vec::new();
    for piece in pieces {
        let piece = piece.as_ref();
        if gathered.len() + piece.len() > GATHERED {
            write_all(file, &gathered)?;
            gathered.clear();
        }
        match piece.len() > GATHERED {
            true => write_all(file, piece)?,
            false => gathered.extend_from_slice(piece),
        }
    }
    write_all(file, &gathered)
}
