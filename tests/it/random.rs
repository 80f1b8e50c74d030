//! A deterministic pseudorandom number generator.

/// xorshift64*, sufficient for choosing steps.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % end
    }

    pub fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// Returns file content: empty, more than a chunk, or usually short.
    pub fn bytes(&mut self) -> Vec<u8> {
        let length = match self.below(10) {
            0 => 0,
            1 => (1 << 20) + self.below(1 << 20),
            _ => self.below(3000),
        };
        let mut bytes = vec![0; length];
        blake3::Hasher::new().update(&self.below(1 << 30).to_le_bytes()).finalize_xof().fill(&mut bytes);
        bytes
    }
}
