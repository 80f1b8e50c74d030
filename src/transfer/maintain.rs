//! Keeps a target cheap to read: after many entries, a writer puts small packs and index records together and writes a fold.
//!
//! Nothing is deleted: what was replaced is condemned, and collecting garbage deletes it.

use crate::error::Result;
use crate::target::{Change, FileName, IndexFile, Pack, Record, Target};

use super::repack::Repacker;

/// Number of entries after which a writer does this work.
const ENTRIES: u64 = 64;

/// Larger packs stay as they are.
const SMALL: u64 = 4 << 20;

/// Minimum number of packs to put together.
const PACKS: usize = 8;

/// Indexes up to this size are always put together.
const SMALL_INDEX: u64 = 8192;

/// Whether a target should be maintained: enough entries were appended since the last time.
pub fn is_due(target: &Target) -> bool {
    target.state().number() >= target.state().absorbed + ENTRIES
}

/// Puts small packs and index records together, and writes a fold. Leaves the target as it is if another writer appends an entry
/// meanwhile.
pub fn maintain(target: &mut Target) -> Result<()> {
    let before = target.state().number();
    let uploader = target.uploader();
    let mut condemned: Vec<FileName> = Vec::new();
    let mut repacker = Repacker::new(target, &uploader);
    for is_meta in [false, true] {
        for (name, pack) in small_packs(target, is_meta) {
            let is_needed =
                |record: &Record| Ok(target.find(record.object.name)?.is_some_and(|found| found == *record));
            repacker.add_pack(name, pack, is_needed)?;
            condemned.push(name);
        }
    }
    let (packs, new_records) = repacker.finish()?.into_parts();
    let (mut records, indexes) = small_indexes(target)?;
    let is_gone = |record: &Record| condemned.iter().any(|name| name.prefix() == record.pack);
    records.retain(|record| !is_gone(record));
    records.extend(new_records);
    condemned.extend(indexes);
    let index = target.put_index(&mut records)?;
    let change = Change { packs, condemned, indexes: vec![index], absorbs: true, ..Change::default() };
    let is_unchanged = |target: &Target| Ok((target.state().number() == before).then(|| change.clone()));
    match target.append(is_unchanged)? {
        Some(_) => target.write_fold(),
        None => Ok(()),
    }
}

/// Packs to put together: the smallest ones, as long as the next is not larger than all before it. So each byte is written again a
/// few times only.
fn small_packs(target: &Target, is_meta: bool) -> Vec<(FileName, Pack)> {
    let packs = target.state().packs.iter().filter(|(_, pack)| pack.is_meta == is_meta && pack.size < SMALL);
    let mut packs: Vec<(FileName, Pack)> = packs.map(|(name, pack)| (*name, *pack)).collect();
    packs.sort_unstable_by_key(|(name, pack)| (pack.size, *name));
    let mut total = 0;
    let count = packs.iter().take_while(|(_, pack)| {
        let is_small = total == 0 || pack.size <= total;
        total += pack.size;
        is_small
    });
    let count = count.count();
    packs.truncate(if count < PACKS { 0 } else { count });
    packs
}

/// The records of the log and of small indexes, and the names of these indexes.
fn small_indexes(target: &Target) -> Result<(Vec<Record>, Vec<FileName>)> {
    let state = target.state();
    let mut records: Vec<Record> = state.records.iter().rev().copied().collect();
    let mut names = Vec::new();
    let mut indexes: Vec<&IndexFile> = state.indexes.iter().collect();
    indexes.sort_by_key(|index| index.objects);
    for index in indexes {
        if index.objects > SMALL_INDEX.max(2 * records.len() as u64) {
            break;
        }
        records.extend(target.index_records(index)?);
        names.push(index.name);
    }
    records.retain(|record| state.pack(record.pack).is_some());
    Ok((records, names))
}
