//! Small packs made into larger ones: frames are copied as they are, so it costs what copying costs.

use std::collections::HashSet;

use super::pack::file::{Builder, Sealed, publish};
use super::pack::{Frame, Pack, Record, format};
use super::set::Store;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::PackId;
use crate::object::ObjectKind;

/// Tiers by size in bytes, each 16 times the one before it. Larger packs are left as they are.
const TIERS: [u64; 3] = [64 << 10, 1 << 20, 16 << 20];

/// So many packs of one tier become one, most likely of the next tier: each object is copied three times at most.
const FAN_IN: usize = 16;

/// Bytes copied by one merge: some 30 ms, which a commit may take now and then.
const MOST: u64 = 64 << 20;

impl Store {
    /// Packs worth merging into one, smallest first; empty if none. Bounded in bytes.
    pub fn merge_candidates(&self) -> Vec<PackId> {
        let mut tiers: [Vec<(u64, PackId)>; TIERS.len()] = Default::default();
        for (id, size) in self.packs() {
            // A size of 0 is a pack that cannot be opened: left for `verify` to tell.
            if let Some(tier) = TIERS.iter().position(|&limit| (1..=limit).contains(&size)) {
                tiers[tier].push((size, id));
            }
        }
        let Some(mut full) = tiers.into_iter().find(|tier| tier.len() >= FAN_IN) else { return Vec::new() };
        full.sort_unstable();
        let mut sum = 0;
        let fits = |&(size, _): &(u64, PackId)| {
            sum += size;
            sum <= MOST
        };
        full.into_iter().take_while(fits).map(|(_, id)| id).collect()
    }

    /// Copies the frames of these packs into one new pack, durable when it returns and never one of them. Objects that
    /// lie in two of them are named once. The caller adds the new one and removes the old ones, after the journal says so.
    /// [`ErrorKind::Damaged`] if any frame is: then the old packs are to stay.
    pub fn merge(&self, packs: &[PackId]) -> Result<PackId> {
        let inputs = packs.iter().map(|&id| self.pack_named(id)).collect::<Result<Vec<&Pack>>>()?;
        fs::create_dir_private(&self.directory.join("tmp"))?;
        let mut sealed = self.copy_frames(&inputs, false)?;
        if packs.contains(&sealed.id) {
            // One of them holds all that the others hold. The caller is going to remove it, so the new one must differ.
            sealed = self.copy_frames(&inputs, true)?;
        }
        sealed.sync()?;
        let id = sealed.id;
        publish(&self.directory, vec![sealed])?;
        Ok(id)
    }

    fn pack_named(&self, id: PackId) -> Result<&Pack> {
        let found = self.packs.iter().find(|pack| pack.id == id);
        found.ok_or_else(|| Error::new(ErrorKind::Internal, format!("pack `{id}` is not in the store")))
    }

    fn copy_frames(&self, packs: &[&Pack], with_empty_frame: bool) -> Result<Sealed> {
        let mut seen = HashSet::new();
        let mut lists = Vec::new();
        for &pack in packs {
            lists.push((pack, records_by_frame(pack, &mut seen)?));
        }
        let mut builder = Builder::new(&self.directory);
        let mut stored = Vec::new();
        // History first, so that it lies together.
        for is_data in [false, true] {
            for (pack, frames) in &lists {
                for (frame, records) in frames.iter().filter(|(_, records)| holds_data(records) == is_data) {
                    read_checked_frame(pack, frame, &mut stored)?;
                    builder.push(*frame, &stored, records.iter().copied())?;
                }
            }
        }
        if with_empty_frame {
            builder.push(format::EMPTY_FRAME, &[], [])?;
        }
        builder.seal()
    }
}

/// The frames of a pack that hold anything not seen before, with what that is.
fn records_by_frame(pack: &Pack, seen: &mut HashSet<(ObjectKind, [u8; 32])>) -> Result<Vec<(Frame, Vec<Record>)>> {
    let table = pack.table()?;
    let mut frames: Vec<(Frame, Vec<Record>)> =
        (0..table.frame_count()).map(|n| (table.frame(n), Vec::new())).collect();
    for record in table.records().filter(|record| seen.insert((record.kind, record.id.0))) {
        frames[record.frame as usize].1.push(record);
    }
    frames.retain(|(_, records)| !records.is_empty());
    Ok(frames)
}

fn holds_data(records: &[Record]) -> bool {
    records.iter().any(|record| record.kind == ObjectKind::Data)
}

/// Reads the bytes of a frame in the file, which are those that were written.
pub(super) fn read_checked_frame(pack: &Pack, frame: &Frame, to: &mut Vec<u8>) -> Result<()> {
    pack.read_frame(frame.offset, frame.stored, to)?;
    if format::checksum(to) == frame.checksum {
        return Ok(());
    }
    Err(pack.damaged(format_args!("wrong checksum of the frame at byte {}", frame.offset)))
}
