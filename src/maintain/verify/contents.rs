//! Large blobs: the chunks put together must have the hash that the whole is named by.

use std::io;
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Mutex, PoisonError};

use super::Damage;
use crate::id::{CommitId, ObjectId};
use crate::path::RepoPathBuf;
use crate::store::Store;

/// A blob that is kept in chunks, and where it was met.
pub(super) struct Large {
    pub id: ObjectId,
    pub commit: Option<CommitId>,
    pub path: Option<RepoPathBuf>,
}

/// One thread: hashes blobs until no more can come.
pub(super) fn hash_all(store: &Store, blobs: &Mutex<Receiver<Large>>, damage: &Sender<Damage>) {
    loop {
        let next = blobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(large) = next else { return };
        if let Some(found) = hash(store, large) {
            // Nobody listens any more if telling has failed.
            let _ = damage.send(found);
        }
    }
}

/// Hashes one blob; returns the problem, if any.
pub(super) fn hash(store: &Store, large: Large) -> Option<Damage> {
    let Large { id, commit, path } = large;
    let error = store.copy_blob(id.into(), &mut io::sink()).err()?;
    let paths = path.into_iter().collect();
    Some(Damage { id: Some(id), commit, paths, ..Damage::new("blob", error) })
}
