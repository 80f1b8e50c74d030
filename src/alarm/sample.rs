//! Keeps an evenly spaced, deterministic sample of a sequence of unknown length.

/// Maximum size of a sample. 64 of 10,000 files are representative within about ten per cent.
const MAX_KEPT: usize = 64;

/// Keeps every n-th item, where n is a power of two: all items, or between half of [`MAX_KEPT`] and [`MAX_KEPT`].
#[derive(Debug)]
pub struct Sample<T> {
    kept: Vec<T>,
    step: u64,
    offered: u64,
}

impl<T> Sample<T> {
    /// Offers the next item, which is only made if it is kept.
    pub fn offer(&mut self, make: impl FnOnce() -> T) {
        if self.offered.is_multiple_of(self.step) && self.kept.len() == MAX_KEPT {
            let mut at = 0;
            self.kept.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            self.step *= 2;
        }
        if self.offered.is_multiple_of(self.step) {
            self.kept.push(make());
        }
        self.offered += 1;
    }

    /// The kept items in order.
    pub fn kept(&self) -> &[T] {
        &self.kept
    }

    /// Number of items offered.
    pub fn offered(&self) -> u64 {
        self.offered
    }
}

impl<T> Default for Sample<T> {
    fn default() -> Sample<T> {
        Sample { kept: Vec::new(), step: 1, offered: 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_few_items_completely_and_many_evenly() {
        for count in [0, 1, 63, 64, 65, 128, 1000, 100_000] {
            let mut sample = Sample::default();
            (0..count).for_each(|n| sample.offer(|| n));
            let kept = sample.kept();
            assert_eq!(sample.offered(), count);
            assert!(kept.len() as u64 == count.min(kept.len() as u64) && kept.len() <= MAX_KEPT, "{count}");
            assert!(kept.len() as u64 >= count.min(MAX_KEPT as u64 / 2), "{count}: {}", kept.len());
            assert!(kept.windows(2).all(|two| two[1] - two[0] == sample.step), "{count}: {kept:?}");
        }
    }
}
