//! Files with several names: each inode has one state, whichever of its names a scan meets first.
//!
//! A file may change between the visits to two of its names, and the index may have recorded its names at different
//! times. If each name were recorded as it was found, a commit would hold one file in two states. Every later name
//! therefore gets the state of the first one; the next scan detects a change since then by the stat.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::fs::{Dir, Stat};
use crate::path::RepoPathBuf;
use crate::worktree::index::Record;
use crate::worktree::node::Node;

/// Device and inode number.
pub type Inode = (u64, u64);

/// Hash of everything that the names of a file share.
pub type State = u64;

/// States of the inodes with several names that this scan has met.
#[derive(Default)]
pub struct Inodes {
    known: Mutex<HashMap<Inode, Known>>,
    contradicted: AtomicBool,
}

#[derive(Clone)]
enum Known {
    /// The index proves one of its names: the directory, and the position of the record.
    Proven(Arc<Node>, usize),
    /// The file was read or is being read. Locked while it is read, so that a thread that meets another of its names
    /// waits.
    Read(Arc<Mutex<Option<FirstName>>>),
}

/// Result of reading an entry.
#[derive(Clone, Debug)]
pub enum ReadOutcome {
    /// Read consistently: its state at one moment.
    Whole(Record),
    /// A file that kept changing while it was read: its last reading.
    Torn(Record),
    /// Removed between listing and reading.
    Gone,
    /// Has become another kind of file.
    OtherKind,
    /// Not readable.
    Unreadable,
}

/// State of a file under its first name.
pub struct FirstName {
    /// Directory, and name in it.
    pub place: (RepoPathBuf, Vec<u8>),
    /// State of the entry.
    pub outcome: ReadOutcome,
}

impl Inodes {
    /// Notes a name that the index proves. Returns `false` if the inode already has another state: the name must then
    /// be read.
    pub fn prove(&self, stat: &Stat, node: &Arc<Node>, position: usize) -> bool {
        let known = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.entry(inode(stat)) {
                Slot::Occupied(slot) => slot.get().clone(),
                Slot::Vacant(slot) => {
                    slot.insert(Known::Proven(node.clone(), position));
                    return true;
                }
            }
        };
        let Some(record) = record(node, position) else { return false };
        match known {
            Known::Proven(other, at) => {
                let is_same = self::record(&other, at).is_some_and(|other| state(&other) == state(&record));
                if !is_same {
                    self.contradicted.store(true, Ordering::Relaxed);
                }
                true
            }
            Known::Read(slot) => match &*slot.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(FirstName { outcome: ReadOutcome::Whole(other), .. }) => state(other) == state(&record),
                _ => false,
            },
        }
    }

    /// Whether the index proves two names of one file in different states. The index is then wrong.
    pub fn are_contradicted(&self) -> bool {
        self.contradicted.load(Ordering::Relaxed)
    }

    /// Returns the slot for the state of a file that is about to be read, or the state that the index proves.
    pub fn slot(&self, stat: &Stat) -> Result<Arc<Mutex<Option<FirstName>>>, Box<Option<FirstName>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.entry(inode(stat)).or_insert_with(|| Known::Read(Arc::default())) {
            Known::Read(slot) => Ok(slot.clone()),
            Known::Proven(node, position) => Err(Box::new(FirstName::proven(node, *position))),
        }
    }
}

impl FirstName {
    fn proven(node: &Node, position: usize) -> Option<FirstName> {
        let record = record(node, position)?;
        Some(FirstName { place: (node.path.clone(), record.name.clone()), outcome: ReadOutcome::Whole(record) })
    }

    /// The same state under another name.
    pub fn named(&self, name: &[u8]) -> ReadOutcome {
        let mut outcome = self.outcome.clone();
        if let ReadOutcome::Whole(record) | ReadOutcome::Torn(record) = &mut outcome {
            record.name = name.to_vec();
        }
        outcome
    }

    /// Whether a name with this stat belongs to this file. The inode number may have been reused for a new file, so if
    /// the stat differs, the first name must still have it.
    pub fn is_same_file(&self, root: &Dir, stat: &Stat) -> bool {
        let (ReadOutcome::Whole(record) | ReadOutcome::Torn(record)) = &self.outcome else { return false };
        if record.stat.is_same(stat) {
            return true;
        }
        let first = root.open_below(&self.place.0).and_then(|directory| directory.stat(&self.place.1));
        record.stat.kind == stat.kind && first.is_ok_and(|first| first.is_some_and(|it| inode(&it) == inode(stat)))
    }
}

/// The index record at a position in a directory.
fn record(node: &Node, position: usize) -> Option<Record> {
    node.indexed.as_ref()?.block().record(position)
}

/// Device and inode number of a stat.
pub fn inode(stat: &Stat) -> Inode {
    (stat.device, stat.inode)
}

/// Hash of a record's metadata, attributes and content, without the name. Comparable only within one run of the
/// program.
pub fn state(record: &Record) -> State {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    hasher.hash_one((&record.stat.metadata, &record.attributes, &record.content))
}
