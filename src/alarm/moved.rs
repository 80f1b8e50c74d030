//! Content that went from one path and came to another: it is not gone. Counted by id, in bounded memory.

use std::collections::HashMap;

use crate::id::BlobId;

/// Contents that are followed at most. Up to so many the count is exact; beyond, those whose ids begin with enough zero
/// bits stand for all.
const MOST: usize = 16 << 10;

/// How content goes from a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// With the path.
    Deleted,
    /// The path has nothing in it.
    Emptied,
}

/// Which contents went and which came.
#[derive(Debug, Default)]
pub struct Moved {
    balances: HashMap<BlobId, Balance>,
    /// Zero bits that an id must begin with to be followed.
    bits: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Balance {
    deleted: u64,
    emptied: u64,
    come: u64,
}

impl Balance {
    fn gone(&self, way: Way) -> u64 {
        match way {
            Way::Deleted => self.deleted,
            Way::Emptied => self.emptied,
        }
    }
}

impl Moved {
    /// A path no longer holds this.
    pub fn gone(&mut self, blob: BlobId, way: Way) {
        self.follow(blob, |balance| match way {
            Way::Deleted => balance.deleted += 1,
            Way::Emptied => balance.emptied += 1,
        });
    }

    /// A path holds this that did not before.
    pub fn come(&mut self, blob: BlobId) {
        self.follow(blob, |balance| balance.come += 1);
    }

    /// Of so many paths whose content went this way, how many had content that came elsewhere.
    pub fn estimate(&self, gone: u64, way: Way) -> u64 {
        let followed: u64 = self.balances.values().map(|balance| balance.gone(way)).sum();
        let moved: u64 = self.balances.values().map(|balance| balance.gone(way).min(balance.come)).sum();
        if followed == 0 { 0 } else { (u128::from(gone) * u128::from(moved) / u128::from(followed)) as u64 }
    }

    /// Whether this content came somewhere, as far as that is known.
    pub fn has_come(&self, blob: BlobId) -> bool {
        self.balances.get(&blob).is_some_and(|balance| balance.come > 0)
    }

    fn follow(&mut self, blob: BlobId, count: impl FnOnce(&mut Balance)) {
        if zeros(blob) < self.bits {
            return;
        }
        count(self.balances.entry(blob).or_default());
        while self.balances.len() > MOST {
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
    fn what_came_elsewhere_is_not_gone() {
        let mut moved = Moved::default();
        (0..100).for_each(|n| moved.gone(blob(n), Way::Deleted));
        assert_eq!(moved.estimate(100, Way::Deleted), 0);
        (50..200).for_each(|n| moved.come(blob(n)));
        assert_eq!(moved.estimate(100, Way::Deleted), 50);
        assert!(moved.has_come(blob(60)) && !moved.has_come(blob(10)));
        // One copy stands for one path.
        moved.gone(blob(60), Way::Deleted);
        assert_eq!(moved.estimate(101, Way::Deleted), 50);
        // What went otherwise is counted by itself.
        assert_eq!(moved.estimate(10, Way::Emptied), 0);
        moved.gone(blob(150), Way::Emptied);
        assert_eq!((moved.estimate(1, Way::Emptied), moved.estimate(101, Way::Deleted)), (1, 50));
    }

    #[test]
    fn of_very_many_some_are_followed_and_stand_for_all() {
        let mut moved = Moved::default();
        (0..100_000).for_each(|n| moved.gone(blob(n), Way::Deleted));
        (0..100_000).filter(|n| n % 4 == 0).for_each(|n| moved.come(blob(n)));
        assert!(moved.balances.len() <= MOST);
        let estimate = moved.estimate(100_000, Way::Deleted);
        assert!((23_000..27_000).contains(&estimate), "{estimate}");
    }
}
