//! Files stored once more: what the repository has of them is damaged, and what is here is the last good copy.

use std::io;

use crate::error::Result;
use crate::fs;
use crate::id::BlobId;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Silent;
use crate::repo::Transaction;
use crate::snapshot::file::StoreSink;
use crate::worktree::content::Sink;
use crate::worktree::content::holes;
use crate::worktree::{Reading, Worktree};

/// Stores these blobs from the files that hold them. Durable when it returns. Gives the paths whose file holds something
/// else by now, or cannot be read.
pub fn store_again(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    files: &[(RepoPathBuf, BlobId)],
) -> Result<Vec<RepoPathBuf>> {
    let store = transaction.repository().store();
    store.require_verification();
    let session = store.session();
    let mut sink = StoreSink::new(store, &session, false);
    let mut failed = Vec::new();
    for (path, blob) in files {
        if read(&mut sink, worktree, path).ok() != Some(*blob) {
            failed.push(path.clone());
        }
    }
    sink.finish()?;
    let stored = session.finish()?;
    transaction.keep(&stored)?;
    // Said to be saved is only what can be read back.
    let store = transaction.repository().store();
    for (path, blob) in files {
        if !failed.contains(path) && store.copy_blob(*blob, &mut io::sink()).is_err() {
            failed.push(path.clone());
        }
    }
    Ok(failed)
}

fn read(sink: &mut StoreSink<'_>, worktree: &Worktree, path: &RepoPath) -> Result<BlobId> {
    let directory = worktree.root.open_below(path.parent().unwrap_or(RepoPath::root()))?;
    let file = directory.open_file(path.name().unwrap_or_default())?;
    let stat = fs::stat_file(&file)?;
    // Holes too, as when it was recorded: chunks end where they begin.
    let holes = holes(&file, &stat)?;
    sink.read(&mut Reading::new(&file, stat.size, &holes, &Silent))
}
