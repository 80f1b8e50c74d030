//! Repairs a target: replaces damaged files by what can still be read of them, and sends what is lost again.
//!
//! The first entry condemns the damaged files and adds what was salvaged. Pushes that rely on a condemned pack are planned again. What is
//! lost then is found like anything else that a target lacks. A repair that was interrupted continues when it is run again.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, CommitId};
use crate::object::Objects;
use crate::parallel;
use crate::progress::{Progress, Unit};
use crate::repo::Repository;
use crate::target::{FileName, Pack, Record, Target};

use super::plan::Planner;
use super::repack::Repacker;
use super::upload::{self, Totals, Uploaded, upload};
use super::verify::{self, verify};

/// How to repair.
pub struct Options {
    /// Number of requests at the same time.
    pub connections: usize,
    /// Whether to change nothing.
    pub is_dry_run: bool,
}

/// What was repaired.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What was damaged or missing before.
    pub damage: Vec<Error>,
    /// Number of files that were replaced: packs, indexes, and the file `target`.
    pub replaced: u64,
    /// Number of objects that could still be read in damaged packs.
    pub salvaged: u64,
    /// What this repository has sent again.
    pub sent: Totals,
    /// What is still damaged or missing.
    pub lost: Vec<Error>,
}

/// Reads the whole target, replaces what is damaged, and sends what the target lacks of the commits that this repository has.
pub fn repair(
    repository: &Repository,
    target: &mut Target,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let connections = options.connections;
    loop {
        let found = verify(target, &verify::Options { sample: 1.0, connections }, progress)?;
        let mut outcome = Outcome { damage: found.damage, ..Outcome::default() };
        if options.is_dry_run || outcome.damage.is_empty() {
            return Ok(outcome);
        }
        let Some(salvaged) = replace(target, &found.files, connections, progress)? else { continue };
        outcome.salvaged = salvaged;
        outcome.sent = send(repository, target, connections, progress)?;
        let is_restored = target.has_damaged_identity()? && target.restore_identity()?;
        outcome.replaced = found.files.len() as u64 + u64::from(is_restored);
        if !found.files.is_empty() {
            target.write_fold()?;
        }
        outcome.lost = verify(target, &verify::Options { sample: 0.0, connections }, progress)?.damage;
        return Ok(outcome);
    }
}

/// Condemns damaged files, and adds what can be read of them. Returns the number of objects that were salvaged; `None` if others have
/// removed something meanwhile: a collector may have deleted the new packs, because no entry named them yet.
fn replace(
    target: &mut Target,
    damaged: &BTreeSet<FileName>,
    connections: usize,
    progress: &dyn Progress,
) -> Result<Option<u64>> {
    if damaged.is_empty() {
        return Ok(Some(0));
    }
    let since = target.state().number();
    let task = progress.start("salvaging", Unit::Items, None);
    let uploader = target.uploader();
    let mut repacker = Repacker::new(target, &uploader);
    let mut salvaged = 0;
    for (name, pack) in packs(target, |name| damaged.contains(name)) {
        let Some((frames, table)) = target.read_damaged(name, pack)? else { continue };
        let records = table.map_or_else(|| records_of(target, name, damaged), Ok)?;
        task.add(records.len() as u64)?;
        salvaged += repacker.salvage(pack.is_meta, &frames, records)?;
    }
    let mut uploaded = repacker.finish()?;
    if target.state().indexes.iter().any(|index| damaged.contains(&index.name)) {
        add_tables(target, damaged, connections, &mut uploaded)?;
    }
    let mut change = uploaded.into_change(target)?;
    change.condemned = damaged.iter().copied().collect();
    let appended = target.append(|target| Ok((target.state().last_removal <= since).then(|| change.clone())))?;
    Ok(appended.map(|_| salvaged))
}

fn packs(target: &Target, is_chosen: impl Fn(&FileName) -> bool) -> Vec<(FileName, Pack)> {
    let packs = target.state().packs.iter().filter(|(name, _)| is_chosen(name));
    packs.map(|(name, pack)| (*name, *pack)).collect()
}

/// The records of a pack in the log and in intact indexes.
fn records_of(target: &Target, name: FileName, damaged: &BTreeSet<FileName>) -> Result<Vec<Record>> {
    let state = target.state();
    let mut records = state.records.clone();
    for index in state.indexes.iter().filter(|index| !damaged.contains(&index.name)) {
        records.extend(target.index_records(index)?);
    }
    records.retain(|record| record.pack == name.prefix());
    Ok(records)
}

/// Adds the records in the tables of all intact packs, which a damaged index may have had.
fn add_tables(
    target: &Target,
    damaged: &BTreeSet<FileName>,
    connections: usize,
    uploaded: &mut Uploaded,
) -> Result<()> {
    let intact = packs(target, |name| !damaged.contains(name));
    let read = |(): &mut (), (name, pack)| Ok(target.read_table(name, pack)?.1.into_values().flatten().collect());
    let tables: Vec<Vec<Record>> = parallel::try_map_on(connections, intact.into_iter(), || (), read)?;
    tables.into_iter().for_each(|records| uploaded.add_records(records));
    Ok(())
}

/// Sends what the target lacks of its commits and this repository has.
fn send(repository: &Repository, target: &mut Target, connections: usize, progress: &dyn Progress) -> Result<Totals> {
    let (store, state) = (repository.store(), target.state());
    let views = state.streams.values().map(|stream| &stream.view).chain([repository.view()]);
    let purged: BTreeSet<BlobId> = views.flat_map(|view| view.purged.keys().copied()).collect();
    let commits: BTreeSet<CommitId> =
        state.streams.values().flat_map(|stream| stream.commits.iter().copied()).collect();
    let task = progress.start("comparing", Unit::Items, None);
    let mut planner = Planner::new(store, &purged);
    for id in commits.into_iter().filter(|id| store.commit(*id).is_ok()) {
        // No commit of the target proves that anything is there.
        match planner.add_commit(id, None) {
            // What is damaged here, too, is reported as lost.
            Err(error) if error.kind() == ErrorKind::Damaged => {}
            added => added?,
        }
    }
    let selection = planner.select(target, &*task)?;
    drop(task);
    let task = progress.start("sending", Unit::Bytes, Some(store.selected_bytes(&selection)?));
    let since = target.state().number();
    let (uploaded, totals) = upload(store, &selection, target, connections, &*task)?;
    upload::record(target, uploaded, since)?;
    Ok(totals)
}
