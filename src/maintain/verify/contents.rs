//! Large blobs: the concatenated chunks must have the hash that names the blob.

use std::io;

use super::{Damage, Told};
use crate::error::Result;
use crate::id::{CommitId, ObjectId};
use crate::parallel;
use crate::path::RepoPathBuf;
use crate::store::Store;

/// A blob that is kept in chunks, and where it was found.
pub(super) struct Large {
    pub id: ObjectId,
    pub commit: Option<CommitId>,
    pub path: Option<RepoPathBuf>,
}

/// Hashes blobs with all workers, and reports each problem.
pub(super) fn check(store: &Store, blobs: Vec<Large>, told: &mut Told<'_>) -> Result<()> {
    let hash = |large| hash(store, large);
    parallel::for_each_result(blobs.into_iter(), hash, |problem| problem.map_or(Ok(()), |damage| told.damage(damage)))
}

/// Hashes one blob; returns the problem, if any.
fn hash(store: &Store, large: Large) -> Option<Damage> {
    let Large { id, commit, path } = large;
    let error = store.copy_blob(id.into(), &mut io::sink()).err()?;
    let paths = path.into_iter().collect();
    Some(Damage { id: Some(id), commit, paths, ..Damage::new("blob", error) })
}
