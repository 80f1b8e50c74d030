//! Single files and streams as blobs: hashed, or stored as a commit would store them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::BlobId;
use crate::metadata::Kind;
use crate::progress::Silent;
use crate::worktree::Reading;
use crate::worktree::content::{Sink, holes};

/// Hashes or stores a stream; `name` is for messages.
pub fn stream(sink: &mut impl Sink, stream: &mut dyn Read, name: &str) -> Result<BlobId> {
    sink.read(&mut Reading::stream(stream, name, &Silent))
}

/// Hashes or stores a file; links are followed, as `b3sum` does. What is no file is read as a stream.
/// [`ErrorKind::Refused`] if it changes meanwhile, [`ErrorKind::Usage`] if it is a directory.
pub fn file(sink: &mut impl Sink, path: &Path) -> Result<BlobId> {
    let file = fs::open_any(path)?;
    let before = fs::stat_file(&file)?;
    match before.kind {
        Kind::File => {}
        Kind::Directory => {
            let message = format!("`{}` is a directory, not a file", path.display());
            return Err(Error::new(ErrorKind::Usage, message).hint("`undo write-tree` records directories"));
        }
        _ => return stream(sink, &mut &file, &path.to_string_lossy()),
    }
    let blob = whole(sink, &file, &before)?;
    if fs::stat_file(&file)?.is_same(&before) {
        return Ok(blob);
    }
    let message = format!("`{}` changed while it was read", path.display());
    Err(Error::new(ErrorKind::Refused, message).hint("run the command again when nothing writes to it"))
}

fn whole(sink: &mut impl Sink, file: &File, stat: &fs::Stat) -> Result<BlobId> {
    let holes = holes(file, stat)?;
    sink.read(&mut Reading::new(file, stat.size, &holes, &Silent))
}
