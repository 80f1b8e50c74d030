//! A directory while it is read, and its tree once everything in it has been.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::Stat;
use crate::id::{AttributesId, BlobId, ObjectId};
use crate::object::{Content, Entry, ObjectKind, Tree};
use crate::path::RepoPathBuf;
use crate::worktree::ignore::Rules;
use crate::worktree::index::{Directory, Record, Total};

/// A directory whose entries are being found. It lives until the last of them is.
pub struct Node {
    /// Where it is.
    pub path: RepoPathBuf,
    /// The directory it is in, and its place there; `None` for the root.
    pub above: Option<(Arc<Node>, usize)>,
    /// Its own stat.
    pub stat: Stat,
    /// What the index knows of its entries.
    pub known: Option<Directory>,
    /// The rules of the directories above it.
    pub rules_above: Rules,
    /// Whether all of it is selected; otherwise it only leads to what is.
    pub selected: bool,
    /// Whether rules ignore it, and it is only walked for something in it that is covered all the same.
    pub ignored: bool,
    /// Set when it is listed: the rules in it, and its attributes.
    pub inside: OnceLock<Inside>,
    slots: Mutex<Vec<Slot>>,
    /// Jobs and directories in it that are not done.
    pending: AtomicUsize,
}

/// What is known of a directory once it is open.
pub struct Inside {
    /// The rules in force in it.
    pub rules: Rules,
    /// Its own attributes.
    pub attributes: Option<AttributesId>,
}

/// What became of one name of a listing.
#[derive(Clone, Debug, Default)]
pub enum Slot {
    /// Not covered, or gone.
    #[default]
    Absent,
    /// As in the index, at this position there.
    Kept(usize),
    /// Read.
    New(Box<Record>),
}

/// A directory that is whole: what the directory above it has of it.
pub struct Gathered {
    /// Its tree.
    pub total: Total,
    /// What the next index says of its entries: the same as the last one, or these records.
    pub records: Option<Vec<Record>>,
}

impl Node {
    /// A directory about to be listed: that is the one thing that is not done.
    pub fn new(path: RepoPathBuf, above: Option<(Arc<Node>, usize)>, stat: Stat, rules_above: Rules) -> Node {
        Node {
            path,
            above,
            stat,
            known: None,
            rules_above,
            selected: true,
            ignored: false,
            inside: OnceLock::new(),
            slots: Mutex::default(),
            pending: AtomicUsize::new(1),
        }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It has so many names.
    pub fn make_room(&self, count: usize) {
        *self.slots() = vec![Slot::Absent; count];
    }

    /// What became of some names.
    pub fn fill(&self, found: Vec<(usize, Slot)>) {
        let mut slots = self.slots();
        found.into_iter().for_each(|(at, slot)| slots[at] = slot);
    }

    /// So many more things have to be done before it is whole.
    pub fn expect(&self, count: usize) {
        self.pending.fetch_add(count, Ordering::Relaxed);
    }

    /// One of them is done; says whether it was the last one.
    pub fn finish_one(&self) -> bool {
        self.pending.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The index's record of the directory itself, if it is unchanged: its attributes need not be read.
    pub fn proved(&self) -> Option<Record> {
        let known = match &self.above {
            Some((above, _)) => above.known.as_ref(),
            None => self.known.as_ref(),
        };
        let block = known?.block();
        let at = block.position(self.path.name().unwrap_or_default()).ok()?;
        if block.proves(at, &self.stat) { block.record(at) } else { None }
    }

    /// The record of the directory itself, with the tree that it has now.
    pub fn record(&self, total: Total, racy: bool) -> Option<Record> {
        let inside = self.inside.get()?;
        let name = self.path.name().unwrap_or_default().to_vec();
        let stat = Stat { is_mounted: false, ..self.stat };
        Some(Record { name, stat, content: total.content(), attributes: inside.attributes, racy })
    }

    /// What a file in it held when it was last read.
    pub fn last_blob(&self, name: &[u8]) -> Option<BlobId> {
        match self.known.as_ref()?.find(name)?.content {
            Content::File { blob, .. } => Some(blob),
            _ => None,
        }
    }

    /// The slot for a record: kept, if the index has just this.
    pub fn slot_for(&self, record: Record) -> Slot {
        let known = self.known.as_ref().map(Directory::block);
        let at = known.and_then(|block| Some((block, block.position(&record.name).ok()?)));
        match at {
            Some((block, at)) if block.record(at).as_ref() == Some(&record) => Slot::Kept(at),
            _ => Slot::New(Box::new(record)),
        }
    }

    /// Makes the tree. `is_stored` tells of a tree; new ones go to `put`. `racy` is of the root's own record.
    pub fn gather(
        &self,
        racy: bool,
        is_stored: impl Fn(ObjectKind, ObjectId) -> bool,
        mut put: impl FnMut(ObjectKind, ObjectId, Vec<u8>) -> Result<()>,
    ) -> Result<Gathered> {
        let slots = std::mem::take(&mut *self.slots());
        let kept = slots.iter().filter(|slot| matches!(slot, Slot::Kept(_))).count();
        let is_new = slots.iter().any(|slot| matches!(slot, Slot::New(_)));
        // The root's own record stands among its entries.
        let own = usize::from(self.above.is_none());
        let unchanged = !is_new && self.known.as_ref().is_some_and(|known| known.count() == kept + own);
        let total = self.known.as_ref().and_then(Directory::total);
        if let (true, Some(total)) = (unchanged, total)
            && is_stored(ObjectKind::Tree, total.tree.object_id())
        {
            return Ok(Gathered { total, records: self.records_if_root(slots, total, racy)? });
        }
        let mut records = self.records(slots)?;
        let entries: Vec<Entry> = records.iter().map(Record::to_entry).collect();
        let total = save(entries, is_stored, &mut put)?;
        let same = unchanged && self.known.as_ref().and_then(Directory::total) == Some(total);
        if own == 1 {
            records.splice(0..0, self.record(total, racy));
        }
        let same = same && (own == 0 || self.is_known_root(records.first()));
        Ok(Gathered { total, records: (!same).then_some(records) })
    }

    /// All records of a root whose entries are unchanged, unless its own is unchanged too.
    fn records_if_root(&self, slots: Vec<Slot>, total: Total, racy: bool) -> Result<Option<Vec<Record>>> {
        if self.above.is_some() {
            return Ok(None);
        }
        let own = self.record(total, racy);
        if self.is_known_root(own.as_ref()) {
            return Ok(None);
        }
        let records = self.records(slots)?;
        Ok(Some(own.into_iter().chain(records).collect()))
    }

    fn is_known_root(&self, own: Option<&Record>) -> bool {
        own.is_some() && self.known.as_ref().and_then(|known| known.find(b"")).as_ref() == own
    }

    fn records(&self, slots: Vec<Slot>) -> Result<Vec<Record>> {
        let block = self.known.as_ref().map(Directory::block);
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

/// Its checksum is right, so it was written so.
fn broken() -> Error {
    Error::new(ErrorKind::Internal, "a record of the index makes no sense")
        .hint("remove the file `index` of the repository: it will be made again")
}

/// Saves a directory's entries as a tree.
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
