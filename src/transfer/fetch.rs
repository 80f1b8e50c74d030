//! Fetches commits from a target into the store of a repository.
//!
//! A tree in the store proves that everything below it is there. So metadata waits until all content is stored, and an interrupted
//! fetch keeps only content: the next one continues there.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::AddAssign;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::Dir;
use crate::id::{BlobId, CommitId, ObjectId};
use crate::object::ObjectKind;
use crate::object::operation::{Purged, PurgedBlob};
use crate::object::references::{Reference, has_references, references};
use crate::progress::{Progress, Task, Unit};
use crate::repo::{Repository, Transaction};
use crate::store::{IncomingFrame, OutgoingObject, Store, Stored, Writer};
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

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Totals) {
        self.objects += other.objects;
        self.bytes += other.bytes;
    }
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
    let commits = commits.iter().map(|id| Reference::Object(ObjectKind::Commit, id.object_id())).collect();
    let is_wanted = |blob: BlobId| !purged.contains(&blob);
    fetch_objects(transaction, target, commits, &is_wanted, connections, progress)
}

/// Like [`fetch`], for any objects, and content that is wanted. The caller must record something that refers to the objects.
pub fn fetch_objects(
    transaction: &mut Transaction<'_>,
    target: &Target,
    roots: Vec<Reference>,
    is_wanted: &dyn Fn(BlobId) -> bool,
    connections: usize,
    progress: &dyn Progress,
) -> Result<(Stored, Totals)> {
    let store = transaction.repository().store();
    let mut needed = Search { store, present: None, target, is_wanted, connections }.search(roots, progress)?;
    let total = needed.data.iter().map(frame_share).sum();
    let task = progress.start("fetching", Unit::Bytes, Some(total));
    let mut rest = &mut needed.data[..];
    while !rest.is_empty() {
        let (step, after) = rest.split_at_mut(step_length(rest));
        let stored = fetch_data(transaction.repository().store(), target, step, connections, &*task)?;
        transaction.keep(&stored)?;
        rest = after;
    }
    Ok((store_metadata(transaction.repository().store(), needed.metadata)?, needed.totals))
}

/// What to fetch into a store for reading.
pub struct Reading<'r> {
    /// The target.
    pub target: &'r Target,
    /// What this store has is not fetched either.
    pub present: Option<&'r Store>,
    /// Objects to fetch with everything that they need, except the parents of commits.
    pub roots: Vec<Reference>,
    /// Whether a content is needed.
    pub is_wanted: &'r dyn Fn(BlobId) -> bool,
    /// Number of requests at the same time.
    pub connections: usize,
    /// Number of further bytes for which the file system must have space.
    pub space: u64,
}

/// Fetches objects into a store that belongs to no repository.
///
/// [`ErrorKind::NoSpace`] if its file system has too little free space.
pub fn fetch_for_reading(store: &mut Store, reading: Reading<'_>, progress: &dyn Progress) -> Result<Totals> {
    let Reading { target, present, roots, is_wanted, connections, space } = reading;
    let mut needed = Search { store, present, target, is_wanted, connections }.search(roots, progress)?;
    check_free_space(store, needed.totals.bytes.saturating_add(space))?;
    let total = needed.data.iter().map(frame_share).sum();
    let task = progress.start("fetching", Unit::Bytes, Some(total));
    let stored = fetch_data(store, target, &mut needed.data, connections, &*task)?;
    store.add_packs(&stored.packs)?;
    let stored = store_metadata(store, needed.metadata)?;
    store.add_packs(&stored.packs)?;
    Ok(needed.totals)
}

/// The content that was purged elsewhere, and so was not fetched.
pub fn purges_elsewhere(repository: &Repository, purged: &BTreeMap<BlobId, Purged>) -> Vec<PurgedBlob> {
    let is_here = |id: BlobId| repository.view().purged.contains_key(&id) || repository.store().contains_blob(id);
    let absent = purged.iter().filter(|(id, _)| !is_here(**id));
    absent.map(|(id, purged)| PurgedBlob { id: *id, size: purged.size }).collect()
}

