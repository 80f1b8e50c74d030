//! Hashes single files and streams, or stores them as a commit would.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::BlobId;
use crate::metadata::Kind;
use crate::path::RepoPathBuf;
use crate::progress::Silent;
use crate::repo::Transaction;
use crate::snapshot::file::StoreSink;
use crate::snapshot::mktree::not_recorded_again;
use crate::store::{Session, Store};
use crate::worktree::content::holes;
use crate::worktree::sink::Sink;
use crate::worktree::{Reading, Worktree};

/// Hashes or stores a stream, as the sink decides. `name` stands for the stream in messages.
pub fn stream(sink: &mut impl Sink, stream: &mut dyn Read, name: &str) -> Result<BlobId> {
    sink.read(&mut Reading::stream(stream, name, &Silent)).map_err(not_recorded_again)
}

/// Hashes or stores a file. Follows symbolic links, as `b3sum` does, and reads pipes and devices as streams. Returns
/// [`ErrorKind::Refused`] if the file changes during the read, and [`ErrorKind::Usage`] for a directory.
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
    let blob = regular_file(sink, &file, &before).map_err(not_recorded_again)?;
    if fs::stat_file(&file)?.is_same(&before) {
        return Ok(blob);
    }
    let message = format!("`{}` changed while it was read", path.display());
    Err(Error::new(ErrorKind::Refused, message).hint("run the command again when no program writes to the file"))
}

/// Finds the holes as for a commit, because chunks end at holes.
fn regular_file(sink: &mut impl Sink, file: &File, stat: &fs::Stat) -> Result<BlobId> {
    let holes = holes(file, stat)?;
    sink.read(&mut Reading::new(file, stat.size, &holes, &Silent))
}

/// Stores these blobs from the files that hold them. Durable on return. Returns the paths of files that have changed or cannot
/// be read.
pub fn store_again(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    files: &[(RepoPathBuf, BlobId)],
) -> Result<Vec<RepoPathBuf>> {
    let store = transaction.repository().store();
    store.require_verification();
    let session = store.session();
    let mut failed = store_files(store, &session, worktree, files)?;
    let stored = session.finish()?;
    transaction.keep(&stored)?;
    // Verify what was stored.
    let store = transaction.repository().store();
    for (path, blob) in files {
        if !failed.contains(path) && store.copy_blob(*blob, &mut io::sink()).is_err() {
            failed.push(path.clone());
        }
    }
    Ok(failed)
}

/// Puts these blobs into a session, from the files that hold them. Returns the paths of files that have changed or cannot be
/// read.
pub fn store_files<'s>(
    store: &'s Store,
    session: &'s Session<'s>,
    worktree: &Worktree,
    files: &[(RepoPathBuf, BlobId)],
) -> Result<Vec<RepoPathBuf>> {
    let mut sink = StoreSink::new(store, session, false);
    let mut failed = Vec::new();
    let mut read = |path| {
        let file = worktree.root.open_file_below(path)?;
        let stat = fs::stat_file(&file)?;
        regular_file(&mut sink, &file, &stat)
    };
    for (path, blob) in files {
        if read(path).ok() != Some(*blob) {
            failed.push(path.clone());
        }
    }
    sink.finish()?;
    Ok(failed)
}
