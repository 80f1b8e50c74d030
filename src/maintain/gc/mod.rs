//! Frees the space of objects that the history no longer needs: hides them, then rewrites the packs that have many of them.
//!
//! Finding what is needed and writing new packs happen without the lock. Each step ends with one journal record; what an
//! interrupted step leaves is removed by the next one.

mod compact;
mod roots;
mod search;
mod sweep;
mod trigger;

pub use sweep::restore_mask;
pub use trigger::is_due;

use crate::environment::Phase;
use crate::error::{ErrorKind, Result};
use crate::fs;
use crate::progress::Progress;
use crate::repo::Repository;
use crate::store::{Mask, PackMask};
use crate::time::Timestamp;
use crate::time::age::Age;

use search::{Horizon, Search};

/// Options of a collection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How long forgotten commits and purged content can be taken back. `None`: they go at once.
    pub grace: Option<Age>,
    /// Maximum number of bytes to write.
    pub max_repack: Option<u64>,
    /// Only determine what would happen.
    pub is_dry_run: bool,
    /// Whether it began without a command of the user. Nothing goes then while the clock may be wrong.
    pub is_automatic: bool,
}

/// What a collection has done, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Forgotten commits that cannot be recalled any more.
    pub commits: u64,
    /// Objects that are gone.
    pub objects: u64,
    /// Share of these objects in the stored bytes.
    pub bytes: u64,
    /// Whether the sweep removes purged content. Its bytes may still be on disk.
    pub has_purged: bool,
    /// Bytes of purged content on disk before packs were rewritten.
    pub purged_before: u64,
    /// Bytes of purged content that are still in packs.
    pub purged_left: u64,
    /// Bytes of purged content in replaced packs that other commands still read.
    pub purged_in_use: u64,
    /// Bytes that compaction freed.
    pub freed: u64,
    /// Bytes that compaction wrote.
    pub written: u64,
    /// New packs.
    pub packs_added: u64,
    /// Packs that were replaced or only had garbage.
    pub packs_removed: u64,
    /// Bytes of garbage that is still in packs.
    pub waste: u64,
    /// Size of all packs.
    pub total: u64,
    /// Old segments of the journal that were removed.
    pub segments: u64,
    /// Forgotten commits that can still be recalled.
    pub waiting_commits: u64,
    /// Bytes that only these commits need.
    pub waiting_bytes: u64,
    /// When the first of them goes.
    pub waiting_until: Option<Timestamp>,
    /// Whether `max_repack` left packs to rewrite.
    pub is_limited: bool,
    /// Whether there was too little disk space to rewrite packs.
    pub lacks_space: bool,
}

/// Collects the garbage of a repository.
pub fn collect(repository: &mut Repository, options: &Options, progress: &dyn Progress) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    repository.check_settings()?;
    if options.is_dry_run {
        repository.check_usable()?;
        sweep::sweep(repository, options, &mut outcome, progress)?;
    } else {
        let _lock = repository.begin_gc()?;
        repository.environment.set_phase(Phase::Collecting);
        // If the history is not complete, what it needs is not known. What the last sweep removed goes all the same.
        let damage = match sweep::sweep(repository, options, &mut outcome, progress) {
            Err(error) if error.kind() == ErrorKind::Damaged => Some(error),
            swept => swept.map(|()| None)?,
        };
        repository.environment.set_phase(Phase::Collecting);
        let (named, replaced) = purged_bytes(repository)?;
        outcome.purged_before = named + replaced;
        // A process that begins to read now finds the mask in force.
        if repository.is_only_reader() {
            outcome.freed += repository.store().punch_reflink_packs();
        }
        let damaged_pack = compact::compact(repository, options, damage.is_some(), &mut outcome, progress)?;
        let mut transaction = repository.begin()?;
        transaction.renew_catalog();
        transaction.remove_unnamed_packs(options.grace.is_some())?;
        outcome.segments = transaction.remove_old_segments()?;
        (outcome.purged_left, outcome.purged_in_use) = purged_bytes(transaction.repository())?;
        if let Some(damage) = damage {
            return Err(damage.context("nothing new was removed, because the history is not complete"));
        }
        if let Some(damage) = damaged_pack {
            return Err(damage.context("a damaged pack was not rewritten"));
        }
    }
    (outcome.waste, outcome.total) = waste(repository);
    Ok(outcome)
}

/// Bytes of removed purged content in packs, and in replaced packs whose files are still there.
fn purged_bytes(repository: &Repository) -> Result<(u64, u64)> {
    let (mut named, mut replaced) = (0, 0);
    let packs = repository.store().mask().into_iter().flat_map(Mask::packs);
    for (id, pack) in packs.filter(|(_, pack)| pack.has_purged) {
        if repository.state().packs.contains(&id) {
            named += pack.bytes;
        } else if fs::stat(&repository.layout.pack(id))?.is_some() {
            replaced += pack.bytes;
        }
    }
    Ok((named, replaced))
}

/// Bytes of hidden objects on disk, and of all packs.
pub fn waste(repository: &Repository) -> (u64, u64) {
    let store = repository.store();
    (store.waste(), store.packs().iter().map(|(_, bytes)| bytes).sum())
}

impl Outcome {
    /// Whether purged content was on disk and no longer is.
    pub fn is_purged_destroyed(&self) -> bool {
        (self.has_purged || self.purged_before > 0) && !self.has_purged_bytes()
    }

    /// Whether bytes of purged content are still on disk.
    pub fn has_purged_bytes(&self) -> bool {
        self.purged_left + self.purged_in_use > 0
    }

    fn sweeps(&mut self, repository: &Repository, after: &Mask, commits: u64, has_purged: bool) {
        let packs = &repository.state().packs;
        let hidden = |mask: &Mask| {
            let add = |(objects, bytes), pack: &PackMask| (objects + u64::from(pack.hidden()), bytes + pack.bytes);
            mask.of_packs(packs).fold((0, 0), add)
        };
        let (objects, bytes) = repository.store().mask().map_or((0, 0), hidden);
        let (objects_after, bytes_after) = hidden(after);
        self.objects = objects_after.saturating_sub(objects);
        self.bytes = bytes_after.saturating_sub(bytes);
        (self.commits, self.has_purged) = (commits, has_purged);
    }

    fn waits(&mut self, repository: &Repository, search: &Search, waiting_bytes: u64) {
        let recallable = &search.roots().recallable;
        self.waiting_commits = recallable.len() as u64;
        self.waiting_bytes = waiting_bytes;
        let forgotten = &repository.view().forgotten;
        let first = recallable.iter().filter_map(|id| forgotten.get(id)?.time).min();
        self.waiting_until = first.map(|first| {
            let Horizon { now, time } = search.horizon();
            Timestamp { seconds: first.seconds.saturating_add(now.seconds - time.seconds), ..first }
        });
    }
}

#[cfg(test)]
mod tests;
