//! Files with several names: one inode has one state, whichever of its names a scan meets first.
//!
//! A file may change between the looks at two of its names, and the index may know its names from different times. Were each
//! name recorded as it was found, a commit would hold one file in two states. So every later name gets the state that the
//! first one was found in; a change since then shows in the stat of the next scan.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::fs::{Dir, Stat};
use crate::path::RepoPathBuf;
use crate::worktree::gather::Node;
use crate::worktree::index::Record;
use crate::worktree::seen::Seen;

/// Device and inode number.
pub type Inode = (u64, u64);

/// Everything that names of one file share, as a number.
pub type State = u64;

/// The state of every inode with several names that this scan has met.
#[derive(Default)]
pub struct Inodes {
    known: Mutex<HashMap<Inode, Known>>,
    contradicted: AtomicBool,
}

#[derive(Clone)]
enum Known {
    /// As the index has one of its names, which proves it: the directory, and the position of the record.
    Proven(Arc<Node>, usize),
    /// As it was read, or is being read. Held while it is read, so that a thread that meets another of its names waits.
    Read(Arc<Mutex<Option<Found>>>),
}

/// How it was found under its first name.
pub struct Found {
    /// The directory and the name there.
    pub place: (RepoPathBuf, Vec<u8>),
    /// What was there.
    pub seen: Seen,
}

impl Inodes {
    /// Takes note of a name that the index proves. `false` if the inode has another state by now: the name is to be read.
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
                Some(Found { seen: Seen::Whole(other), .. }) => state(other) == state(&record),
                _ => false,
            },
        }
    }

    /// Whether two names of one file are proven by the index and differ there: then the index is wrong.
    pub fn are_contradicted(&self) -> bool {
        self.contradicted.load(Ordering::Relaxed)
    }

    /// Where the state of a file is kept that is about to be read; or how the index proves it.
    pub fn slot(&self, stat: &Stat) -> Result<Arc<Mutex<Option<Found>>>, Box<Option<Found>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match known.entry(inode(stat)).or_insert_with(|| Known::Read(Arc::default())) {
            Known::Read(slot) => Ok(slot.clone()),
            Known::Proven(node, position) => Err(Box::new(Found::proven(node, *position))),
        }
    }
}

impl Found {
    fn proven(node: &Node, position: usize) -> Option<Found> {
        let record = record(node, position)?;
        Some(Found { place: (node.path.clone(), record.name.clone()), seen: Seen::Whole(record) })
    }

    /// The same under another name.
    pub fn named(&self, name: &[u8]) -> Seen {
        let mut seen = self.seen.clone();
        if let Seen::Whole(record) | Seen::Torn(record) = &mut seen {
            record.name = name.to_vec();
        }
        seen
    }

    /// Whether a name of this stat is a name of this file. A number may have been given to a new file since, so where
    /// the stat differs the first name must still have it.
    pub fn is_same_file(&self, root: &Dir, stat: &Stat) -> bool {
        let (Seen::Whole(record) | Seen::Torn(record)) = &self.seen else { return false };
        if record.stat.is_same(stat) {
            return true;
        }
        let first = root.open_below(&self.place.0).and_then(|directory| directory.stat(&self.place.1));
        record.stat.kind == stat.kind && first.is_ok_and(|first| first.is_some_and(|it| inode(&it) == inode(stat)))
    }
}

/// A record that the index has of an entry of a directory.
fn record(node: &Node, position: usize) -> Option<Record> {
    node.known.as_ref()?.block().record(position)
}

/// What identifies an inode.
pub fn inode(stat: &Stat) -> Inode {
    (stat.device, stat.inode)
}

/// The state of a record: what its entry in a tree says, but its name. Equal within one run of the program only.
pub fn state(record: &Record) -> State {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    hasher.hash_one((&record.stat.metadata, &record.attributes, &record.content))
}
