//! The objects of the packs that a compaction rewrites, found by id.

use crate::error::{Error, ErrorKind, Result};
use crate::id::{ObjectId, PackId};
use crate::object::ObjectKind;
use crate::store::pack::{Frame, Pack, Record, Table};
use crate::store::pack_set::Store;

/// Visible objects of some packs, each once. An object has a number, which counts the records of all these packs.
pub struct Candidates<'s> {
    packs: Vec<Source<'s>>,
    /// First bytes and number of each object, sorted.
    by_id: Vec<(u64, u32)>,
}

struct Source<'s> {
    pack: &'s Pack,
    table: Table<'s>,
    /// Number of its first record.
    first: u32,
}

/// An object to copy.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Position of its pack.
    pub pack: usize,
    /// The object.
    pub record: Record,
}

impl<'s> Candidates<'s> {
    /// The objects of these packs of a store.
    pub fn of(store: &'s Store, ids: &[PackId]) -> Result<Candidates<'s>> {
        let (mut packs, mut by_id, mut first) = (Vec::new(), Vec::new(), 0u32);
        for &id in ids {
            let pack = store.pack_named(id)?;
            let table = pack.table()?;
            packs.push(Source { pack, table, first });
            by_id.extend(pack.visible()?.map(|(n, record)| (prefix(record.kind, record.id), first + n)));
            let count = u32::try_from(table.len()).ok().and_then(|count| first.checked_add(count));
            first = count.ok_or_else(|| Error::new(ErrorKind::Unsupported, "too many objects for one compaction"))?;
        }
        by_id.sort_unstable();
        let mut candidates = Candidates { packs, by_id };
        candidates.remove_duplicates();
        Ok(candidates)
    }

    /// Keeps the first copy of each object.
    fn remove_duplicates(&mut self) {
        let mut kept: Vec<(u64, u32)> = Vec::with_capacity(self.by_id.len());
        for &(prefix, number) in &self.by_id {
            let key = self.key(number);
            let same = kept.iter().rev().take_while(|(other, _)| *other == prefix);
            if !same.into_iter().any(|(_, other)| self.key(*other) == key) {
                kept.push((prefix, number));
            }
        }
        self.by_id = kept;
    }

    /// The number of an object.
    pub fn find(&self, kind: ObjectKind, id: ObjectId) -> Option<u32> {
        let prefix = prefix(kind, id);
        let start = self.by_id.partition_point(|(other, _)| *other < prefix);
        let matching = self.by_id[start..].iter().take_while(|(other, _)| *other == prefix);
        matching.map(|(_, number)| *number).find(|&number| self.key(number) == (kind, id))
    }

    /// The object with this number.
    pub fn get(&self, number: u32) -> Candidate {
        let pack = self.packs.partition_point(|source| source.first <= number) - 1;
        let source = &self.packs[pack];
        Candidate { pack, record: source.table.record((number - source.first) as usize) }
    }

    fn key(&self, number: u32) -> (ObjectKind, ObjectId) {
        let Record { kind, id, .. } = self.get(number).record;
        (kind, id)
    }

    /// Numbers of all objects.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.by_id.iter().map(|(_, number)| *number)
    }

    /// One more than the largest number.
    pub fn end(&self) -> usize {
        self.packs.last().map_or(0, |source| source.first as usize + source.table.len())
    }

    /// The pack at this position.
    pub fn pack(&self, position: usize) -> &'s Pack {
        self.packs[position].pack
    }

    /// A frame of the pack at this position.
    pub fn frame(&self, position: usize, number: u32) -> Frame {
        self.packs[position].table.frame(number)
    }

    /// For each frame of the pack at this position, whether it has hidden objects.
    pub fn hidden_frames(&self, position: usize) -> Vec<bool> {
        let Source { pack, table, .. } = &self.packs[position];
        let mut found = vec![false; table.frame_count() as usize];
        if pack.has_hidden() {
            let hidden = (0..).zip(table.records()).filter(|(n, _)| pack.is_hidden(*n));
            hidden.for_each(|(_, record)| found[record.frame_number as usize] = true);
        }
        found
    }

    /// Number of packs.
    pub fn pack_count(&self) -> usize {
        self.packs.len()
    }

    /// Size of all objects in bytes.
    pub fn raw_bytes(&self) -> u64 {
        self.numbers().map(|number| u64::from(self.get(number).record.length)).sum()
    }
}

fn prefix(kind: ObjectKind, id: ObjectId) -> u64 {
    let (head, _) = id.0.split_first_chunk().expect("an id has more than 8 bytes");
    u64::from_be_bytes(*head) ^ kind as u64
}
