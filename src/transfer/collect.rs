//! Collects the garbage of a target.
//!
//! One entry of the log condemns what no kept commit needs, and adds the rest of packs that are mostly garbage in new packs. Files
//! are deleted by a later run, at least a day after their entry by the server's clock. No clock takes part in what is needed: the
//! plan is made from the whole log, and its entry follows the entry that the plan has seen.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::error::Result;
use crate::object::references::Reference;
use crate::progress::{Progress, Unit};
use crate::store::Store;
use crate::target::{Change, FileName, Pack, Record, Records, Target};
use crate::time::Timestamp;

use super::mark::Marker;
use super::repack::Repacker;

/// Time in seconds after which condemned files are deleted. Readers that started before the entry have found the new places by
/// then.
const DELAY: i64 = 24 * 3600;

/// How to collect.
pub struct Options<'o> {
    /// A store that may have the same objects, so that they need not be downloaded.
    pub local: Option<&'o Store>,
    /// Number of requests at the same time.
    pub connections: usize,
    /// Whether to change nothing.
    pub is_dry_run: bool,
}

/// What a collection did, or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Number of packs that nothing needs.
    pub dead: u64,
    /// Number of packs whose needed objects were written again.
    pub rewritten: u64,
    /// Bytes that were condemned.
    pub condemned: u64,
    /// Bytes that were written.
    pub written: u64,
    /// Number of files that no entry names: left by interrupted pushes.
    pub orphans: u64,
    /// Number of files that were deleted.
    pub deleted: u64,
    /// Bytes that were deleted.
    pub freed: u64,
    /// Condemned files that wait to be deleted.
    pub waiting: u64,
    /// Size of these files in bytes.
    pub waiting_bytes: u64,
}

/// Collects the garbage of a target.
///
/// [`crate::error::ErrorKind::Damaged`] if the target lacks something that a commit needs: then nothing is condemned or deleted.
pub fn collect(target: &mut Target, options: &Options<'_>, progress: &dyn Progress) -> Result<Outcome> {
    loop {
        target.reread()?;
        let mut outcome = Outcome::default();
        let plan = match plan(target, options, progress) {
            // Another collector has deleted what this one was about to read.
            Err(error) if target.has_moved(&error) => continue,
            plan => plan?,
        };
        outcome.dead = plan.dead.len() as u64;
        outcome.rewritten = plan.rewritten.len() as u64;
        outcome.orphans = plan.orphans.len() as u64;
        outcome.condemned = plan.bytes;
        if options.is_dry_run {
            count_waiting(target, &mut outcome);
            return Ok(outcome);
        }
        if !plan.is_empty() {
            match condemn(target, plan, &mut outcome, progress) {
                Err(error) if target.has_moved(&error) => continue,
                // Another writer was faster: what it relies on may be in the plan.
                Ok(false) => continue,
                condemned => condemned.map(drop)?,
            }
        }
        delete(target, &mut outcome)?;
        count_waiting(target, &mut outcome);
        return Ok(outcome);
    }
}

/// What to condemn.
struct Plan {
    /// Number of the entry that the plan has seen.
    number: u64,
    records: Records,
    needed: Vec<bool>,
    /// Packs that nothing needs.
    dead: Vec<FileName>,
    /// Packs whose needed objects are written again.
    rewritten: Vec<(FileName, Pack)>,
    /// Files that no entry names.
    orphans: Vec<FileName>,
    /// Size of everything that is condemned.
    bytes: u64,
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.dead.is_empty() && self.rewritten.is_empty() && self.orphans.is_empty()
    }
}

/// Bytes of the objects of a pack.
#[derive(Default)]
struct Usage {
    needed: u64,
    total: u64,
    has_purged: bool,
}

