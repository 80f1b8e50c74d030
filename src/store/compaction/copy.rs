//! Copies objects to new packs, in a given order.

use super::candidates::{Candidate, Candidates};
use super::order::Rank;
use crate::error::Result;
use crate::object::ObjectKind;
use crate::progress::Task;
use crate::store::compress::{Compression, Encoder};
use crate::store::pack::file::{Builder, Sealed};
use crate::store::pack::{FrameReader, Record};
use crate::store::pack_set::Store;
use crate::store::writer::{self, FrameBuffer};

/// Longer objects get a frame each, as when they were written.
const LONG: u32 = 256 << 10;

/// Versions of an object of at least this size share frames of 1 MiB, others frames of 256 KiB.
const MEDIUM: u32 = 16 << 10;

/// Maximum number of decoded bytes in memory.
const BATCH: usize = 16 << 20;

/// Level of Zstandard for old versions: they are written once, and higher levels find matches farther away.
const LEVEL: i32 = 6;

/// Objects that are stored together, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Commits,
    Metadata,
    Data,
    OldMetadata,
    OldData,
}

/// An object, in the order of the new packs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    section: Section,
    rank: Rank,
    /// Place in the old packs.
    place: (u32, u32, u32),
    number: u32,
}

/// Copies all candidates.
pub fn copy(store: &Store, candidates: &Candidates<'_>, ranks: &[Rank], task: &dyn Task) -> Result<Vec<Sealed>> {
    let mut items: Vec<Item> = candidates.numbers().map(|number| item(candidates, ranks, number)).collect();
    items.sort_unstable();
    let mut copier = Copier {
        store,
        candidates,
        task,
        reader: FrameReader::default(),
        builder: new_pack(store),
        sealed: Vec::new(),
        full: store.full_pack(),
    };
    let whole = copier.whole_frames(&items);
    for part in items.chunk_by(|a, b| a.section == b.section) {
        let section = part[0].section;
        copier.section(section, part, &whole)?;
    }
    copier.finish()
}

/// A pack that is staged in `gc/`, which the holder of the lock does not empty.
fn new_pack(store: &Store) -> Builder {
    Builder::staged_in(store.directory().join("gc"))
}

fn item(candidates: &Candidates<'_>, ranks: &[Rank], number: u32) -> Item {
    let Candidate { pack, record } = candidates.get(number);
    let rank = ranks[number as usize];
    // Long objects share no frame with others, so they stay where they are.
    let is_old = matches!(rank, Rank::Old { .. }) && record.length <= LONG;
    let section = match (record.kind, is_old) {
        (ObjectKind::Commit, _) => Section::Commits,
        (ObjectKind::Data, false) => Section::Data,
        (ObjectKind::Data, true) => Section::OldData,
        (_, false) => Section::Metadata,
        (_, true) => Section::OldMetadata,
    };
    let place = (pack as u32, record.frame_number, record.offset);
    let rank = if record.kind == ObjectKind::Commit { Rank::Unknown } else { rank };
    Item { section, rank, place, number }
}

struct Copier<'a> {
    store: &'a Store,
    candidates: &'a Candidates<'a>,
    task: &'a dyn Task,
    reader: FrameReader,
    builder: Builder,
    sealed: Vec<Sealed>,
    /// Size of a full pack.
    full: u64,
}

/// For each frame of each pack, whether it is copied without decoding.
type WholeFrames = Vec<Vec<bool>>;

