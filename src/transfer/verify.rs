//! Verifies a target: its log, its files, and that it has everything that commits need.

use std::collections::BTreeSet;

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::parallel;
use crate::progress::{Progress, Unit};
use crate::store::FrameDecoder;
use crate::target::{FileName, Pack, Target};

use super::download::decode;
use super::mark::Marker;

/// Hint for a file at the end of the log.
const VOID: &str =
    "push from a machine that has pushed before: if that fails, add a new target: undo target add NAME URL";

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
    /// The packs and indexes that are damaged or missing.
    pub files: BTreeSet<FileName>,
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
    loop {
        let outcome = verify_once(target, options, progress)?;
        // What seems to be missing may have been deleted meanwhile, because it was no longer needed.
        if !outcome.damage.first().is_some_and(|damage| target.has_moved(damage)) {
            return Ok(outcome);
        }
    }
}

fn verify_once(target: &mut Target, options: &Options, progress: &dyn Progress) -> Result<Outcome> {
    target.reread()?;
    let mut outcome = Outcome::default();
    let state = target.state();
    outcome.commits = state.streams.values().map(|stream| stream.commits.len() as u64).sum();
    outcome.packs = state.packs.len() as u64;
    // The next entry would prove that void ones before it never counted.
    outcome.damage.extend(state.void_end().map(|number| {
        let message = format!("entry {number} of the log is not authentic");
        Error::damaged(message + ": it was damaged, or written without the keys").hint(VOID)
    }));
    match target.check_identity() {
        Err(error) if error.kind() == ErrorKind::Damaged => outcome.damage.push(error),
        checked => checked?,
    }
    for (name, error) in target.damaged_sizes()? {
        outcome.add(name, Some(error));
    }
    outcome.damage.extend(target.damaged_slots()?);
    verify_packs(target, options, &mut outcome, progress)?;
    if options.sample > 0.0 {
        verify_indexes(target, &mut outcome)?;
    }
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

/// Reads packs, except those that the outcome lists already.
fn verify_packs(target: &Target, options: &Options, outcome: &mut Outcome, progress: &dyn Progress) -> Result<()> {
    let mut packs = sample(target, options.sample)?;
    packs.retain(|(name, _)| !outcome.files.contains(name));
    let task = progress.start("reading", Unit::Bytes, Some(packs.iter().map(|(_, pack)| pack.size).sum()));
    let verify = |decoder: &mut FrameDecoder, (name, pack): (FileName, Pack)| {
        task.add(pack.size)?;
        Ok((name, pack.size, damage_of(|| verify_pack(target, name, pack, decoder))?))
    };
    for (name, size, damage) in
        parallel::try_map_on(options.connections, packs.into_iter(), FrameDecoder::default, verify)?
    {
        outcome.packs_read += 1;
        outcome.bytes_read += size;
        outcome.add(name, damage);
    }
    Ok(())
}

/// Reads indexes, except those that the outcome lists already.
fn verify_indexes(target: &Target, outcome: &mut Outcome) -> Result<()> {
    for index in &target.state().indexes {
        if !outcome.files.contains(&index.name) {
            outcome.add(index.name, damage_of(|| target.check_index(index.name))?);
        }
    }
    Ok(())
}

impl Outcome {
    /// Adds what is wrong with a file, if anything.
    fn add(&mut self, name: FileName, damage: Option<Error>) {
        if let Some(error) = damage {
            self.files.insert(name);
            self.damage.push(error);
        }
    }
}

/// The damage that a check finds twice: an answer may have been damaged on its way. Another kind of error says nothing about the
/// target, and is returned as an error.
fn damage_of(mut check: impl FnMut() -> Result<()>) -> Result<Option<Error>> {
    let mut damage = None;
    for _ in 0..2 {
        match check() {
            Err(error) if error.kind() == ErrorKind::Damaged => damage = Some(error),
            checked => return checked.map(|()| None),
        }
    }
    Ok(damage)
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
        let decoded = decode(target, &frames, &records[0], decoder)?;
        if records.iter().any(|record| record.object.bytes_in(decoded).is_none()) {
            return Err(Error::damaged(format!("an object lies outside its frame in pack `{name}`")));
        }
    }
    Ok(())
}
