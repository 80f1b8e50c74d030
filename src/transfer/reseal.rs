//! Rewrites packs that are sealed with keys of an older generation.

use crate::error::Result;
use crate::parallel;
use crate::progress::{Progress, Task, Unit};
use crate::target::{FileName, NewPack, Pack, Record, Target, Uploader, encoded_frame};

use super::upload::{Totals, Uploaded};

/// Number of packs that one entry replaces. An interrupted rewrite repeats at most these.
const SLICE: usize = 16;

/// Rewrites all packs with the keys in force, in slices. An entry adds the new packs of a slice and condemns the old ones, so that
/// every object is in a live pack at any time.
pub fn reseal(target: &mut Target, connections: usize, progress: &dyn Progress) -> Result<Totals> {
    let total = target.state().old_packs().map(|(_, pack)| pack.size).sum();
    let task = progress.start("rewriting packs", Unit::Bytes, Some(total));
    let mut totals = Totals::default();
    loop {
        let old: Vec<(FileName, Pack)> = target.state().old_packs().take(SLICE).collect();
        if old.is_empty() {
            return Ok(totals);
        }
        let (uploader, since) = (target.uploader(), target.state().number());
        let reader: &Target = target;
        let packs = parallel::try_map_on(
            connections,
            old.iter(),
            || (),
            |(), (name, pack)| rewrite(reader, &uploader, *name, *pack, &*task),
        );
        let packs = match packs {
            // A collector has deleted one of them.
            Err(error) if target.has_moved(&error) => continue,
            packs => packs?,
        };
        let uploaded = Uploaded::new(packs);
        let slice = uploaded.totals();
        let mut change = uploaded.into_change(target)?;
        change.condemned = old.iter().map(|(name, _)| *name).collect();
        let recorded = target.append(|target| {
            // A collector may have condemned an old pack meanwhile, or a new one that no entry named. Then the slice is planned again.
            Ok((target.state().last_removal <= since).then(|| change.clone()))
        })?;
        if recorded.is_some() {
            totals += slice;
        }
    }
}

/// Uploads a pack with the same frames.
fn rewrite(
    target: &Target,
    uploader: &Uploader,
    name: FileName,
    pack: Pack,
    task: &dyn Task,
) -> Result<(NewPack, Vec<Record>)> {
    let (frames, records) = target.read_table(name, pack)?;
    let mut new = uploader.new_pack();
    for of_frame in records.values() {
        let plain = target.open_frame(&frames, &of_frame[0])?;
        new.push(&encoded_frame(&plain)?, of_frame.iter().map(|record| record.object).collect())?;
    }
    let uploaded = uploader.put_pack(new, pack.is_meta)?;
    task.add(pack.size)?;
    Ok(uploaded)
}
