//! Measures the stored bytes that commits need.

use std::collections::BTreeSet;

use crate::error::Result;
use crate::history::mark::Marking;
use crate::id::{BlobId, CommitId};
use crate::progress::Task;
use crate::repo::Repository;

/// Up to this many times, the bytes of all marked objects are added up to find out which commits fit.
const MEASUREMENTS: usize = 500;

/// The stored bytes that only these commits need, and none of the `kept` ones.
pub fn own_bytes(
    repository: &Repository,
    kept: impl Iterator<Item = CommitId>,
    commits: impl Iterator<Item = CommitId>,
    task: &dyn Task,
) -> Result<u64> {
    let (store, purged) = (repository.store(), purged(repository));
    let mut marking = Marking::new(store, store.marks(), &purged);
    marking.mark(kept, task)?;
    let before = marking.marks().bytes(store)?;
    marking.mark(commits, task)?;
    Ok(marking.marks().bytes(store)? - before)
}

/// Number of these commits, from the first on, to leave out so that the others and the `kept` ones need at most `limit` stored
/// bytes. For a long list, up to 0.2 % more commits than necessary.
pub fn excess(
    repository: &Repository,
    kept: impl Iterator<Item = CommitId>,
    commits: &[CommitId],
    limit: u64,
    task: &dyn Task,
) -> Result<usize> {
    let (store, purged) = (repository.store(), purged(repository));
    let mut marking = Marking::new(store, store.marks(), &purged);
    marking.mark(kept, task)?;
    let mut excess = commits.len();
    for group in commits.rchunks(commits.len().div_ceil(MEASUREMENTS).max(1)) {
        marking.mark(group.iter().copied(), task)?;
        if marking.marks().bytes(store)? > limit {
            break;
        }
        excess -= group.len();
    }
    Ok(excess)
}

fn purged(repository: &Repository) -> BTreeSet<BlobId> {
    repository.view().purged.keys().copied().collect()
}
