//! Fetches commits from a target into the store of a repository.
//!
//! A tree in the store proves that everything below it is there. So metadata waits until all content is stored, and an interrupted
//! fetch keeps only content: the next one continues there.

use std::collections::{BTreeSet, HashSet};

use crate::error::Result;
use crate::id::{BlobId, CommitId, ObjectId};
use crate::object::ObjectKind;
use crate::object::references::{Reference, has_references, references};
use crate::progress::{Progress, Task, Unit};
use crate::repo::Transaction;
use crate::store::{Store, Stored};
use crate::target::Target;

use super::download::{self, Wanted};
use super::spool::Spool;

/// Number of bytes of content that are stored in one step.
const STEP: u64 = 1 << 30;

/// What was fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of objects.
    pub objects: u64,
    /// Number of bytes of their frames in the target.
    pub bytes: u64,
}

/// Objects to fetch.
struct Needed {
    metadata: Spool,
    /// Content of files.
    data: Vec<Wanted>,
    totals: Totals,
}

/// Fetches commits and everything that they need, except their parents and `purged` content. Records the content; returns the
/// packs with the rest, which the caller records with its operation.
///
/// [`crate::error::ErrorKind::Damaged`] if the target lacks an object, or one is damaged.
pub fn fetch(
    transaction: &mut Transaction<'_>,
    target: &Target,
    commits: &[CommitId],
    purged: &BTreeSet<BlobId>,
    connections: usize,
    progress: &dyn Progress,
) -> Result<(Stored, Totals)> {
    let task = progress.start("reading metadata", Unit::Bytes, None);
    let store = transaction.repository().store();
    let mut needed = Search { store, target, purged, connections, task: &*task }.search(commits)?;
    drop(task);
    let total = needed.data.iter().map(frame_share).sum();
    let task = progress.start("fetching", Unit::Bytes, Some(total));
    let mut rest = &mut needed.data[..];
    while !rest.is_empty() {
        let (step, after) = rest.split_at_mut(step_length(rest));
        let stored = fetch_data(transaction.repository().store(), target, step, connections, &*task)?;
        transaction.keep(&stored)?;
        rest = after;
    }
    let store = transaction.repository().store();
    let session = store.session();
    let mut writer = session.writer();
    needed.metadata.replay(|kind, id, bytes| writer.put(kind, id, bytes).map(drop))?;
    writer.finish()?;
    Ok((session.finish()?, needed.totals))
}

/// Number of objects in the next step; at least one.
fn step_length(wanted: &[Wanted]) -> usize {
    let mut bytes = 0;
    for (n, wanted) in wanted.iter().enumerate() {
        if bytes >= STEP {
            return n;
        }
        bytes += frame_share(wanted);
    }
    wanted.len()
}

/// An estimate of the bytes to read for an object.
fn frame_share(wanted: &Wanted) -> u64 {
    wanted.record.object.length.min(wanted.record.length).into()
}

fn fetch_data(
    store: &Store,
    target: &Target,
    wanted: &mut [Wanted],
    connections: usize,
    task: &dyn Task,
) -> Result<Stored> {
    let session = store.session();
    download::download(
        target,
        wanted,
        connections,
        task,
        || session.writer(),
        |writer, wanted, bytes| writer.put(wanted.kind, wanted.id, bytes).map(drop),
    )?;
    session.finish()
}

/// A search for everything that commits need and the store lacks.
struct Search<'s> {
    store: &'s Store,
    target: &'s Target,
    purged: &'s BTreeSet<BlobId>,
    connections: usize,
    task: &'s dyn Task,
}

impl Search<'_> {
    fn search(&self, commits: &[CommitId]) -> Result<Needed> {
        let metadata = Spool::new(self.store.scratch().join("fetch"));
        let mut needed = Needed { metadata, data: Vec::new(), totals: Totals::default() };
        let mut seen: HashSet<(ObjectKind, ObjectId)> = HashSet::new();
        let mut level: Vec<Reference> =
            commits.iter().map(|id| Reference::Object(ObjectKind::Commit, id.object_id())).collect();
        while !level.is_empty() {
            let mut wanted = Vec::new();
            for reference in level.drain(..) {
                let Some(found) = self.find(reference)? else { continue };
                if !seen.insert((found.kind, found.id)) {
                    continue;
                }
                needed.totals.objects += 1;
                needed.totals.bytes += frame_share(&found);
                match found.kind {
                    ObjectKind::Data => needed.data.push(found),
                    _ => wanted.push(found),
                }
            }
            let objects = download::download(
                self.target,
                &mut wanted,
                self.connections,
                self.task,
                || (),
                |(), wanted, bytes| Ok((wanted.kind, wanted.id, bytes.to_vec())),
            )?;
            for (kind, id, bytes) in objects {
                if has_references(kind) {
                    references(kind, id, &bytes, &mut |reference| level.push(reference))?;
                }
                needed.metadata.add(kind, id, &bytes)?;
            }
        }
        Ok(needed)
    }

    /// Where a needed object is; `None` if the store has it, or if it was purged.
    fn find(&self, reference: Reference) -> Result<Option<Wanted>> {
        let (kind, id) = match reference {
            Reference::Object(kind, id) => (kind, id),
            Reference::Blob(blob) if self.purged.contains(&blob) || self.store.contains_blob(blob) => return Ok(None),
            Reference::Blob(blob) => {
                let id = blob.object_id();
                let name = self.target.keyring().name(ObjectKind::Data, id);
                match self.target.find(name)? {
                    Some(record) => return Ok(Some(Wanted { kind: ObjectKind::Data, id, record })),
                    None => (ObjectKind::Layout, id),
                }
            }
        };
        if self.store.contains(kind, id) {
            return Ok(None);
        }
        download::find(self.target, kind, id).map(Some)
    }
}
