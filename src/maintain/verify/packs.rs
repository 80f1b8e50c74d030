//! Reads the packs that the journal names: all from the first byte to the last, their structure, or a part.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use super::checked::{Checked, CheckedPacks};
use super::{Damage, Deadline, Outcome, Reporter, is_damage};
use crate::error::{Error, Result};
use crate::id::{ObjectId, PackId};
use crate::object::ObjectKind;
use crate::parallel;
use crate::progress::{Progress, Unit};
use crate::repo::{Repository, journal};
use crate::store::{BrokenFrame, PackCounts, Store};
use crate::time::Timestamp;

/// Objects that cannot be read from the pack that contains them.
pub(in crate::maintain) type BrokenObjects = HashMap<(ObjectKind, ObjectId), PackId>;

/// Checks all packs. Returns their total contents and the broken objects.
pub(in crate::maintain) fn check(
    repository: &Repository,
    reporter: &mut Reporter<'_>,
    progress: &dyn Progress,
) -> Result<(PackCounts, BrokenObjects)> {
    let store = repository.store();
    let packs = store.packs();
    let task = progress.start("reading packs", Unit::Bytes, Some(packs.iter().map(|(_, bytes)| bytes).sum()));
    let (mut contents, mut broken_objects) = (PackCounts::default(), BrokenObjects::new());
    let check = |&(pack, bytes): &(PackId, u64)| {
        let mut broken = Vec::new();
        let checked = store.check_pack(pack, &mut |part| broken.push(part));
        let checked = checked.and_then(|its| task.add(bytes).map(|()| its));
        (pack, broken, checked)
    };
    parallel::for_each_result(packs.iter(), check, |(pack, broken, checked)| {
        report_broken(pack, broken, &mut broken_objects, reporter)?;
        match checked {
            Ok(checked) => {
                contents.add(checked);
                Ok(())
            }
            Err(error) => report_unreadable(repository, pack, error, reporter),
        }
    })?;
    Ok((contents, broken_objects))
}

/// Checks header, footer and table of all packs. Returns their total contents, and the readable packs with the sizes of
/// their frames.
pub(super) fn check_structure(
    repository: &Repository,
    reporter: &mut Reporter<'_>,
    progress: &dyn Progress,
) -> Result<(PackCounts, Vec<(PackId, u64)>)> {
    let store = repository.store();
    let packs = store.packs();
    let task = progress.start("reading pack tables", Unit::Items, Some(packs.len() as u64));
    let (mut contents, mut readable, mut broken_objects) =
        (PackCounts::default(), Vec::new(), BrokenObjects::default());
    let check = |&(pack, _): &(PackId, u64)| {
        let mut broken = Vec::new();
        let checked = store.check_structure(pack, &mut |part| broken.push(part));
        let checked = checked.and_then(|counts| task.add(1).map(|()| counts));
        (pack, broken, checked)
    };
    parallel::for_each_result(packs.iter(), check, |(pack, broken, checked)| {
        report_broken(pack, broken, &mut broken_objects, reporter)?;
        match checked {
            Ok(checked) => {
                contents.add(checked);
                readable.push((pack, checked.frames));
                Ok(())
            }
            Err(error) => report_unreadable(repository, pack, error, reporter),
        }
    })?;
    Ok((contents, readable))
}

/// Part of a pack to read.
struct Portion {
    pack: PackId,
    before: Checked,
    /// Number of bytes after which to stop.
    most: u64,
}

