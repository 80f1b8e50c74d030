//! A set of objects of a store: one bit for each object, where a set of ids takes 40 bytes.

use super::bits::Bits;
use super::pack::Location;
use super::pack_set::Store;

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
}
