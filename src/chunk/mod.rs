//! Where large blobs are cut: Gear, a rolling hash over the last 64 bytes (`docs/format.md`, "Chunks").
//! Cut points are part of the format, so the code lives here with golden vectors.

/// How long chunks are, in bytes. One set a repository, in its `format` file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// Blobs up to this size are kept in one piece.
    pub whole: u64,
    /// T: minimum length; the mean is twice, the maximum eight times as much.
    pub target: u32,
}

impl Default for Params {
    fn default() -> Params {
        Params { whole: 1 << 20, target: 128 << 10 }
    }
}

impl Params {
    /// No chunk but the last is shorter.
    pub fn minimum(&self) -> usize {
        self.target as usize
    }

    /// No chunk is longer.
    pub fn maximum(&self) -> usize {
        8 * self.target as usize
    }
}

/// The length of the first chunk of `bytes`, which hold at least `params.maximum()` bytes or all that is left of the blob.
pub fn cut(bytes: &[u8], params: &Params) -> usize {
    let _ = (bytes, params);
    todo!()
}
