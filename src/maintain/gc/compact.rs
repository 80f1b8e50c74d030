//! Rewrites packs in slices, so that little disk space is needed at a time and an interruption loses one slice.

use super::{Options, Outcome};
use crate::error::{ErrorKind, Result};
use crate::fs::Dir;
use crate::id::CommitId;
use crate::progress::Progress;
use crate::repo::Repository;

/// Maximum number of bytes that a slice writes.
const SLICE: u64 = 256 << 20;

/// Compaction ends when no more than this part of the store is waste.
const WASTE: u64 = 10;

/// Maximum number of slices that are discarded because another command has changed the packs.
const MOST_DISCARDED: u32 = 5;

/// Rewrites packs until little is waste. Adds to the outcome.
pub fn compact(
    repository: &mut Repository,
    options: &Options,
    outcome: &mut Outcome,
    progress: &dyn Progress,
) -> Result<()> {
    let mut left = options.max_repack.unwrap_or(u64::MAX);
    let mut discarded = 0;
    loop {
        repository.reload()?;
        let free = Dir::open(&repository.layout.repository)?.free_space()?;
        let most = SLICE.min(free.map_or(u64::MAX, |free| free / 4)).min(left);
        let Some(plan) = repository.store().plan_compaction(most, WASTE) else { return Ok(()) };
        if plan.writes > left {
            outcome.is_limited = true;
            return Ok(());
        }
        let compacted = match repository.store().compact(&plan, &current_commits(repository), progress) {
            Err(error) if error.kind() == ErrorKind::NoSpace => {
                outcome.lacks_space = true;
                return Ok(());
            }
            // A damaged pack stays for `verify` and `repair`.
            compacted => compacted?,
        };
        let (mask, purged) = (repository.store().mask().cloned(), repository.view().purged.clone());
        let mut transaction = repository.begin()?;
        let now = transaction.repository();
        let is_valid = now.store().mask() == mask.as_ref()
            && now.view().purged == purged
            && plan.packs.iter().all(|pack| now.state().packs.contains(pack));
        if !is_valid {
            discarded += 1;
            if discarded > MOST_DISCARDED {
                return Ok(());
            }
            continue;
        }
        let (written, removed) = (compacted.written, compacted.removed.clone());
        let sizes: u64 =
            now.store().packs().iter().filter(|(id, _)| removed.contains(id)).map(|(_, bytes)| bytes).sum();
        let added = compacted.publish(now.store())?;
        let is_smaller = sizes > written || added.len() < removed.len();
        outcome.packs_added += added.len() as u64;
        outcome.packs_removed += removed.len() as u64;
        outcome.written += written;
        outcome.freed += sizes.saturating_sub(written);
        transaction.swap_packs(added, removed)?;
        left = left.saturating_sub(written);
        if !is_smaller {
            return Ok(());
        }
    }
}

/// The commits that branches, tags and heads name.
fn current_commits(repository: &Repository) -> Vec<CommitId> {
    let view = repository.view();
    view.heads.iter().chain(view.branches.values()).chain(view.tags.values()).copied().collect()
}