fn check_free_space(store: &Store, needed: u64) -> Result<()> {
    let folder = store.scratch();
    match Dir::open(&folder)?.free_space()?.filter(|free| needed > *free) {
        None => Ok(()),
        Some(free) => {
            let (needed, free) = (needed.div_ceil(1 << 20), free >> 20);
            let message = format!(
                "not enough space: this needs {needed} MiB, and the file system of `{}` has {free} MiB free",
                folder.display()
            );
            Err(Error::new(ErrorKind::NoSpace, message).hint("free some space there, then run the command again"))
        }
    }
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
    download::download_frames(target, wanted, connections, task, || session.writer(), store_frame)?;
    session.finish()
}

fn store_metadata(store: &Store, metadata: Spool) -> Result<Stored> {
    let session = store.session();
    let mut writer = session.writer();
    metadata.replay(|kind, id, bytes| writer.put(kind, id, bytes).map(drop))?;
    writer.finish()?;
    session.finish()
}

/// Stores the objects of a frame, which is not compressed again if all of it is needed.
fn store_frame(writer: &mut Writer<'_>, frame: &download::WantedFrame<'_>) -> Result<()> {
    if !frame.is_whole() {
        let mut wanted = frame.wanted.iter();
        return wanted.try_for_each(|one| writer.put(one.kind, one.id, one.object_in(frame.raw)?).map(drop));
    }
    let mut objects = Vec::with_capacity(frame.wanted.len());
    for wanted in frame.wanted {
        wanted.object_in(frame.raw)?;
        let (kind, id, object) = (wanted.kind, wanted.id, wanted.record.object);
        objects.push(OutgoingObject { kind, id, offset: object.offset, length: object.length });
    }
    let (codec, bytes) = (frame.encoded.codec, frame.encoded.bytes);
    writer.put_frame(&IncomingFrame { codec, bytes, raw: frame.raw, objects: &objects })
}

/// A search for everything that objects need and the stores lack.
struct Search<'s> {
    store: &'s Store,
    /// Another store whose objects are not needed.
    present: Option<&'s Store>,
    target: &'s Target,
    is_wanted: &'s dyn Fn(BlobId) -> bool,
    connections: usize,
}

impl Search<'_> {
    fn search(&self, mut level: Vec<Reference>, progress: &dyn Progress) -> Result<Needed> {
        let task = progress.start("reading metadata", Unit::Bytes, None);
        let metadata = Spool::new(self.store.scratch().join("fetch"));
        let mut needed = Needed { metadata, data: Vec::new(), totals: Totals::default() };
        let mut seen: HashSet<(ObjectKind, ObjectId)> = HashSet::new();
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
                &*task,
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

    fn has(&self, kind: ObjectKind, id: ObjectId) -> bool {
        let is_present = |store: &Store| store.contains_here(kind, id);
        is_present(self.store) || self.present.is_some_and(is_present)
    }

    fn has_blob(&self, blob: BlobId) -> bool {
        let has = |kind| self.has(kind, blob.object_id());
        has(ObjectKind::Data) || has(ObjectKind::Layout)
    }

    /// Where a needed object is; `None` if the store has it, or if it was purged.
    fn find(&self, reference: Reference) -> Result<Option<Wanted>> {
        let (kind, id) = match reference {
            Reference::Object(kind, id) => (kind, id),
            Reference::Blob(blob) if !(self.is_wanted)(blob) || self.has_blob(blob) => return Ok(None),
            Reference::Blob(blob) => {
                let id = blob.object_id();
                let name = self.target.keyring().name(ObjectKind::Data, id);
                match self.target.find(name)? {
                    Some(record) => return Ok(Some(Wanted { kind: ObjectKind::Data, id, record })),
                    None => (ObjectKind::Layout, id),
                }
            }
        };
        if self.has(kind, id) {
            return Ok(None);
        }
        download::find(self.target, kind, id).map(Some)
    }
}
