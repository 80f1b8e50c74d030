//! Rewrites packs without their hidden objects, and puts successive versions of a file or a node beside each other.
//!
//! An old version that lies beside the next one costs only what differs. What current commits need stays in separate
//! frames in tree order, so that reading it decodes nothing else.

mod candidates;
mod copy;
mod order;
mod plan;

use crate::error::Result;
use crate::id::{CommitId, PackId};
use crate::progress::{Progress, Unit};

use super::pack::file::{Sealed, publish};
use super::pack_set::Store;

pub use plan::CompactionPlan;

/// Packs that replace others, durable but not in place yet.
pub struct Compacted {
    packs: Vec<Sealed>,
    /// The packs that they replace.
    pub removed: Vec<PackId>,
    /// Bytes of the new packs.
    pub written: u64,
}

impl Compacted {
    /// Renames the new packs into place, durably. The caller holds the lock. It then records the change in the journal
    /// and deletes the old packs.
    pub fn publish(self, store: &Store) -> Result<Vec<PackId>> {
        let ids = self.packs.iter().map(|pack| pack.id).collect();
        publish(store.directory(), self.packs, store.options().durability)?;
        Ok(ids)
    }
}

impl Store {
    /// Writes the visible objects of the planned packs to new packs in `gc/`. Needs no lock. `current` are the commits that
    /// branches, tags and heads name. Fails with [`crate::error::ErrorKind::Damaged`] if a frame is damaged; the old packs
    /// must stay.
    pub fn compact(&self, plan: &CompactionPlan, current: &[CommitId], progress: &dyn Progress) -> Result<Compacted> {
        let candidates = candidates::Candidates::of(self, &plan.packs)?;
        let task = progress.start("compacting", Unit::Bytes, Some(candidates.raw_bytes()));
        let order = order::of(self, &candidates, current);
        let mut packs = copy::copy(self, &candidates, &order, task.as_ref())?;
        for pack in &mut packs {
            pack.sync(self.options().durability)?;
        }
        let written = packs.iter().map(|pack| pack.bytes).sum();
        Ok(Compacted { packs, removed: plan.packs.clone(), written })
    }
}
