//! Counts deleted content that appears at another path, in bounded memory.

use std::collections::HashMap;

use crate::id::BlobId;

/// Maximum number of contents to count. Beyond it, contents whose ids start with enough zero bits represent all.
const MAX_CONTENTS: usize = 16 << 10;

/// How a path lost its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// The path was deleted.
    Deleted,
    /// The file is empty now.
    Emptied,
}

/// Counts by content how many paths lost it and how many gained it.
#[derive(Debug, Default)]
pub(super) struct Moved {
    balances: HashMap<BlobId, Balance>,
    /// Number of zero bits at the start of the ids that are counted.
    bits: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Balance {
    /// Paths that lost the content, by [`Removal`].
    lost: [u64; 2],
    gained: u64,
}

impl Moved {
    /// A path lost this content.
    pub fn lose(&mut self, blob: BlobId, removal: Removal) {
        self.update(blob, |balance| balance.lost[removal as usize] += 1);
    }

    /// A path gained this content.
    pub fn gain(&mut self, blob: BlobId) {
        self.update(blob, |balance| balance.gained += 1);
    }

    /// Estimates how many of this number of removed paths had content that another path gained.
    pub fn estimate(&self, removed: u64, removal: Removal) -> u64 {
        let lost = |balance: &Balance| balance.lost[removal as usize];
        let counted: u64 = self.balances.values().map(lost).sum();
        let moved: u64 = self.balances.values().map(|balance| lost(balance).min(balance.gained)).sum();
        if counted == 0 { 0 } else { (u128::from(removed) * u128::from(moved) / u128::from(counted)) as u64 }
    }

    /// Whether a path is known to have gained this content.
    pub fn is_gained(&self, blob: BlobId) -> bool {
        self.balances.get(&blob).is_some_and(|balance| balance.gained > 0)
    }

    fn update(&mut self, blob: BlobId, count: impl FnOnce(&mut Balance)) {
        if zeros(blob) < self.bits {
            return;
        }
        count(self.balances.entry(blob).or_default());
        while self.balances.len() > MAX_CONTENTS {
            self.bits += 1;
            self.balances.retain(|blob, _| zeros(*blob) >= self.bits);
        }
    }
}

fn zeros(blob: BlobId) -> u32 {
    blob.0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first).leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blob(number: u64) -> BlobId {
        BlobId(*blake3::hash(&number.to_le_bytes()).as_bytes())
    }

    #[test]
    fn counts_content_that_appears_elsewhere_as_moved() {
        let mut moved = Moved::default();
        (0..100).for_each(|n| moved.lose(blob(n), Removal::Deleted));
        assert_eq!(moved.estimate(100, Removal::Deleted), 0);
        (50..200).for_each(|n| moved.gain(blob(n)));
        assert_eq!(moved.estimate(100, Removal::Deleted), 50);
        assert!(moved.is_gained(blob(60)) && !moved.is_gained(blob(10)));
        // One copy makes up for one path.
        moved.lose(blob(60), Removal::Deleted);
        assert_eq!(moved.estimate(101, Removal::Deleted), 50);
        // Deleted and emptied paths are counted separately.
        assert_eq!(moved.estimate(10, Removal::Emptied), 0);
        moved.lose(blob(150), Removal::Emptied);
        assert_eq!((moved.estimate(1, Removal::Emptied), moved.estimate(101, Removal::Deleted)), (1, 50));
    }

    #[test]
    fn estimates_from_a_part_of_many_contents() {
        let mut moved = Moved::default();
        (0..100_000).for_each(|n| moved.lose(blob(n), Removal::Deleted));
        (0..100_000).filter(|n| n % 4 == 0).for_each(|n| moved.gain(blob(n)));
        assert!(moved.balances.len() <= MAX_CONTENTS);
        let estimate = moved.estimate(100_000, Removal::Deleted);
        assert!((23_000..27_000).contains(&estimate), "{estimate}");
    }
}
