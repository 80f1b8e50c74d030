//! Counts the objects of all packs, each object once.

use super::catalog;
use super::pack::{Location, Pack};
use super::pack_set::Store;
use crate::error::Result;
use crate::object::ObjectKind;

/// Numbers of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Distinct objects by the number of their kind.
    distinct: [u64; ObjectKind::ALL.len() + 1],
    /// Additional copies in other packs.
    pub duplicates: u64,
}

impl Tally {
    /// Number of distinct objects of a kind.
    pub fn of(&self, kind: ObjectKind) -> u64 {
        self.distinct[kind as usize]
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
        let tables = self.packs.iter().map(Pack::table).collect::<Result<Vec<_>>>()?;
        let mut tally = Tally::default();
        let is_visible = |location: &Location| !self.pack(location).is_hidden(location.record);
        catalog::merge(&tables, |entries| {
            let visible: Vec<_> = entries.iter().filter(|(.., location)| is_visible(location)).collect();
            for copies in visible.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
                let &(_, kind, _) = copies[0];
                tally.distinct[kind as usize] += 1;
                tally.duplicates += copies.len() as u64 - 1;
            }
            Ok(())
        })?;
        Ok(tally)
    }
}
