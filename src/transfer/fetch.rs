//! Fetches commits from a target into the store of a repository.
//!
//! A tree in the store proves that everything below it is there. So metadata waits until all content is stored, and an interrupted
//! fetch keeps only content: the next one continues there.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::fetched_files::FetchedFiles;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::Dir;
use crate::id::{BlobId, CommitId};
use crate::object::ObjectKind;
use crate::object::operation::{Purged, PurgedBlob};
use crate::object::references::Reference;
use crate::progress::{Progress, Task, Unit};
use crate::repo::{Repository, Transaction};
use crate::store::{IncomingFrame, OutgoingObject, Store, Stored, Writer};
use crate::target::Target;

use super::download::{self, Wanted};
use super::search::{Search, frame_share};
use super::spool::Spool;

pub use super::search::Totals;

/// Number of bytes of content that are stored in one step.
const STEP: u64 = 1 << 30;

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
    files: Option<&FetchedFiles>,
    progress: &dyn Progress,
) -> Result<(Stored, Totals)> {
    let commits = commits.iter().map(|id| Reference::Object(ObjectKind::Commit, id.object_id())).collect();
    let is_wanted = |blob: BlobId| !purged.contains(&blob);
    fetch_objects(transaction, target, commits, &is_wanted, connections, files, progress)
}

/// Like [`fetch`], for any objects, and content that is wanted. The caller must record something that refers to the objects.
pub fn fetch_objects(
    transaction: &mut Transaction<'_>,
    target: &Target,
    roots: Vec<Reference>,
    is_wanted: &dyn Fn(BlobId) -> bool,
    connections: usize,
    files: Option<&FetchedFiles>,
    progress: &dyn Progress,
) -> Result<(Stored, Totals)> {
    let store = transaction.repository().store();
    let mut needed = Search { store, present: None, target, is_wanted, connections, files }.search(roots, progress)?;
    let total = needed.data.iter().map(frame_share).sum();
    let task = progress.start("fetching", Unit::Bytes, Some(total));
    let mut rest = &mut needed.data[..];
    while !rest.is_empty() {
        let (step, after) = rest.split_at_mut(step_length(rest));
        let stored = fetch_data(transaction.repository().store(), target, step, connections, files, &*task)?;
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
    let mut needed = Search { store, present, target, is_wanted, connections, files: None }.search(roots, progress)?;
    check_free_space(store, needed.totals.bytes.saturating_add(space))?;
    let total = needed.data.iter().map(frame_share).sum();
    let task = progress.start("fetching", Unit::Bytes, Some(total));
    let stored = fetch_data(store, target, &mut needed.data, connections, None, &*task)?;
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

fn fetch_data(
    store: &Store,
    target: &Target,
    wanted: &mut [Wanted],
    connections: usize,
    files: Option<&FetchedFiles>,
    task: &dyn Task,
) -> Result<Stored> {
    let session = store.session();
    download::download_frames(
        target,
        wanted,
        connections,
        task,
        || session.writer(),
        |writer, frame| {
            store_frame(writer, frame)?;
            files.map_or(Ok(()), |files| write_files(files, frame))
        },
    )?;
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

/// Writes the verified objects of a frame into the files to which they belong.
fn write_files(files: &FetchedFiles, frame: &download::WantedFrame<'_>) -> Result<()> {
    for wanted in frame.wanted {
        if let Some(bytes) = wanted.record.object.bytes_in(frame.raw) {
            files.write(wanted.id, bytes, wanted.is_file)?;
        }
    }
    Ok(())
}
