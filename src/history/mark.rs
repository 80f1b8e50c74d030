//! Marks every object that commits need.
//!
//! Objects are read in the order in which packs store them, each frame once for each level of directories in it. What
//! they refer to is gathered, sorted and looked up together. Trees repeat most of the entries of their previous
//! versions, so references that were met recently are not looked up again.

use std::collections::{BTreeSet, HashSet};

use crate::error::{ErrorKind, Result};
use crate::id::{BlobId, ChunkId, CommitId, ObjectId, PackId};
use crate::object::ObjectKind;
use crate::object::layout::Piece;
use crate::object::references::{Reference, references};
use crate::progress::Task;
use crate::store::{MarkReader, Marks, Store};

/// Number of references that are looked up together: 12 MiB.
const BATCH: usize = 1 << 18;

/// Number of references that are remembered: 12 MiB.
const RECENT: usize = 1 << 18;

/// Number of places where one reference may be remembered.
const WAYS: usize = 4;

/// A search for the objects that commits need.
pub struct Marking<'s> {
    store: &'s Store,
    marks: Marks,
    /// Content that is not needed, even though trees refer to it.
    purged: &'s BTreeSet<BlobId>,
    /// Whether missing objects are skipped.
    skips_missing: bool,
    gathered: Vec<Reference>,
    recent: Recent,
    reader: MarkReader,
}

impl<'s> Marking<'s> {
    /// Continues with marks of this store. Trees may refer to `purged` content, which is not marked.
    pub fn new(store: &'s Store, marks: Marks, purged: &'s BTreeSet<BlobId>) -> Marking<'s> {
        let (gathered, recent) = (Vec::new(), Recent::default());
        Marking { store, marks, purged, skips_missing: false, gathered, recent, reader: MarkReader::default() }
    }

    /// From now on, skips objects that are missing or damaged.
    pub fn skip_missing(&mut self) {
        self.skips_missing = true;
    }

    /// Marks commits and everything that they need, except their parents. Fails with
    /// [`crate::error::ErrorKind::Damaged`] if an object is missing. `task` counts marked objects.
    pub fn mark(&mut self, commits: impl IntoIterator<Item = CommitId>, task: &dyn Task) -> Result<()> {
        let commit = |id: CommitId| Reference::Object(ObjectKind::Commit, id.object_id());
        self.mark_objects(commits.into_iter().map(commit), task)
    }

    /// Marks these objects and everything that they need.
    pub fn mark_objects(&mut self, references: impl IntoIterator<Item = Reference>, task: &dyn Task) -> Result<()> {
        references.into_iter().try_for_each(|reference| self.gather(reference))?;
        self.run(task)
    }

    /// Marks all objects of these packs except purged content, and everything that they need.
    pub fn mark_packs(&mut self, packs: impl IntoIterator<Item = PackId>, task: &dyn Task) -> Result<()> {
        let purged = purged_content(self.store, self.purged);
        packs.into_iter().try_for_each(|id| self.marks.mark_pack(self.store, id, &purged))?;
        self.run(task)
    }

    /// The marks so far.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Ends the search.
    pub fn finish(self) -> Marks {
        self.marks
    }

    /// Number of frames decoded.
    #[cfg(any(test, feature = "internals"))]
    pub fn frames_decoded(&self) -> u64 {
        self.reader.frames_decoded
    }

    fn run(&mut self, task: &dyn Task) -> Result<()> {
        let mut reported = self.marks.count;
        loop {
            task.add(self.marks.count - reported)?;
            reported = self.marks.count;
            let Some(unread) = self.marks.take_unread() else {
                if self.gathered.is_empty() {
                    return Ok(());
                }
                self.look_up()?;
                continue;
            };
            let mut reader = std::mem::take(&mut self.reader);
            let (store, skips) = (self.store, self.skips_missing);
            let read = reader.read(store, unread, skips, |kind, id, bytes| self.follow(kind, id, bytes));
            self.reader = reader;
            read?;
        }
    }

    /// Gathers what an object refers to.
    fn follow(&mut self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<()> {
        let mut result = Ok(());
        references(kind, id, bytes, &mut |reference| {
            if result.is_ok() {
                result = self.gather(reference);
            }
        })?;
        result
    }

    fn gather(&mut self, reference: Reference) -> Result<()> {
        let is_purged = matches!(reference, Reference::Blob(blob) if self.purged.contains(&blob));
        if is_purged || !self.recent.insert(reference) {
            return Ok(());
        }
        if self.gathered.len() == BATCH {
            self.look_up()?;
        }
        self.gathered.push(reference);
        Ok(())
    }

    /// Looks references up in the order of their ids, in which the catalog and the tables have them.
    fn look_up(&mut self) -> Result<()> {
        self.gathered.sort_unstable_by_key(|reference| reference.id());
        let Marking { store, marks, gathered, skips_missing, .. } = self;
        gathered.drain(..).try_for_each(|reference| match marks.mark(store, reference) {
            Err(error) if *skips_missing && error.kind() == ErrorKind::Damaged => Ok(()),
            marked => marked.map(drop),
        })
    }
}

/// Ids of the purged blobs and of their chunks.
pub fn purged_content(store: &Store, purged: &BTreeSet<BlobId>) -> HashSet<ObjectId> {
    let mut ids = HashSet::new();
    for &blob in purged {
        ids.insert(blob.object_id());
        if store.locate(ObjectKind::Layout, blob.object_id()).is_some()
            && let Ok(layout) = store.layout_of_any(blob)
        {
            ids.extend(layout.pieces.iter().filter_map(Piece::chunk).map(ChunkId::object_id));
        }
    }
    ids
}

/// References that were met recently. Some are forgotten when others take their places.
struct Recent(Vec<Option<Reference>>);

impl Default for Recent {
    fn default() -> Recent {
        Recent(vec![None; RECENT])
    }
}

impl Recent {
    /// Returns whether the reference is not among them.
    fn insert(&mut self, reference: Reference) -> bool {
        let ObjectId([a, b, c, d, ..]) = reference.id();
        let hash = u32::from_le_bytes([a, b, c, d]) as usize;
        let places = &mut self.0[hash % (RECENT / WAYS) * WAYS..][..WAYS];
        if places.contains(&Some(reference)) {
            return false;
        }
        // The newest comes first.
        places.rotate_right(1);
        places[0] = Some(reference);
        true
    }
}

#[cfg(test)]
mod tests;
