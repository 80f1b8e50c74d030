//! Rewrites packs in slices, so that little disk space is needed at a time and an interruption loses one slice.
//!
//! Rewrites only packs that exist when it begins: other commands may add packs as fast as it rewrites them.

use std::collections::BTreeSet;

use super::{Options, Outcome};
use crate::environment::Phase;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::Dir;
use crate::id::{CommitId, PackId};
use crate::progress::Progress;
use crate::repo::Repository;

/// Maximum number of bytes that a slice writes.
const SLICE: u64 = 256 << 20;

/// Compaction ends when no more than this part of the store is waste.
const WASTE: u64 = 10;

/// Maximum number of slices that are discarded because another command has changed the packs.
const MOST_DISCARDED: u32 = 5;

/// Rewrites packs until little is waste; with `only_hidden`, only packs with hidden objects. Adds to the outcome. Returns the
/// first damage that was found: damaged packs stay for `verify` and `repair`.
pub fn compact(
    repository: &mut Repository,
    options: &Options,
    only_hidden: bool,
    outcome: &mut Outcome,
    progress: &dyn Progress,
) -> Result<Option<Error>> {
    let mut damage = None;
    let mut left = options.max_repack.unwrap_or(u64::MAX);
    let mut discarded = 0;
    repository.reload()?;
    let mut eligible = repository.state().packs.clone();
    if only_hidden {
        retain_hidden(&mut eligible, repository);
    }
    loop {
        let free = Dir::open(&repository.layout.repository)?.free_space()?;
        let most = SLICE.min(free.map_or(u64::MAX, |free| free / 4)).min(left);
        let Some(plan) = repository.store().plan_compaction(most, WASTE, &eligible) else { return Ok(damage) };
        if plan.writes > left {
            outcome.is_limited = true;
            return Ok(damage);
        }
        let current: Vec<CommitId> = repository.view().starting_points().collect();
        let compacted = match repository.store().compact(&plan, &current, progress) {
            Err(error) if error.kind() == ErrorKind::NoSpace => {
                outcome.lacks_space = true;
                eligible.retain(|pack| !plan.packs.contains(pack));
                continue;
            }
            Err(error) if error.kind() == ErrorKind::Damaged => {
                let before = eligible.len();
                eligible.retain(|pack| !plan.packs.contains(pack) || repository.store().is_whole(*pack));
                if eligible.len() == before {
                    return Err(error);
                }
                damage = damage.or(Some(error));
                continue;
            }
            compacted => compacted?,
        };
        let (mask, purged) = (repository.store().mask().cloned(), repository.view().purged.clone());
        let mut transaction = repository.begin()?;
        let now = transaction.repository();
        let is_valid = now.store().mask() == mask.as_ref()
            && now.view().purged == purged
            && plan.packs.iter().all(|pack| now.state().packs.contains(pack));
        if !is_valid {
            // Another command has merged small packs and may do so again. Packs with hidden objects must go.
            retain_hidden(&mut eligible, now);
            discarded += 1;
            if discarded > MOST_DISCARDED {
                return Ok(damage);
            }
            continue;
        }
        let (written, removed) = (compacted.written, compacted.removed.clone());
        let sizes: u64 =
            now.store().packs().iter().filter(|(id, _)| removed.contains(id)).map(|(_, bytes)| bytes).sum();
        let added = compacted.publish(now.store())?;
        outcome.packs_added += added.len() as u64;
        outcome.packs_removed += removed.len() as u64;
        outcome.written += written;
        outcome.freed += sizes.saturating_sub(written);
        eligible.retain(|pack| !removed.contains(pack));
        transaction.swap_packs(added, removed)?;
        drop(transaction);
        repository.environment.set_phase(Phase::Collecting);
        left = left.saturating_sub(written);
    }
}

/// Retains the packs with hidden objects.
fn retain_hidden(packs: &mut BTreeSet<PackId>, repository: &Repository) {
    let mask = repository.store().mask();
    packs.retain(|&pack| mask.is_some_and(|mask| mask.of(pack).is_some()));
}
