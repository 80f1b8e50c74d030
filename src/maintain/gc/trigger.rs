//! Decides cheaply whether garbage should be collected: nothing is marked.

use crate::fs;
use crate::history::walk::{WalkOptions, walk};
use crate::repo::Repository;
use crate::time::Timestamp;

/// An automatic collection begins when this part of the store is waste.
const WASTE: u64 = 4;

/// Number of removable commits that is worth a collection, whatever the length of the history.
const MANY: u64 = 200;

/// Time in seconds after the start of a collection for which no automatic one begins: it may have failed.
const PAUSE: i64 = 600;

/// Whether an automatic collection should begin: a quarter of the stored bytes is waste, or a quarter of the commits can
/// be removed, or purged content.
pub fn is_due(repository: &Repository) -> bool {
    let config = &repository.config;
    if !config.is_gc_automatic || !repository.warnings().is_empty() {
        return false;
    }
    let view = repository.view();
    if view.forgotten.is_empty() && view.purged.is_empty() && repository.store().mask().is_none() {
        return false;
    }
    let now = trusted_time(repository, repository.environment.now());
    let horizon = config.grace.before(now, repository.environment.time_zone());
    let is_over = |time: Option<Timestamp>| time.is_some_and(|time| time <= horizon);
    let commits = view.forgotten.values().filter(|forgotten| is_over(forgotten.time)).count() as u64;
    let has_purged = view.purged.values().any(|purged| is_over(purged.time));
    let is_wanted = has_purged || commits >= MANY || has_much_waste(repository) || is_quarter(repository, commits);
    is_wanted && !has_begun_recently(repository)
}

fn has_much_waste(repository: &Repository) -> bool {
    let Some(mask) = repository.store().mask() else { return false };
    if mask.of_packs(&repository.state().packs).any(|pack| pack.has_purged) {
        return true;
    }
    let (hidden, total) = super::waste(repository);
    hidden > total / WASTE
}

/// Whether the history has fewer than three times as many commits.
fn is_quarter(repository: &Repository, commits: u64) -> bool {
    let options = WalkOptions { limit: Some(3 * commits as usize), ..WalkOptions::default() };
    commits > 0 && walk(repository, options).is_ok_and(|walk| (walk.count() as u64) < 3 * commits)
}

/// The lock file is written when a collection begins.
fn has_begun_recently(repository: &Repository) -> bool {
    let lock = fs::stat(&repository.layout.gc_lock()).ok().flatten();
    let clock = fs::stat(&repository.layout.lock()).ok().flatten();
    lock.zip(clock).is_some_and(|(lock, clock)| {
        let age = clock.metadata.mtime.seconds - lock.metadata.mtime.seconds;
        (-PAUSE..PAUSE).contains(&age)
    })
}

/// The clock, but at most a day after each of the two newest operations. An automatic sweep trusts no later time: after a jump of
/// the clock it would end the grace period of everything at once.
pub fn trusted_time(repository: &Repository, now: Timestamp) -> Timestamp {
    const DAY: i64 = 24 * 3600;
    let operations = repository.operations().take(2).filter_map(Result::ok);
    operations.fold(now, |time, (_, operation)| Timestamp {
        seconds: time.seconds.min(operation.time.seconds.saturating_add(DAY)),
        ..time
    })
}
