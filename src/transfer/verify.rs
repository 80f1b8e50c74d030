//! Verifies a target: its log, its files, and that it has everything that commits need.

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::parallel;
use crate::progress::{Progress, Unit};
use crate::store::FrameDecoder;
use crate::target::{FileName, Pack, Record, Target};

use super::download::decode;
use super::mark::Marker;

/// What to verify.
pub struct Options {
    /// Share of the packs to read, from 0 to 1. 0 reads none: their files are only listed.
    pub sample: f64,
    /// Number of requests at the same time.
    pub connections: usize,
}

/// What was verified.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What is damaged or missing.
    pub damage: Vec<Error>,
    /// Number of commits.
    pub commits: u64,
    /// Number of objects in the indexes.
    pub objects: u64,
    /// Number of packs.
    pub packs: u64,
    /// Number of packs that were read.
    pub packs_read: u64,
    /// Number of bytes that were read.
    pub bytes_read: u64,
}

/// Reads the whole log and all metadata, and as many packs as asked for. Only reads.
pub fn verify(target: &mut Target, options: &Options, progress: &dyn Progress) -> Result<Outcome> {
    target.reread()?;
    let mut outcome = Outcome::default();
    let state = target.state();
    outcome.commits = state.streams.values().map(|stream| stream.commits.len() as u64).sum();
    outcome.packs = state.packs.len() as u64;
    outcome.damage.extend(target.damaged_sizes()?);
    let read = sample(target, options.sample)?;
    let total = read.iter().map(|(_, pack)| pack.size).sum();
    let task = progress.start("reading", Unit::Bytes, Some(total));
    let results =
        parallel::try_map_on(options.connections, read.into_iter(), FrameDecoder::default, |decoder, one| {
            let (name, pack) = one;
            task.add(pack.size)?;
            // Another kind of error says nothing about the pack.
            match verify_pack(target, name, pack, decoder) {
                Err(error) if error.kind() != ErrorKind::Damaged => Err(error),
                checked => Ok((pack.size, checked.err())),
            }
        })?;
    for (size, damage) in results {
        outcome.packs_read += 1;
        outcome.bytes_read += size;
        outcome.damage.extend(damage);
    }
    drop(task);
    let task = progress.start("verifying", Unit::Items, None);
    let records = match target.all_records() {
        Err(error) if error.kind() == ErrorKind::Damaged => {
            outcome.damage.push(error);
            return Ok(outcome);
        }
        records => records?,
    };
    outcome.objects = records.as_slice().len() as u64;
    let mut marker = Marker::new(target, None, &records, options.connections);
    match marker.mark_all(&*task) {
        Err(error) if error.kind() == ErrorKind::Damaged => outcome.damage.push(error),
        marked => marked?,
    }
    outcome.damage.extend(marker.finish().1);
    Ok(outcome)
}

/// The packs to read: all, or a random share, but at least one.
fn sample(target: &Target, share: f64) -> Result<Vec<(FileName, Pack)>> {
    let mut packs: Vec<(FileName, Pack)> = target.state().packs.iter().map(|(name, pack)| (*name, *pack)).collect();
    if share >= 1.0 {
        return Ok(packs);
    }
    let count = if share > 0.0 { ((packs.len() as f64 * share).ceil() as usize).max(1) } else { 0 };
    let salt: [u8; 32] = fs::random()?;
    packs.sort_by_cached_key(|(name, _)| *blake3::keyed_hash(&salt, &name.0).as_bytes());
    packs.truncate(count);
    Ok(packs)
}

/// Reads a pack: its name, its table, and all of its frames.
fn verify_pack(target: &Target, name: FileName, pack: Pack, decoder: &mut FrameDecoder) -> Result<()> {
    let (frames, tables) = target.read_table(name, pack)?;
    for records in tables.values() {
        let decoded = decode(target, &frames, &records[0], decoder)?.len();
        let is_inside = |record: &Record| record.object.offset as usize + record.object.length as usize <= decoded;
        if !records.iter().all(is_inside) {
            return Err(Error::damaged(format!("an object lies outside of its frame in pack `{name}`")));
        }
    }
    Ok(())
}
