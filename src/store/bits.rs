//! One bit for each record of a pack.

/// Bits that are 0 beyond the end.
#[derive(Clone, Debug, Default)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// Whether no bit was ever set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Sets a bit to 1. Returns whether it was 0.
    pub fn set(&mut self, n: u32) -> bool {
        let word = n as usize / 64;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let is_new = !self.get(n);
        self.0[word] |= 1 << (n % 64);
        is_new
    }

    /// Sets a bit to 0.
    #[cfg(feature = "targets")]
    pub fn clear(&mut self, n: u32) {
        if let Some(word) = self.0.get_mut(n as usize / 64) {
            *word &= !(1 << (n % 64));
        }
    }

    /// The bit at this position.
    pub fn get(&self, n: u32) -> bool {
        self.0.get(n as usize / 64).is_some_and(|word| word >> (n % 64) & 1 == 1)
    }

    /// Positions of the bits that are 1.
    pub fn ones(&self) -> impl Iterator<Item = u32> + '_ {
        let words = (0..).zip(&self.0).filter(|(_, word)| **word != 0);
        words.flat_map(|(at, word)| (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit))
    }
}
