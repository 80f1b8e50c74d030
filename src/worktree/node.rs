//! A directory of a scan: collects its entries, and builds its tree when all are known.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::Stat;
use crate::id::{AttributesId, BlobId, ObjectId};
use crate::object::{Content, Entry, ObjectKind, Tree};
use crate::path::RepoPathBuf;
use crate::worktree::ignore::Rules;
use crate::worktree::index::{Directory, Record, Total};

/// A directory whose entries are being collected.
pub struct Node {
    pub path: RepoPathBuf,
    /// The parent directory, and the position in its listing; `None` for the root.
    pub parent: Option<(Arc<Node>, usize)>,
    pub stat: Stat,
    /// The records of the last scan.
    pub indexed: Option<Directory>,
    /// The ignore rules of the parent directories.
    pub parent_rules: Rules,
    /// Whether all of it is selected; otherwise only something below it is.
    pub selected: bool,
    /// Whether rules ignore it; it then contains something that is covered despite the rules.
    pub ignored: bool,
    /// Set when the directory was listed.
    pub listed: OnceLock<Listed>,
    slots: Mutex<Vec<Slot>>,
    /// Number of unfinished jobs and subdirectories.
    pending: AtomicUsize,
}

/// Facts about a directory that was listed.
pub struct Listed {
    /// The ignore rules for its entries.
    pub rules: Rules,
    /// The directory's own attributes.
    pub attributes: Option<AttributesId>,
}

/// Result for one name of a listing.
#[derive(Clone, Debug, Default)]
pub enum Slot {
    /// Not covered, or gone.
    #[default]
    Absent,
    /// Equal to the record at this position in the index.
    Kept(usize),
    /// Read.
    New(Box<Record>),
}

/// A complete directory.
pub struct BuiltTree {
    pub total: Total,
    /// The records for the next index; `None` if they equal those of the last one.
    pub records: Option<Vec<Record>>,
}

