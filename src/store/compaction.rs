//! Small packs made into larger ones. Short frames, as small commits leave them, are unpacked, and what is in them is
//! compressed together: it takes less room, and a log reads a thousand commits at once. Others are copied as they are.

use std::collections::HashSet;

use super::compress::{Decoder, Encoder};
use super::pack::file::{Builder, Sealed, publish};
use super::pack::{Frame, Pack, Record, Stretch, format};
use super::pack_set::Store;
use super::writer::{frame_of, new_frame};
use crate::error::{Error, ErrorKind, Result};
use crate::id::PackId;
use crate::object::ObjectKind;

/// Tiers by size in bytes, each 16 times the one before it. Larger packs are left as they are.
const TIERS: [u64; 3] = [64 << 10, 1 << 20, 16 << 20];

/// So many packs of one tier become one, most likely of the next tier: each object is copied three times at most.
const FAN_IN: usize = 16;

/// Bytes copied by one merge: some 30 ms, which a commit may take now and then.
const MOST: u64 = 64 << 20;

/// Frames of fewer bytes than this, when decoded, are unpacked. So an object is compressed again no more often than there
/// are tiers.
const SHORT: u32 = 64 << 10;

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
    /// [`ErrorKind::Damaged`] if any frame is: then the old packs are to stay. `None` if there are fewer than two.
    pub fn merge(&self, packs: &[PackId]) -> Result<Option<PackId>> {
        if packs.len() < 2 {
            return Ok(None);
        }
        let inputs = packs.iter().map(|&id| self.pack_named(id)).collect::<Result<Vec<&Pack>>>()?;
        let mut sealed = self.copy_frames(&inputs, false)?;
        if packs.contains(&sealed.id) {
            // One of them holds all that the others hold. The caller is going to remove it, so the new one must differ.
            sealed = self.copy_frames(&inputs, true)?;
        }
        sealed.sync(self.options().durability)?;
        let id = sealed.id;
        publish(&self.directory, vec![sealed], self.options().durability)?;
        Ok(Some(id))
    }

    /// Whether a pack is as it was written. Reads all of it.
    pub fn is_whole(&self, pack: PackId) -> bool {
        let mut has_broken = false;
        self.check_pack(pack, &mut |_| has_broken = true).is_ok() && !has_broken
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
        let mut gathering = Gathering::new(Encoder::new(self.options().compression));
        let mut stretch = Stretch::default();
        for section in [Section::Commits, Section::History, Section::Data] {
            for (pack, frames) in &lists {
                for (frame, records) in frames {
                    let is_short = frame.raw < SHORT;
                    let is_due = if is_short {
                        records.iter().any(|record| section.has(record))
                    } else {
                        Section::of(records) == section
                    };
                    if !is_due {
                        continue;
                    }
                    let stored = stretch.proven_frame(pack, frame.offset, frame.stored, &frame.checksum)?;
                    if is_short {
                        let these = records.iter().filter(|record| section.has(record));
                        gathering.add(&mut builder, pack, (frame, stored), these)?;
                    } else {
                        builder.push(*frame, stored, records.iter().copied())?;
                    }
                }
            }
            gathering.finish(&mut builder)?;
        }
        if with_empty_frame {
            builder.push(format::EMPTY_FRAME, &[], [])?;
        }
        builder.seal()
    }
}

/// What lies together in a merged pack, in this order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Commits,
    /// All else but file content.
    History,
    Data,
}

impl Section {
    fn has(self, record: &Record) -> bool {
        match record.kind {
            ObjectKind::Commit => self == Section::Commits,
            ObjectKind::Data => self == Section::Data,
            _ => self == Section::History,
        }
    }

    /// Of a frame that is copied as it is.
    fn of(records: &[Record]) -> Section {
        let all = |section: Section| records.iter().all(|record| section.has(record));
        match () {
            () if records.iter().any(|record| Section::Data.has(record)) => Section::Data,
            () if all(Section::Commits) => Section::Commits,
            () => Section::History,
        }
    }
}

/// Objects on their way from short frames into one.
struct Gathering {
    encoder: Encoder,
    decoder: Decoder,
    decoded: Vec<u8>,
    raw: Vec<u8>,
    records: Vec<Record>,
}

impl Gathering {
    fn new(encoder: Encoder) -> Gathering {
        let decoder = Decoder::default();
        Gathering { encoder, decoder, decoded: Vec::new(), raw: Vec::new(), records: Vec::new() }
    }

    /// Adds these objects of a frame of a pack.
    fn add<'r>(
        &mut self,
        builder: &mut Builder,
        pack: &Pack,
        (frame, stored): (&Frame, &[u8]),
        records: impl Iterator<Item = &'r Record>,
    ) -> Result<()> {
        let decoded = self.decoder.decode(frame.codec, stored, frame.raw as usize, &mut self.decoded);
        decoded.map_err(|error| pack.damaged(error))?;
        for record in records {
            let bytes = self.decoded.get(record.offset as usize..).and_then(|rest| rest.get(..record.length as usize));
            let bytes = bytes.ok_or_else(|| pack.damaged("an object lies outside of its frame"))?;
            if self.raw.len() + bytes.len() > frame_of(record.kind) {
                write(&mut self.encoder, (&mut self.raw, &mut self.records), builder)?;
            }
            self.records.push(Record { offset: self.raw.len() as u32, ..*record });
            self.raw.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn finish(&mut self, builder: &mut Builder) -> Result<()> {
        write(&mut self.encoder, (&mut self.raw, &mut self.records), builder)
    }
}

/// Writes what was gathered as one frame.
fn write(encoder: &mut Encoder, (raw, records): (&mut Vec<u8>, &mut Vec<Record>), builder: &mut Builder) -> Result<()> {
    if !records.is_empty() {
        let (frame, bytes) = new_frame(encoder, raw, records)?;
        builder.push(frame, bytes, records.iter().copied())?;
        raw.clear();
        records.clear();
    }
    Ok(())
}

/// The frames of a pack that hold anything not seen before, with what that is.
fn records_by_frame(pack: &Pack, seen: &mut HashSet<(ObjectKind, [u8; 32])>) -> Result<Vec<(Frame, Vec<Record>)>> {
    let table = pack.table()?;
    let mut frames: Vec<(Frame, Vec<Record>)> =
        (0..table.frame_count()).map(|n| (table.frame(n), Vec::new())).collect();
    for record in table.records().filter(|record| seen.insert((record.kind, record.id.0))) {
        frames[record.frame_number as usize].1.push(record);
    }
    frames.retain(|(_, records)| !records.is_empty());
    Ok(frames)
}
