//! Files with several names: each inode has one state, whichever of its names a scan meets first.
//!
//! A file may change between the visits to two of its names, and the index may have recorded its names at different
//! times. If each name were recorded as it was found, a commit would hold one file in two states. Every later name
//! therefore gets the state of the first one; the next scan detects a change since then by the stat.

use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// The covered names of each inode. Names in different states belong to different files: the inode number was reused.
    names: Mutex<BTreeMap<(Inode, State), Vec<RepoPathBuf>>>,
    contradicted: AtomicBool,
}

#[derive(Clone)]
enum Known {
    /// The index proves one of its names: the directory, and the position of the record.
    Proven(Arc<Node>, usize),
    /// The file was read or is being read.
    Read(Arc<Mutex<Option<FirstName>>>),
}

/// An entry that was read.
#[derive(Clone)]
pub struct ReadEntry {
    pub record: Record,
    /// Whether the file kept changing while it was read.
    pub is_torn: bool,
}

/// State of a file under its first name.
pub struct FirstName {
    pub directory: RepoPathBuf,
    pub entry: ReadEntry,
}

impl Inodes {
    /// Notes a name that the index proves. Returns `false` if the inode already has another state: the name must then
    /// be read.
    pub fn prove(&self, stat: &Stat, node: &Arc<Node>, position: usize) -> bool {
        let known = {
            let mut known = lock(&self.known);
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
                self.contradicted.fetch_or(!is_same, Ordering::Relaxed);
                true
            }
            Known::Read(slot) => {
                let first = lock(&slot);
                let entry = first.as_ref().map(|first| &first.entry).filter(|entry| !entry.is_torn);
                entry.is_some_and(|entry| state(&entry.record) == state(&record))
            }
        }
    }

    /// Whether the index proves two names of one file in different states. The index is then wrong.
    pub fn are_contradicted(&self) -> bool {
        self.contradicted.load(Ordering::Relaxed)
    }

    /// The slot for the state of a file that is about to be read. Has the state that the index proves, if any.
    pub fn slot(&self, stat: &Stat) -> Arc<Mutex<Option<FirstName>>> {
        let mut known = lock(&self.known);
        match known.entry(inode(stat)).or_insert_with(|| Known::Read(Arc::default())) {
            Known::Read(slot) => slot.clone(),
            Known::Proven(node, position) => {
                let entry = record(node, *position).map(|record| ReadEntry { record, is_torn: false });
                let first = entry.map(|entry| FirstName { directory: node.path.clone(), entry });
                Arc::new(Mutex::new(first))
            }
        }
    }

    /// Adds a name that a commit will cover.
    pub fn add_name(&self, record: &Record, path: RepoPathBuf) {
        lock(&self.names).entry((inode(&record.stat), state(record))).or_default().push(path);
    }

    /// The names of each file that has several, sorted.
    pub fn into_groups(self) -> Vec<Vec<RepoPathBuf>> {
        let names = self.names.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut groups: Vec<_> = names.into_values().filter(|group| group.len() > 1).collect();
        groups.iter_mut().for_each(|group| group.sort());
        groups.sort();
        groups
    }
}

impl FirstName {
    /// The same state under another name.
    pub fn named(&self, name: &[u8]) -> ReadEntry {
        let record = Record { name: name.to_vec(), ..self.entry.record.clone() };
        ReadEntry { record, is_torn: self.entry.is_torn }
    }

    /// Whether a name with this stat belongs to this file. The inode number may have been reused for a new file, so if
    /// the stat differs, the first name must still have it.
    pub fn is_same_file(&self, root: &Dir, stat: &Stat) -> bool {
        let record = &self.entry.record;
        if record.stat.is_same(stat) {
            return true;
        }
        let first = root.open_below(&self.directory).and_then(|directory| directory.stat(&record.name));
        record.stat.kind == stat.kind && first.is_ok_and(|first| first.is_some_and(|it| inode(&it) == inode(stat)))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
