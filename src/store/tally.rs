//! Counts the objects of all packs, each object once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::pack::Table;
use super::pack_set::Store;
use crate::error::Result;
use crate::object::ObjectKind;

/// Numbers of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Distinct objects of each kind, in the order of [`ObjectKind::ALL`].
    distinct: [u64; ObjectKind::ALL.len()],
    /// Additional copies in other packs.
    pub duplicates: u64,
}

impl Tally {
    /// Number of distinct objects of a kind.
    pub fn of(&self, kind: ObjectKind) -> u64 {
        ObjectKind::ALL.iter().zip(self.distinct).find(|(one, _)| **one == kind).map_or(0, |(_, count)| count)
    }

    /// Number of distinct objects.
    pub fn objects(&self) -> u64 {
        self.distinct.iter().sum()
    }
}

impl Store {
    /// Counts objects by merging the sorted tables of the packs, which needs little memory. Fails with
    /// [`crate::error::ErrorKind::Damaged`] if a table cannot be read.
    pub fn tally(&self) -> Result<Tally> {
        let tables = self.packs.iter().map(|pack| pack.table()).collect::<Result<Vec<Table<'_>>>>()?;
        let next =
            |table: usize, at: usize| (at < tables[table].len()).then(|| Reverse((tables[table].key(at), table, at)));
        let mut heap: BinaryHeap<_> = (0..tables.len()).filter_map(|table| next(table, 0)).collect();
        let (mut tally, mut last) = (Tally::default(), None);
        while let Some(Reverse((key, table, at))) = heap.pop() {
            let [kind, ..] = key else { continue };
            match ObjectKind::ALL.iter().position(|one| *one as u8 == *kind) {
                _ if last == Some(key) => tally.duplicates += 1,
                Some(kind) => tally.distinct[kind] += 1,
                None => {}
            }
            last = Some(key);
            heap.extend(next(table, at + 1));
        }
        Ok(tally)
    }
}