/// Reads a share of the packs, those first that were checked longest ago, until the deadline. Remembers what was read.
/// Fills in the fields of `outcome` about it, and returns the broken objects.
pub(super) fn check_part(
    repository: &Repository,
    packs: &[(PackId, u64)],
    (share, deadline): (f64, Deadline<'_>),
    (reporter, outcome): (&mut Reporter<'_>, &mut Outcome),
    progress: &dyn Progress,
) -> Result<BrokenObjects> {
    let mut memory = CheckedPacks::read(&repository.layout);
    memory.retain(|id| packs.iter().any(|(pack, _)| *pack == id));
    let all: u64 = packs.iter().map(|(_, bytes)| bytes).sum();
    let portions = portions(packs, &memory, (share * all as f64).ceil() as u64);
    let most = portions.iter().map(|portion| portion.most).sum();
    let task = progress.start("reading packs", Unit::Bytes, Some(most));
    let (now, read) = (repository.environment.now(), AtomicU64::new(0));
    let check = |portion: &Portion| {
        let mut broken = Vec::new();
        let after = check_portion(repository.store(), portion, (now, deadline), &mut |part| broken.push(part));
        let added = after.as_ref().map_or(Ok(()), |(_, bytes)| {
            read.fetch_add(*bytes, Ordering::Relaxed);
            task.add(*bytes)
        });
        (portion.pack, broken, after, added)
    };
    let mut broken_objects = BrokenObjects::new();
    let result = parallel::for_each_result(portions.iter(), check, |(pack, broken, after, added)| {
        report_broken(pack, broken, &mut broken_objects, reporter)?;
        match after {
            Ok((checked, _)) => memory.set(pack, checked),
            Err(error) => report_unreadable(repository, pack, error, reporter)?,
        }
        added
    });
    // The memory is a cache, and the repository may be read-only.
    outcome.is_remembered = memory.write(&repository.layout).is_ok();
    let unread = |&(pack, bytes): &(PackId, u64)| match memory.of(pack) {
        Checked { time: None, bytes: checked, .. } => bytes.saturating_sub(checked),
        _ => 0,
    };
    outcome.read = read.into_inner();
    outcome.percent = (outcome.read * 100).checked_div(all).unwrap_or(100);
    outcome.never_read = packs.iter().map(unread).sum();
    result.map(|()| broken_objects)
}

/// Selects what to read: packs that were damaged whole, then the given number of bytes. Packs that are partly read come
/// first, then those never read, then the others by age.
fn portions(packs: &[(PackId, u64)], memory: &CheckedPacks, mut most: u64) -> Vec<Portion> {
    let mut order: Vec<_> = packs.iter().map(|&(pack, bytes)| (memory.of(pack), pack, bytes)).collect();
    order.sort_by_key(|(checked, pack, _)| (!checked.is_damaged, checked.frames == 0, checked.time, *pack));
    let mut portions = Vec::new();
    for (before, pack, bytes) in order {
        if before.is_damaged {
            portions.push(Portion { pack, before: Checked { frames: 0, bytes: 0, ..before }, most: bytes });
        } else if most > 0 {
            let portion = bytes.saturating_sub(before.bytes).min(most);
            most -= portion;
            portions.push(Portion { pack, before, most: portion });
        }
    }
    portions
}

/// Reads part of a pack. Returns what is checked of the pack afterwards, and the number of bytes read.
fn check_portion(
    store: &Store,
    portion: &Portion,
    (now, deadline): (Timestamp, Deadline<'_>),
    broken: &mut dyn FnMut(BrokenFrame),
) -> Result<(Checked, u64)> {
    let (mut bytes, mut is_damaged) = (0, false);
    let mut continues = |stored: u64| {
        let is_over = bytes >= portion.most || deadline.is_over();
        bytes += if is_over { 0 } else { stored };
        !is_over
    };
    let mut broken = |part| {
        is_damaged = true;
        broken(part);
    };
    let (frames, is_partial) =
        store.check_pack_part(portion.pack, portion.before.frames, &mut continues, &mut broken)?;
    let before = portion.before;
    let is_damaged = is_damaged || is_partial && before.is_damaged;
    let after = match is_partial {
        true => Checked { frames, bytes: before.bytes + bytes, is_damaged, ..before },
        false => Checked { time: Some(now), frames: 0, bytes: 0, is_damaged },
    };
    Ok((after, bytes))
}

fn report_broken(
    pack: PackId,
    broken: Vec<BrokenFrame>,
    broken_objects: &mut BrokenObjects,
    reporter: &mut Reporter<'_>,
) -> Result<()> {
    for BrokenFrame { objects, error } in broken {
        broken_objects.extend(objects.into_iter().map(|object| (object, pack)));
        reporter.damage(Damage { pack: Some(pack), ..Damage::new("pack", error) })?;
    }
    Ok(())
}

/// Reports an unreadable pack, unless a concurrent compaction has removed it.
fn report_unreadable(repository: &Repository, pack: PackId, error: Error, reporter: &mut Reporter<'_>) -> Result<()> {
    if !is_damage(&error) {
        return Err(error);
    }
    let is_named = journal::load(&repository.layout.journal()).map_or(true, |now| now.state.packs.contains(&pack));
    if !is_named {
        return Ok(());
    }
    reporter.damage(Damage { pack: Some(pack), ..Damage::new("pack", error) })
}