fn plan(target: &Target, options: &Options<'_>, progress: &dyn Progress) -> Result<Plan> {
    let task = progress.start("marking", Unit::Items, None);
    let records = target.all_records()?;
    let mut marker = Marker::new(target, options.local, &records, options.connections);
    marker.mark_all(&*task)?;
    let (needed, missing) = marker.finish();
    if let Some(error) = missing.into_iter().next() {
        return Err(error.hint("to see everything that is damaged: undo verify --target NAME"));
    }
    // What purged files consist of, so that the packs that have it are written again whatever their waste.
    let mut marker = Marker::new(target, options.local, &records, options.connections);
    let blobs = target.state().streams.values().flat_map(|stream| stream.view.purged.keys().copied());
    marker.mark(blobs.map(Reference::Blob), &BTreeSet::new(), &*task)?;
    let (purged, _) = marker.finish();
    let mut usage: HashMap<u64, Usage> = HashMap::new();
    for ((record, is_needed), is_purged) in records.as_slice().iter().zip(&needed).zip(&purged) {
        let usage = usage.entry(record.pack).or_default();
        let bytes = u64::from(record.object.length);
        usage.total += bytes;
        usage.needed += if *is_needed { bytes } else { 0 };
        usage.has_purged |= is_purged & !is_needed;
    }
    let mut plan = Plan {
        number: target.state().number(),
        needed,
        dead: Vec::new(),
        rewritten: Vec::new(),
        orphans: target.orphans()?,
        bytes: 0,
        records,
    };
    for (name, pack) in &target.state().packs {
        match usage.get(&name.prefix()) {
            None => plan.dead.push(*name),
            Some(usage) if usage.needed == 0 => plan.dead.push(*name),
            Some(usage) if usage.has_purged || usage.needed < usage.total / 2 => plan.rewritten.push((*name, *pack)),
            Some(_) => continue,
        }
        plan.bytes += pack.size;
    }
    Ok(plan)
}

/// Appends the entry. Returns `false` if another writer was faster.
fn condemn(target: &mut Target, plan: Plan, outcome: &mut Outcome, progress: &dyn Progress) -> Result<bool> {
    let uploader = target.uploader();
    let task = progress.start("rewriting", Unit::Bytes, Some(plan.rewritten.iter().map(|(_, pack)| pack.size).sum()));
    let mut repacker = Repacker::new(target, &uploader);
    for (name, pack) in &plan.rewritten {
        let is_needed = |record: &Record| {
            let found = plan.records.find(record.object.name);
            Ok(found.is_some_and(|number| plan.needed[number] && plan.records.as_slice()[number] == *record))
        };
        repacker.add_pack(*name, *pack, is_needed)?;
        task.add(pack.size)?;
    }
    let (packs, new_records) = repacker.finish()?.into_parts();
    outcome.written = packs.iter().map(|pack| pack.size).sum();
    let mut condemned: Vec<FileName> = plan.dead.clone();
    condemned.extend(plan.rewritten.iter().map(|(name, _)| *name));
    let gone: BTreeSet<u64> = condemned.iter().map(|name| name.prefix()).collect();
    condemned.extend(&plan.orphans);
    condemned.extend(target.state().indexes.iter().map(|index| index.name));
    // One index has exactly what is left.
    let records = plan.records.as_slice().iter().zip(&plan.needed);
    let is_left = |record: &Record, is_needed: bool| is_needed && !gone.contains(&record.pack);
    let mut records: Vec<Record> =
        records.filter(|(record, is_needed)| is_left(record, **is_needed)).map(|(record, _)| *record).collect();
    records.extend(new_records);
    let indexes = if records.is_empty() { Vec::new() } else { vec![target.put_index(&mut records)?] };
    let change = Change { packs, condemned, indexes, absorbs: true, ..Change::default() };
    let appended = target.append(|target| {
        let is_unchanged = target.state().number() == plan.number;
        Ok(is_unchanged.then(|| change.clone()))
    })?;
    if appended.is_some() {
        target.write_fold()?;
    }
    Ok(appended.is_some())
}

/// Deletes files that were condemned long ago.
fn delete(target: &mut Target, outcome: &mut Outcome) -> Result<()> {
    let condemned: BTreeMap<u64, Vec<FileName>> = target.condemned_by_entry();
    if condemned.is_empty() {
        return Ok(());
    }
    let (now, times) = target.entry_times()?;
    let is_over = |number: &u64| times.get(number).is_some_and(|time: &Timestamp| now.seconds - time.seconds >= DELAY);
    let names: Vec<FileName> =
        condemned.iter().filter(|(number, _)| is_over(number)).flat_map(|(_, names)| names.iter().copied()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let mut keys: Vec<String> = names.iter().flat_map(|name| target.keys_of(*name)).collect();
    keys.extend(target.old_folds()?);
    outcome.freed =
        names.iter().filter_map(|name| target.state().condemned.get(name)?.pack).map(|pack| pack.size).sum();
    target.remote().delete(&keys)?;
    outcome.deleted = names.len() as u64;
    // The names were condemned in entries that everybody has or will read, and they never return.
    let change = Change { deleted: names, ..Change::default() };
    target.append(|_| Ok(Some(change.clone())))?;
    Ok(())
}

fn count_waiting(target: &Target, outcome: &mut Outcome) {
    let condemned = target.state().condemned.values();
    outcome.waiting = condemned.len() as u64;
    outcome.waiting_bytes = condemned.filter_map(|condemned| condemned.pack).map(|pack| pack.size).sum();
}