impl Copier<'_> {
    /// Determines the frames that are copied as they are: long enough, without hidden objects, and all objects are in one of
    /// the sections that keep frames.
    fn whole_frames(&self, items: &[Item]) -> WholeFrames {
        let mut whole: WholeFrames = (0..self.candidates.pack_count())
            .map(|pack| self.candidates.hidden_frames(pack).into_iter().map(|has_hidden| !has_hidden).collect())
            .collect();
        for item in items {
            let (pack, frame, _) = item.place;
            let is_long = self.candidates.frame(pack as usize, frame).raw >= writer::LARGE as u32;
            let keeps_frames = matches!(item.section, Section::Metadata | Section::Data);
            if !(is_long && keeps_frames) {
                whole[pack as usize][frame as usize] = false;
            }
        }
        whole
    }

    fn section(&mut self, section: Section, items: &[Item], whole: &WholeFrames) -> Result<()> {
        let is_whole = |item: &&Item| whole[item.place.0 as usize][item.place.1 as usize];
        let (mut kept, decoded): (Vec<Item>, Vec<Item>) = items.iter().copied().partition(|item| is_whole(&item));
        // Frames stay in the order of the old packs.
        kept.sort_unstable_by_key(|item| item.place);
        for frame in kept.chunk_by(|a, b| (a.place.0, a.place.1) == (b.place.0, b.place.1)) {
            self.copy_frame(frame)?;
        }
        let is_old = matches!(section, Section::OldMetadata | Section::OldData);
        let compression = match self.store.options().compression {
            Compression::Zstd(level) if is_old => Compression::Zstd(level.max(LEVEL)),
            compression => compression,
        };
        let mut encoder = Encoder::new(compression);
        let mut buffer = FrameBuffer::default();
        for batch in self.batches(&decoded) {
            let (bytes, ranges) = self.load(batch)?;
            for (item, range) in batch.iter().zip(ranges) {
                let record = self.candidates.get(item.number).record;
                if is_old {
                    buffer.set_limit(if record.length < MEDIUM { LONG as usize } else { 4 * LONG as usize });
                }
                self.make_room()?;
                if record.length as usize >= writer::LARGE && !is_old {
                    buffer.write(&mut encoder, &mut self.builder)?;
                    buffer.add(record, &bytes[range], &mut encoder, &mut self.builder)?;
                    buffer.write(&mut encoder, &mut self.builder)?;
                } else {
                    buffer.add(record, &bytes[range], &mut encoder, &mut self.builder)?;
                }
            }
        }
        buffer.write(&mut encoder, &mut self.builder)
    }

    /// Copies a frame without decoding it. `items`: all its objects.
    fn copy_frame(&mut self, items: &[Item]) -> Result<()> {
        self.make_room()?;
        let (pack, number, _) = items[0].place;
        let frame = self.candidates.frame(pack as usize, number);
        let encoded = self.reader.encoded(self.candidates.pack(pack as usize), &frame, &frame.checksum)?;
        let records: Vec<Record> = items.iter().map(|item| self.candidates.get(item.number).record).collect();
        self.task.add(records.iter().map(|record| u64::from(record.length)).sum())?;
        self.builder.push(frame, encoded, records)
    }

    /// Splits items into batches that fit in memory.
    fn batches<'i>(&self, items: &'i [Item]) -> Vec<&'i [Item]> {
        let (mut batches, mut start, mut bytes) = (Vec::new(), 0, 0);
        for (n, item) in items.iter().enumerate() {
            bytes += self.candidates.get(item.number).record.length as usize;
            if bytes >= BATCH {
                batches.push(&items[start..=n]);
                (start, bytes) = (n + 1, 0);
            }
        }
        batches.push(&items[start..]);
        batches
    }

    /// Reads the objects of a batch, decoding each frame once. Returns their bytes, and the range of each.
    fn load(&mut self, items: &[Item]) -> Result<(Vec<u8>, Vec<std::ops::Range<usize>>)> {
        let mut by_place: Vec<usize> = (0..items.len()).collect();
        by_place.sort_unstable_by_key(|&n| items[n].place);
        let size: usize = items.iter().map(|item| self.candidates.get(item.number).record.length as usize).sum();
        let (mut bytes, mut ranges) = (Vec::with_capacity(size), vec![0..0; items.len()]);
        for frame in
            by_place.chunk_by(|&a, &b| (items[a].place.0, items[a].place.1) == (items[b].place.0, items[b].place.1))
        {
            let (pack, number, _) = items[frame[0]].place;
            let found = self.candidates.frame(pack as usize, number);
            let decoded = self.reader.read(self.candidates.pack(pack as usize), &found, &found.checksum)?;
            let before = bytes.len();
            for &n in frame {
                let record = self.candidates.get(items[n].number).record;
                let start = bytes.len();
                // The table of an open pack is verified, so the object lies within its frame.
                bytes.extend_from_slice(&decoded[record.offset as usize..][..record.length as usize]);
                ranges[n] = start..bytes.len();
            }
            self.task.add((bytes.len() - before) as u64)?;
        }
        Ok((bytes, ranges))
    }

    /// Begins a new pack if this one is full. Objects that wait for a frame go to the new one.
    fn make_room(&mut self) -> Result<()> {
        if self.builder.size() >= self.full || self.builder.objects() >= writer::OBJECTS {
            let full = std::mem::replace(&mut self.builder, new_pack(self.store));
            self.seal(full)?;
        }
        Ok(())
    }

    fn seal(&mut self, builder: Builder) -> Result<()> {
        let is_taken =
            |id| self.store.has_pack(id) || self.store.is_masked(id) || self.sealed.iter().any(|pack| pack.id == id);
        self.sealed.push(builder.seal(&is_taken)?);
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<Sealed>> {
        let last = std::mem::replace(&mut self.builder, new_pack(self.store));
        if !last.is_empty() {
            self.seal(last)?;
        }
        Ok(self.sealed)
    }
}
