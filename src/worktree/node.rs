//! A directory of a scan, whose entries are being collected.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::{Dir, Stat};
use crate::id::{AttributesId, BlobId};
use crate::object::Content;
use crate::path::RepoPathBuf;
use crate::worktree::Index;
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
    /// Whether these could be read.
    pub has_readable_attributes: bool,
}

/// An entry of a directory that is being scanned.
#[derive(Clone, Copy)]
pub struct Child<'c> {
    pub parent: &'c Arc<Node>,
    /// Position in the listing of the parent.
    pub at: usize,
    /// The parent, opened.
    pub dir: &'c Dir,
    pub name: &'c [u8],
}

impl Child<'_> {
    pub fn path(&self) -> RepoPathBuf {
        self.parent.path.join(self.name)
    }
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

impl Node {
    /// Creates a directory, with one pending job, which lists it. All of it is selected.
    pub fn new(index: &Index, parent: Option<(Arc<Node>, usize)>, path: RepoPathBuf, stat: Stat) -> Node {
        Node {
            indexed: index.directory(&path),
            path,
            parent,
            stat,
            selected: true,
            ignored: false,
            listed: OnceLock::new(),
            slots: Mutex::default(),
            pending: AtomicUsize::new(1),
        }
    }

    /// The ignore rules of the parent directories.
    pub fn parent_rules(&self) -> Rules {
        let listed = self.parent.as_ref().and_then(|(parent, _)| parent.listed.get());
        listed.map(|listed| listed.rules.clone()).unwrap_or_default()
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the number of names.
    pub fn set_length(&self, count: usize) {
        *self.slots() = vec![Slot::Absent; count];
    }

    /// Sets the results for some names.
    pub fn set_slots(&self, results: impl IntoIterator<Item = (usize, Slot)>) {
        let mut slots = self.slots();
        results.into_iter().for_each(|(at, slot)| slots[at] = slot);
    }

    /// Removes and returns the results for all names.
    pub fn take_slots(&self) -> Vec<Slot> {
        std::mem::take(&mut *self.slots())
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

    /// The beginning of a file with this stat, stored by an interrupted scan.
    pub fn known_prefix(&self, name: &[u8], stat: &Stat) -> Option<BlobId> {
        let record = self.indexed.as_ref()?.find(name).filter(|known| known.is_prefix && known.stat.is_same(stat))?;
        match record.content {
            Content::File { blob, .. } => Some(blob),
            _ => None,
        }
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

    /// The last tree of the directory, if all entries are as in the index.
    pub fn unchanged_total(&self, slots: &[Slot]) -> Option<Total> {
        let indexed = self.indexed.as_ref()?;
        let is_new = slots.iter().any(|slot| matches!(slot, Slot::New(_)));
        let kept = slots.iter().filter(|slot| matches!(slot, Slot::Kept(_))).count();
        // The root's own record is among its entries.
        let expected = kept + usize::from(self.parent.is_none());
        if !is_new && indexed.count() == expected { indexed.total() } else { None }
    }

    /// The records of all entries that are covered.
    pub fn records(&self, slots: Vec<Slot>) -> Result<Vec<Record>> {
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
