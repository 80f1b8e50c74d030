//! Marks: one bit for each object of a store, to find out which objects are needed.
//!
//! Objects in several packs are marked in each of them. A second bit says which marked objects have
//! not been read yet, so that a search needs no list of pending objects.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::bits::Bits;
use super::mask::PackMask;
use super::pack::{FrameReader, Location, Pack};
use super::pack_set::{Store, is_empty_data};
use crate::error::{ErrorKind, Result};
use crate::id::{ObjectId, PackId};
use crate::object::references::{Reference, has_references};
use crate::object::{ObjectKind, Objects};

/// The marked objects of a store.
#[derive(Clone, Debug)]
pub struct Marks {
    packs: Vec<PackMarks>,
    /// Number of marked objects; each copy counts.
    pub count: u64,
    /// Number of objects that were searched in packs or catalog.
    pub lookups: u64,
    /// Pack whose unread objects are read next.
    next: usize,
    /// Number of copies that have not been read.
    unread: u64,
}

#[derive(Clone, Debug)]
struct PackMarks {
    id: PackId,
    marked: Bits,
    unread: Bits,
    /// Whether anything was marked since the last mask.
    is_changed: bool,
}

impl PackMarks {
    /// Hides what is not marked. `None` for a pack that cannot be read, of which nothing is hidden.
    fn mask(&self, store: &Store, purged: &HashSet<ObjectId>) -> Result<Option<PackMask>> {
        let pack = store.pack_file(self.id);
        let before = store.mask().and_then(|mask| mask.of(self.id));
        let table = match pack.table() {
            Err(error) if error.kind() == ErrorKind::Damaged => return Ok(before.map(|mask| (*mask).clone())),
            table => table?,
        };
        let mut mask = PackMask::new(table.len() as u32);
        mask.has_purged = before.is_some_and(|mask| mask.has_purged);
        for (n, record) in (0..).zip(table.records()).filter(|(n, _)| !self.marked.get(*n)) {
            mask.hide(n);
            mask.has_purged |= is_data(record.kind) && purged.contains(&record.id);
        }
        mask.bytes = pack.bytes_of(|n| mask.is_hidden(n))?;
        Ok(Some(mask))
    }
}

fn is_data(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Data | ObjectKind::Layout)
}

impl Store {
    /// Marks that contain no object.
    pub fn marks(&self) -> Marks {
        let none =
            |pack: &Pack| PackMarks { id: pack.id, marked: Bits::default(), unread: Bits::default(), is_changed: true };
        Marks { packs: self.packs.iter().map(none).collect(), count: 0, lookups: 0, next: 0, unread: 0 }
    }

    /// For each pack of the store, the share of each object in the stored bytes of its frame. Empty for an unreadable pack.
    pub fn record_bytes(&self) -> Result<Vec<Vec<u32>>> {
        let bytes = |pack: &Pack| match self.pack_file(pack.id).record_bytes() {
            Err(error) if error.kind() == ErrorKind::Damaged => Ok(Vec::new()),
            bytes => bytes,
        };
        self.packs.iter().map(bytes).collect()
    }

    /// Positions of an object in packs that can be opened.
    fn readable_locations(&self, kind: ObjectKind, id: ObjectId) -> Vec<Location> {
        let is_readable = |location: &Location| self.pack(location).check_footer().is_ok();
        let quick: Vec<Location> = self.quick_locations(kind, id).filter(is_readable).collect();
        let is_complete = !quick.is_empty() || self.catalog.as_ref().is_none_or(|catalog| catalog.is_sound(&id.0));
        if is_complete { quick } else { self.all_locations(kind, id).filter(is_readable).collect() }
    }
}

