//! The sweep: hides everything that nothing needs, at once, with one journal record.

use super::search::{Horizon, Search};
use super::trigger::trusted_time;
use super::{Options, Outcome};
use crate::error::{ErrorKind, Result};
use crate::object::operation::ForgottenCommits;
use crate::progress::{Progress, Unit};
use crate::repo::journal::Sweep;
use crate::repo::{Repository, Transaction};
use crate::store::Mask;

/// Maximum number of objects that are marked while the lock is held: some milliseconds.
const FEW: u64 = 10_000;

/// Maximum number of rounds without the lock. Other commands would have to commit as fast as this one can follow.
const MOST_ROUNDS: u32 = 8;

/// Hides what nothing needs. Adds to the outcome.
pub fn sweep(
    repository: &mut Repository,
    options: &Options,
    outcome: &mut Outcome,
    progress: &dyn Progress,
) -> Result<()> {
    let horizon = horizon(repository, options);
    let (mut search, waiting_bytes) = Search::new(repository, horizon, progress)?;
    outcome.waits(repository, &search, waiting_bytes);
    if options.is_dry_run {
        let mask = search.mask()?;
        let (swept, has_new_purges) = (search.roots().swept, search.roots().has_new_purges);
        outcome.sweeps(repository, &mask, swept, has_new_purges);
        return Ok(());
    }
    let task = progress.start("finding new objects", Unit::Items, None);
    search.mask()?;
    for _ in 0..MOST_ROUNDS {
        if search.follow(&*task)? < FEW {
            break;
        }
    }
    search.mask()?;
    let mut transaction = repository.begin()?;
    let (mask, roots) = search.complete(transaction.repository(), &*task)?;
    let before = transaction.repository().store().mask().cloned();
    outcome.sweeps(transaction.repository(), &mask, roots.swept, roots.has_new_purges);
    if before.unwrap_or_default() == mask && roots.swept == 0 && !roots.has_new_purges {
        return Ok(());
    }
    record(&mut transaction, &mask, horizon, roots.substitutes)
}

/// Replaces a damaged mask by one that hides everything that nothing needs. What the last sweep removed stays removed, and so do
/// objects that no commit refers to. Fails with [`ErrorKind::Damaged`] if an object is missing that is needed.
pub fn restore_mask(transaction: &mut Transaction<'_>, progress: &dyn Progress) -> Result<()> {
    let repository = transaction.repository();
    let Some(last) = repository.state().sweep else { return Ok(()) };
    let horizon = Horizon { now: repository.environment.now(), time: last.horizon };
    let mut search = Search::without_young(repository, horizon, progress)?;
    let mask = search.mask()?;
    let substitutes = search.roots().substitutes.clone();
    record(transaction, &mask, horizon, substitutes)
}

fn horizon(repository: &Repository, options: &Options) -> Horizon {
    let now = repository.environment.now();
    let time = match options.grace {
        Some(grace) => {
            let time = if options.is_automatic { trusted_time(repository, now) } else { now };
            grace.before(time, repository.environment.time_zone())
        }
        None => now.max(repository.state().time),
    };
    Horizon { now, time }
}

pub(super) fn record(
    transaction: &mut Transaction<'_>,
    mask: &Mask,
    horizon: Horizon,
    substitutes: ForgottenCommits,
) -> Result<()> {
    let mask = if mask.packs().next().is_none() {
        None
    } else {
        let repository = transaction.repository();
        let write = || mask.write(&repository.layout.repository, repository.environment.durability());
        Some(match write() {
            Err(error) if error.kind() == ErrorKind::NoSpace && transaction.release_reserve() => write()?,
            written => written?,
        })
    };
    transaction.sweep(Sweep { time: horizon.now, horizon: horizon.time, mask }, substitutes)
}