impl Node {
    /// Creates a directory with one pending job, which lists it.
    pub fn new(path: RepoPathBuf, parent: Option<(Arc<Node>, usize)>, stat: Stat, parent_rules: Rules) -> Node {
        Node {
            path,
            parent,
            stat,
            indexed: None,
            parent_rules,
            selected: true,
            ignored: false,
            listed: OnceLock::new(),
            slots: Mutex::default(),
            pending: AtomicUsize::new(1),
        }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the number of names.
    pub fn set_length(&self, count: usize) {
        *self.slots() = vec![Slot::Absent; count];
    }

    /// Sets the results for some names.
    pub fn set_slots(&self, results: Vec<(usize, Slot)>) {
        let mut slots = self.slots();
        results.into_iter().for_each(|(at, slot)| slots[at] = slot);
    }

    /// Adds pending jobs.
    pub fn add_pending(&self, count: usize) {
        self.pending.fetch_add(count, Ordering::Relaxed);
    }

    /// Finishes one pending job. Returns whether it was the last one.
    pub fn finish_job(&self) -> bool {
        self.pending.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The index record of the directory itself, if it proves that mode, owner, time and attributes are unchanged.
    pub fn proven_record(&self) -> Option<Record> {
        let indexed = match &self.parent {
            Some((parent, _)) => parent.indexed.as_ref(),
            None => self.indexed.as_ref(),
        };
        let block = indexed?.block();
        let at = block.position(self.path.name().unwrap_or_default()).ok()?;
        if block.proves(at, &self.stat) { block.record(at) } else { None }
    }

    /// The record of the directory itself with this tree.
    pub fn record(&self, total: Total, racy: bool) -> Option<Record> {
        let attributes = self.listed.get()?.attributes;
        let name = self.path.name().unwrap_or_default().to_vec();
        let stat = Stat { is_mounted: false, ..self.stat };
        Some(Record { name, stat, content: total.content(), attributes, racy })
    }

    /// The last recorded content of a file.
    pub fn last_blob(&self, name: &[u8]) -> Option<BlobId> {
        match self.indexed.as_ref()?.find(name)?.content {
            Content::File { blob, .. } => Some(blob),
            _ => None,
        }
    }

    /// The slot for a record, which the index may already have.
    pub fn slot_for(&self, record: Record) -> Slot {
        let block = self.indexed.as_ref().map(Directory::block);
        let at = block.and_then(|block| Some((block, block.position(&record.name).ok()?)));
        match at {
            Some((block, at)) if block.record(at).as_ref() == Some(&record) => Slot::Kept(at),
            _ => Slot::New(Box::new(record)),
        }
    }

    /// Builds the tree. Passes objects that are not stored to `put`. `racy` is for the root's own record.
    pub fn build_tree(
        &self,
        racy: bool,
        is_stored: impl Fn(ObjectKind, ObjectId) -> bool,
        mut put: impl FnMut(ObjectKind, ObjectId, Vec<u8>) -> Result<()>,
    ) -> Result<BuiltTree> {
        let slots = std::mem::take(&mut *self.slots());
        let kept = slots.iter().filter(|slot| matches!(slot, Slot::Kept(_))).count();
        let is_new = slots.iter().any(|slot| matches!(slot, Slot::New(_)));
        // The root's own record is among its entries.
        let is_root = self.parent.is_none();
        let expected = kept + usize::from(is_root);
        let unchanged = !is_new && self.indexed.as_ref().is_some_and(|indexed| indexed.count() == expected);
        let indexed = self.indexed.as_ref().and_then(Directory::total).filter(|_| unchanged);
        let stored = indexed.filter(|total| is_stored(ObjectKind::Tree, total.tree.object_id()));
        let is_same = |own: Option<&Record>| !is_root || self.is_indexed_root(own);
        if let Some(total) = stored.filter(|total| is_same(self.record(*total, racy).as_ref())) {
            return Ok(BuiltTree { total, records: None });
        }
        let mut records = self.records(slots)?;
        let total = match stored {
            Some(total) => total,
            None => save(records.iter().map(Record::to_entry).collect(), is_stored, &mut put)?,
        };
        if is_root {
            records.splice(0..0, self.record(total, racy));
        }
        let same = indexed == Some(total) && is_same(records.first());
        Ok(BuiltTree { total, records: (!same).then_some(records) })
    }

    fn is_indexed_root(&self, own: Option<&Record>) -> bool {
        own.is_some() && self.indexed.as_ref().and_then(|indexed| indexed.find(b"")).as_ref() == own
    }

    fn records(&self, slots: Vec<Slot>) -> Result<Vec<Record>> {
        let block = self.indexed.as_ref().map(Directory::block);
        let mut records = Vec::with_capacity(slots.len());
        for slot in slots {
            match slot {
                Slot::Absent => {}
                Slot::Kept(at) => records.push(block.and_then(|block| block.record(at)).ok_or_else(broken)?),
                Slot::New(record) => records.push(*record),
            }
        }
        Ok(records)
    }
}

/// The error for an invalid record in a block with a valid checksum.
fn broken() -> Error {
    Error::new(ErrorKind::Internal, "the index has an invalid record")
        .hint("remove the file `index` of the repository, which is only a cache")
}

/// Encodes entries as a tree.
fn save(
    entries: Vec<Entry>,
    is_stored: impl Fn(ObjectKind, ObjectId) -> bool,
    put: &mut impl FnMut(ObjectKind, ObjectId, Vec<u8>) -> Result<()>,
) -> Result<Total> {
    let tree = Tree { entries };
    let (entries, size) = tree.totals()?;
    let tree = tree.save(|id, bytes| {
        if is_stored(ObjectKind::Tree, id.object_id()) {
            return Ok(());
        }
        put(ObjectKind::Tree, id.object_id(), bytes)
    })?;
    Ok(Total { tree, entries, size })
}