impl Marks {
    /// Marks what a reference leads to. Returns whether it was not marked before. Fails with
    /// [`crate::error::ErrorKind::Damaged`] if the object is missing.
    pub fn mark(&mut self, store: &Store, reference: Reference) -> Result<bool> {
        match reference {
            Reference::Object(kind, id) if is_empty_data(kind, id) => Ok(false),
            Reference::Object(kind, id) => self.mark_copies(store, kind, id)?.ok_or_else(|| store.missing(kind, id)),
            Reference::Blob(blob) => {
                let id = blob.object_id();
                if is_empty_data(ObjectKind::Data, id) {
                    return Ok(false);
                }
                if let Some(is_new) = self.mark_copies(store, ObjectKind::Data, id)? {
                    return Ok(is_new);
                }
                self.mark_copies(store, ObjectKind::Layout, id)?.ok_or_else(|| store.missing(ObjectKind::Data, id))
            }
        }
    }

    /// `None` if the store has no copy.
    fn mark_copies(&mut self, store: &Store, kind: ObjectKind, id: ObjectId) -> Result<Option<bool>> {
        self.lookups += 1;
        let locations = store.readable_locations(kind, id);
        let mut is_new = false;
        for (n, location) in locations.iter().enumerate() {
            is_new |= self.mark_record(location.pack, location.record, n == 0 && has_references(kind));
        }
        Ok((!locations.is_empty()).then_some(is_new))
    }

    fn mark_record(&mut self, pack: u32, record: u32, has_references: bool) -> bool {
        let marks = &mut self.packs[pack as usize];
        let is_new = marks.marked.set(record);
        marks.is_changed |= is_new;
        self.count += u64::from(is_new);
        if is_new && has_references {
            self.unread += u64::from(marks.unread.set(record));
        }
        is_new
    }

    /// Marks all visible objects of a pack except `purged` data.
    pub fn mark_pack(&mut self, store: &Store, id: PackId, purged: &HashSet<ObjectId>) -> Result<()> {
        let Some(n) = self.packs.iter().position(|pack| pack.id == id) else { return Ok(()) };
        for (record, object) in store.packs[n].visible()? {
            if !(is_data(object.kind) && purged.contains(&object.id)) {
                self.mark_record(n as u32, record, has_references(object.kind));
            }
        }
        Ok(())
    }

    /// Whether an object is marked.
    pub fn is_marked(&self, store: &Store, kind: ObjectKind, id: ObjectId) -> bool {
        let is_marked = |location: Location| self.packs[location.pack as usize].marked.get(location.record);
        let is_sound = store.catalog.as_ref().is_none_or(|catalog| catalog.is_sound(&id.0));
        store.quick_locations(kind, id).any(is_marked) || !is_sound && store.all_locations(kind, id).any(is_marked)
    }

    /// Takes the marked objects of one pack that were not read yet; `None` if all were.
    pub fn take_unread(&mut self) -> Option<UnreadObjects> {
        if self.unread == 0 {
            return None;
        }
        let count = self.packs.len();
        let next = (self.next..self.next + count).map(|n| n % count);
        let pack = next.into_iter().find(|&n| !self.packs[n].unread.is_empty())?;
        self.next = pack;
        let records: Vec<u32> = std::mem::take(&mut self.packs[pack].unread).ones().collect();
        self.unread -= records.len() as u64;
        Some(UnreadObjects { pack, records })
    }

    /// Passes the pack number and the record number of each marked object on to `each`.
    pub fn each(&self, mut each: impl FnMut(usize, usize)) {
        for (n, pack) in self.packs.iter().enumerate() {
            pack.marked.ones().for_each(|record| each(n, record as usize));
        }
    }

    /// Whether a record of a pack is marked.
    pub fn has(&self, pack: usize, record: usize) -> bool {
        self.packs[pack].marked.get(record as u32)
    }

