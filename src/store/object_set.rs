//! A set of objects of a store: one bit for each object, where a set of ids takes 40 bytes.

use super::bits::Bits;
use super::pack::Location;
use super::pack_set::Store;
#[cfg(feature = "targets")]
use crate::{id::ObjectId, object::ObjectKind};

/// Objects of a store, by their first location.
#[derive(Debug)]
pub struct ObjectSet {
    /// By number of the pack.
    packs: Vec<Bits>,
}

impl Store {
    /// A set without objects.
    pub fn empty_set(&self) -> ObjectSet {
        ObjectSet { packs: vec![Bits::default(); self.packs.len()] }
    }

    /// The objects of a set, in the order of packs and records.
    #[cfg(feature = "targets")]
    pub fn selected<'a>(&'a self, set: &'a ObjectSet) -> impl Iterator<Item = (ObjectKind, ObjectId, Location)> + 'a {
        (0..).zip(&set.packs).filter(|(_, bits)| !bits.is_empty()).flat_map(move |(pack, bits)| {
            // An object in the set was found in this table.
            let table = self.packs[pack as usize].table();
            bits.ones().filter_map(move |n| {
                let table = table.as_ref().ok()?;
                let record = table.record(n as usize);
                Some((record.kind, record.id, Location::new(pack, table, n as usize)))
            })
        })
    }
}

impl ObjectSet {
    /// Whether the object at this location is in the set.
    pub fn contains(&self, location: Location) -> bool {
        self.packs[location.pack as usize].get(location.record)
    }

    /// Adds the object at this location. Returns whether it is new.
    pub fn insert(&mut self, location: Location) -> bool {
        self.packs[location.pack as usize].set(location.record)
    }

    /// Removes the object at this location.
    #[cfg(feature = "targets")]
    pub fn remove(&mut self, location: Location) {
        self.packs[location.pack as usize].clear(location.record);
    }

    /// Whether a record of a pack is in the set.
    #[cfg(feature = "targets")]
    pub(super) fn has(&self, pack: usize, record: u32) -> bool {
        self.packs[pack].get(record)
    }

    /// Whether no object of a pack was ever in the set.
    #[cfg(feature = "targets")]
    pub(super) fn is_empty_in(&self, pack: usize) -> bool {
        self.packs[pack].is_empty()
    }

    /// The records of a pack that are in the set.
    #[cfg(feature = "targets")]
    pub(super) fn records_of(&self, pack: usize) -> impl Iterator<Item = u32> + '_ {
        self.packs[pack].ones()
    }
}
