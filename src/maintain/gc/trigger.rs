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
    let now = repository.environment.now();
    let horizon = config.grace.before(now, repository.environment.time_zone());
    let is_over = |time: Option<Timestamp>| time.is_some_and(|time| time <= horizon);
    let view = repository.view();
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

/// Whether the clock may be wrong: the newest record is more than a day later than the one before it, or the clock more
/// than a day ahead of it. An automatic sweep then waits, since it could end the grace period of everything at once.
pub fn is_clock_doubtful(repository: &Repository, now: Timestamp) -> bool {
    const DAY: i64 = 24 * 3600;
    let mut times = repository.operations().take(2).filter_map(|operation| Some(operation.ok()?.1.time.seconds));
    let (newest, previous) = (times.next().unwrap_or(now.seconds), times.next());
    now.seconds - newest > DAY || previous.is_some_and(|previous| newest - previous > DAY)
}
