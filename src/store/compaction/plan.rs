//! Selects the packs that a compaction rewrites.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::id::PackId;
use crate::store::pack_set::Store;

/// Packs of at most this size are rewritten together, so that versions from many commits come together.
const SMALL: u64 = 16 << 20;

/// Packs to rewrite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactionPlan {
    /// The packs.
    pub packs: Vec<PackId>,
    /// Estimated size of the packs that replace them, in bytes.
    pub writes: u64,
    /// Estimated number of bytes that become free.
    pub frees: u64,
}

/// A pack that may be worth rewriting.
struct Pack {
    id: PackId,
    size: u64,
    /// Bytes of hidden objects.
    hidden: u64,
    is_dead: bool,
    has_purged: bool,
    is_reflinked: bool,
}

impl Store {
    /// Plans a slice of a compaction, which writes at most about `most` bytes: packs without visible objects, packs with
    /// purged content, those of which more than half is hidden, others until no more than a `waste`-th of the store is
    /// hidden, and small packs. All of them are among `eligible`. `None` if nothing is worth rewriting.
    pub fn plan_compaction(&self, most: u64, waste: u64, eligible: &BTreeSet<PackId>) -> Option<CompactionPlan> {
        let mut packs: Vec<Pack> =
            self.packs().into_iter().filter_map(|(id, size)| self.pack_to_plan(id, size)).collect();
        let total: u64 = packs.iter().map(|pack| pack.size).sum();
        let mut hidden: u64 = packs.iter().map(|pack| pack.hidden).sum();
        packs.sort_by_key(|pack| {
            let share = pack.hidden.saturating_mul(1000) / pack.size.max(1);
            (Reverse(pack.is_dead), Reverse(pack.has_purged), Reverse(share), pack.size, pack.id)
        });
        let mut plan = CompactionPlan::default();
        let mut small = Vec::new();
        for pack in packs.iter().filter(|pack| eligible.contains(&pack.id)) {
            // A copy of a reflink pack shares no blocks with files.
            let is_worthwhile = pack.hidden > 0 && !pack.is_reflinked && hidden > total / waste;
            let is_wasteful = pack.hidden > pack.size / 2 || is_worthwhile;
            let is_chosen = pack.is_dead || pack.has_purged || is_wasteful;
            let stays = pack.size - pack.hidden;
            if is_chosen && (pack.is_dead || plan.packs.is_empty() || plan.writes + stays <= most) {
                plan.add(pack);
                hidden -= pack.hidden;
            } else if pack.size <= SMALL && !pack.is_reflinked {
                small.push(pack);
            }
        }
        // A single small pack can only be joined with others.
        if small.len() + plan.packs.len() > 1 && (small.len() > 1 || plan.writes > 0) {
            for pack in small {
                if plan.writes + pack.size - pack.hidden <= most {
                    plan.add(pack);
                }
            }
        }
        (!plan.packs.is_empty()).then_some(plan)
    }

    /// `None` if the pack cannot be read: it stays for `verify` and `repair`.
    fn pack_to_plan(&self, id: PackId, size: u64) -> Option<Pack> {
        let mask = self.mask().and_then(|mask| mask.of(id));
        let pack = self.packs.iter().find(|pack| pack.id == id)?;
        // Other packs are not rewritten.
        let is_reflinked = (mask.is_some() || size <= SMALL) && pack.seems_reflinked().ok()?;
        let is_dead = mask.as_ref().is_some_and(|mask| mask.hidden() == mask.records());
        let hidden =
            mask.as_ref().map_or(0, |mask| if is_dead { size } else { self.wasted_bytes(id, size, mask).min(size) });
        Some(Pack { id, size, hidden, is_dead, has_purged: mask.is_some_and(|mask| mask.has_purged), is_reflinked })
    }
}

impl CompactionPlan {
    fn add(&mut self, pack: &Pack) {
        self.packs.push(pack.id);
        self.writes += pack.size - pack.hidden;
        self.frees += pack.hidden;
    }
}
