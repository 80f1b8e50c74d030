//! Merges small packs into larger ones. Short frames, which small commits write, are decoded and their objects
//! compressed together: this saves space, and `log` reads a thousand commits at once. Other frames are copied
//! unchanged.

use std::collections::HashSet;

use super::compress::Encoder;
use super::pack::file::{Builder, Sealed, publish};
use super::pack::{Frame, FrameReader, Pack, Record, format};
use super::pack_set::Store;
use super::writer::FrameBuffer;
use crate::error::Result;
use crate::id::PackId;
use crate::object::ObjectKind;

/// Pack sizes that bound the tiers, each 16 times the previous one. Larger packs are not merged.
const TIERS: [u64; 3] = [64 << 10, 1 << 20, 16 << 20];

/// Number of packs of one tier that are merged. The result is usually in the next tier, so each object is copied three
/// times at most.
const FAN_IN: usize = 16;

/// Maximum number of bytes that one merge copies: about 30 ms, which a commit may take now and then.
const MOST: u64 = 64 << 20;

/// Frames shorter than this when decoded are merged. So an object is compressed again at most once per tier.
const SHORT: u32 = 64 << 10;

impl Store {
    /// Packs to merge into one, smallest first, limited in bytes. Empty if there are too few.
    pub fn merge_candidates(&self) -> Vec<PackId> {
        let mut tiers: [Vec<(u64, PackId)>; TIERS.len()] = Default::default();
        for (id, size) in self.packs() {
            // Size 0 means a pack that cannot be opened, which `verify` reports.
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

    /// Copies the frames of these packs into one new pack, durable on return, with an id different from theirs. Objects
    /// in more than one pack are copied once, hidden objects never. The caller records the change in the journal, then deletes the old packs.
    /// Fails with [`crate::error::ErrorKind::Damaged`] if a frame is damaged; the old packs must stay. `None` if there are fewer than
    /// two packs.
    pub fn merge(&self, packs: &[PackId]) -> Result<Option<PackId>> {
        if packs.len() < 2 {
            return Ok(None);
        }
        let inputs = packs.iter().map(|&id| self.pack_named(id)).collect::<Result<Vec<&Pack>>>()?;
        let mut sealed = self.copy_frames(&inputs)?;
        sealed.sync(self.options().durability)?;
        let id = sealed.id;
        publish(&self.directory, vec![sealed], self.options().durability)?;
        Ok(Some(id))
    }

    /// Whether all of a pack is intact. Reads the whole pack.
    pub fn is_whole(&self, pack: PackId) -> bool {
        let mut has_broken = false;
        self.check_pack(pack, &mut |_| has_broken = true).is_ok() && !has_broken
    }

    fn copy_frames(&self, packs: &[&Pack]) -> Result<Sealed> {
        let mut seen = HashSet::new();
        let mut lists = Vec::new();
        for &pack in packs {
            lists.push((pack, records_by_frame(pack, &mut seen)?));
        }
        let mut builder = Builder::new(&self.directory);
        let mut encoder = Encoder::new(self.options().compression);
        let (mut buffer, mut reader) = (FrameBuffer::default(), FrameReader::default());
        for section in [Section::Commits, Section::History, Section::Data] {
            for (pack, frames) in &lists {
                for SourceFrame { frame, records, has_hidden } in frames {
                    let is_copied = frame.raw >= SHORT && !has_hidden;
                    let is_due = if is_copied {
                        Section::of(records) == section
                    } else {
                        records.iter().any(|record| section.has(record))
                    };
                    if !is_due {
                        continue;
                    }
                    if is_copied {
                        let encoded = reader.encoded(pack, frame, &frame.checksum)?;
                        builder.push(*frame, encoded, records.iter().copied())?;
                        continue;
                    }
                    let decoded = reader.read(pack, frame, &frame.checksum)?;
                    for record in records.iter().filter(|record| section.has(record)) {
                        // The table of an open pack is verified, so the object lies within its frame.
                        let bytes = &decoded[record.offset as usize..][..record.length as usize];
                        buffer.add(*record, bytes, &mut encoder, &mut builder)?;
                    }
                }
            }
            buffer.write(&mut encoder, &mut builder)?;
        }
        if builder.is_empty() {
            // All objects are hidden.
            builder.push(format::EMPTY_FRAME, &[], [])?;
        }
        // One of the packs may hold everything that the others hold. The caller will delete it, so the new pack needs
        // another id.
        builder.seal(&|id| self.is_masked(id) || packs.iter().any(|pack| pack.id == id))
    }
}

/// Objects that are stored together in a merged pack, in this order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Commits,
    /// Everything else except file content.
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

    /// The section of a frame that is copied unchanged.
    fn of(records: &[Record]) -> Section {
        let all = |section: Section| records.iter().all(|record| section.has(record));
        match () {
            () if records.iter().any(|record| Section::Data.has(record)) => Section::Data,
            () if all(Section::Commits) => Section::Commits,
            () => Section::History,
        }
    }
}

/// A frame to copy.
struct SourceFrame {
    frame: Frame,
    /// The objects to copy.
    records: Vec<Record>,
    /// Whether the frame has hidden objects, whose bytes must not be copied.
    has_hidden: bool,
}

/// The frames of a pack with the visible objects in them that are not in `seen`.
fn records_by_frame(pack: &Pack, seen: &mut HashSet<(ObjectKind, [u8; 32])>) -> Result<Vec<SourceFrame>> {
    let table = pack.table()?;
    let source = |n| SourceFrame { frame: table.frame(n), records: Vec::new(), has_hidden: false };
    let mut frames: Vec<SourceFrame> = (0..table.frame_count()).map(source).collect();
    for (n, record) in (0..).zip(table.records()) {
        let frame = &mut frames[record.frame_number as usize];
        if pack.is_hidden(n) {
            frame.has_hidden = true;
        } else if seen.insert((record.kind, record.id.0)) {
            frame.records.push(record);
        }
    }
    frames.retain(|frame| !frame.records.is_empty());
    Ok(frames)
}
