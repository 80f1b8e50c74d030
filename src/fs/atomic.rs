//! Whole files that appear at once or not at all.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{create_new, process_id, remove_file, rename, sync_data, sync_dir, write_all};

/// Pieces that are shorter are gathered, to be written together.
const GATHERED: usize = 256 << 10;

/// Writes a private file (0600) beside `path`, flushes it, renames it over `path` and flushes the directory. The bytes are
/// given in pieces. With `durable` false nothing is flushed: for caches.
pub fn write_atomic(path: &Path, pieces: impl IntoIterator<Item = impl AsRef<[u8]>>, durable: bool) -> Result<()> {
    let (file, staged) = stage_beside(path)?;
    let written = write_pieces(&file, pieces)
        .and_then(|()| if durable { sync_data(&file) } else { Ok(()) })
        .and_then(|()| rename(&staged, path));
    if let Err(error) = written {
        // The first failure is the one to tell; what is left behind is in the way of nobody.
        let _ = remove_file(&staged);
        return Err(error);
    }
    if durable { sync_dir(parent(path)) } else { Ok(()) }
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

/// A new file beside `path`. Names left by a process that died with the same number are passed over.
pub(super) fn stage_beside(path: &Path) -> Result<(File, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        return Err(Error::new(ErrorKind::Internal, format!("`{}` names no file", path.display())));
    };
    loop {
        let mut staged = name.to_owned();
        staged.push(format!(".{}-{}.tmp", process_id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        let staged = path.with_file_name(staged);
        match create_new(&staged) {
            Ok(file) => return Ok((file, staged)),
            Err(error) if error.is_taken() => {}
            Err(error) => return Err(error),
        }
    }
}

/// The directory that a path is in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
