//! Stores files again whose copies in the repository are damaged.

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
    // Verify what was stored.
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
    // Chunks end at holes, so holes must be found as for a commit.
    let holes = holes(&file, &stat)?;
    sink.read(&mut Reading::new(&file, stat.size, &holes, &Silent))
}
