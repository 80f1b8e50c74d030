//! Hashes large blobs and compares the hash with the blob's id.

use std::io;

use super::{Damage, Reporter};
use crate::error::Result;
use crate::id::{CommitId, ObjectId};
use crate::parallel;
use crate::path::RepoPathBuf;
use crate::store::Store;

/// A blob stored in chunks, and the commit and path where it was found.
pub(super) struct LargeBlob {
    pub id: ObjectId,
    pub commit: Option<CommitId>,
    pub path: Option<RepoPathBuf>,
}

/// Hashes blobs with all workers and reports the damage.
pub(super) fn check(store: &Store, blobs: Vec<LargeBlob>, reporter: &mut Reporter<'_>) -> Result<()> {
    let hash = |blob| hash(store, blob);
    parallel::for_each_result(blobs.into_iter(), hash, |damage| damage.map_or(Ok(()), |damage| reporter.damage(damage)))
}

/// Hashes one blob and returns the damage, if any.
fn hash(store: &Store, blob: LargeBlob) -> Option<Damage> {
    let LargeBlob { id, commit, path } = blob;
    let error = store.copy_blob(id.into(), &mut io::sink()).err()?;
    let paths = path.into_iter().collect();
    Some(Damage { id: Some(id), commit, paths, ..Damage::new("blob", error) })
}
