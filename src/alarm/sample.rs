//! A few of many: kept evenly over the whole, whatever its length, without chance.

/// Most that are kept. Sixty-four of ten thousand say within some ten per cent what the others are like.
pub const MOST: usize = 64;

/// Every nth of what was offered, n a power of two: between half of [`MOST`] and [`MOST`], or all if they are fewer.
#[derive(Debug)]
pub struct Sample<T> {
    kept: Vec<T>,
    step: u64,
    offered: u64,
}

impl<T> Sample<T> {
    /// Offers one more. It is only made if it is kept.
    pub fn offer(&mut self, make: impl FnOnce() -> T) {
        if self.offered.is_multiple_of(self.step) && self.kept.len() == MOST {
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

    /// Those that are kept, in the order in which they came.
    pub fn kept(&self) -> &[T] {
        &self.kept
    }

    /// How many were offered.
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
    fn few_are_kept_whole_and_many_evenly() {
        for count in [0, 1, 63, 64, 65, 128, 1000, 100_000] {
            let mut sample = Sample::default();
            (0..count).for_each(|n| sample.offer(|| n));
            let kept = sample.kept();
            assert_eq!(sample.offered(), count);
            assert!(kept.len() as u64 == count.min(kept.len() as u64) && kept.len() <= MOST, "{count}");
            assert!(kept.len() as u64 >= count.min(MOST as u64 / 2), "{count}: {}", kept.len());
            assert!(kept.windows(2).all(|two| two[1] - two[0] == sample.step), "{count}: {kept:?}");
        }
    }
}