    /// The marks for another state of the same store. Objects of packs that only `to` has are marked if they are marked in
    /// `from`, or if `from` does not have them, unless they are purged data. All marked objects must have been read.
    pub fn carry(mut self, from: &Store, to: &Store, is_purged: impl Fn(ObjectId) -> bool) -> Result<Marks> {
        debug_assert_eq!(self.unread, 0);
        let mut marks = Marks { count: self.count, lookups: self.lookups, ..to.marks() };
        let old: HashMap<PackId, usize> = self.packs.iter().enumerate().map(|(n, pack)| (pack.id, n)).collect();
        for (n, pack) in to.packs.iter().enumerate().filter(|(_, pack)| !old.contains_key(&pack.id)) {
            for (record, object) in pack.visible()? {
                let (kind, id) = (object.kind, object.id);
                let is_known = from.locate(kind, id).is_some();
                if if is_known { self.is_marked(from, kind, id) } else { !(is_data(kind) && is_purged(id)) } {
                    marks.mark_record(n as u32, record, !is_known && has_references(kind));
                }
            }
        }
        for pack in &mut marks.packs {
            if let Some(&n) = old.get(&pack.id) {
                std::mem::swap(pack, &mut self.packs[n]);
            }
        }
        Ok(marks)
    }

    /// Updates the masks of packs whose marks have changed: everything that is not marked is hidden. `purged` are the ids
    /// of data whose bytes must go.
    pub fn update_masks(
        &mut self,
        store: &Store,
        masks: &mut BTreeMap<PackId, PackMask>,
        purged: &HashSet<ObjectId>,
    ) -> Result<()> {
        let ids: HashSet<PackId> = self.packs.iter().map(|pack| pack.id).collect();
        masks.retain(|id, _| ids.contains(id));
        for marks in &mut self.packs {
            if std::mem::take(&mut marks.is_changed) || !masks.contains_key(&marks.id) {
                match marks.mask(store, purged)? {
                    Some(mask) => masks.insert(marks.id, mask),
                    None => masks.remove(&marks.id),
                };
            }
        }
        Ok(())
    }

    /// The share of the marked objects in the stored bytes of their frames.
    pub fn bytes(&self, store: &Store) -> Result<u64> {
        let packs = self.packs.iter().filter(|pack| !pack.marked.is_empty());
        packs.map(|marks| store.pack_file(marks.id).bytes_of(|n| marks.marked.get(n))).sum()
    }
}

/// Marked objects of a pack, to read and to find what they refer to.
pub struct UnreadObjects {
    pack: usize,
    records: Vec<u32>,
}

/// Reads the objects of packs. Keeps the table of one pack at a time, since all of them may need much memory.
#[derive(Default)]
pub struct MarkReader {
    opened: Option<Pack>,
    frames: FrameReader,
    /// Number of frames decoded.
    pub frames_decoded: u64,
}

impl MarkReader {
    /// Passes objects to `each` in the order of their frames, and decodes each frame once. Frames are verified. Reads
    /// an object that cannot be read from another pack, or skips it.
    pub fn read(
        &mut self,
        store: &Store,
        unread: UnreadObjects,
        skips_damaged: bool,
        mut each: impl FnMut(ObjectKind, ObjectId, &[u8]) -> Result<()>,
    ) -> Result<()> {
        let held = &store.packs[unread.pack];
        // The store holds packs outside the catalog, which other processes may remove.
        let pack = match &mut self.opened {
            _ if store.is_uncovered(unread.pack) => held,
            Some(opened) if opened.id == held.id => opened,
            opened => opened.insert(store.pack_file(held.id)),
        };
        let table = pack.table()?;
        let mut records: Vec<_> = unread.records.into_iter().map(|n| table.record(n as usize)).collect();
        records.sort_unstable_by_key(|record| (record.frame_number, record.offset));
        for records in records.chunk_by(|a, b| a.frame_number == b.frame_number) {
            let frame = table.frame(records[0].frame_number);
            self.frames_decoded += 1;
            match self.frames.read(pack, &frame, &frame.checksum) {
                Ok(raw) => records.iter().try_for_each(|record| {
                    each(record.kind, record.id, &raw[record.offset as usize..][..record.length as usize])
                })?,
                Err(_) => records.iter().try_for_each(|record| match store.object(record.kind, record.id) {
                    Err(error) if skips_damaged && error.kind() == ErrorKind::Damaged => Ok(()),
                    bytes => each(record.kind, record.id, &bytes?),
                })?,
            }
        }
        Ok(())
    }
}
