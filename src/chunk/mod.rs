//! Cuts large blobs into chunks with Gear, a rolling hash of the last 64 bytes (`docs/format.md`, "Chunks"). Cut points
//! are part of the format, so tests hold golden vectors.

mod gear;
#[cfg(test)]
mod tests;

use crate::error::{Error, ErrorKind, Result};

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
    /// Smallest and largest T: below, ids take more room than they save; above, one chunk takes too much memory.
    const TARGETS: std::ops::RangeInclusive<u32> = 4 << 10..=4 << 20;

    /// Whether a repository may have them: T a power of two from 4 KiB to 4 MiB, and whole blobs no shorter than T and
    /// no longer than the longest chunk of all, 32 MiB. [`ErrorKind::Usage`] if not.
    pub fn validate(&self) -> Result<()> {
        let longest = 8 * u64::from(*Self::TARGETS.end());
        if !self.target.is_power_of_two() || !Self::TARGETS.contains(&self.target) {
            let message = format!("chunk target `{}` is not a power of two from 4 KiB to 4 MiB", self.target);
            return Err(Error::new(ErrorKind::Usage, message));
        }
        if !(u64::from(self.target)..=longest).contains(&self.whole) {
            let message = format!("whole-blob limit `{}` is not between the chunk target and 32 MiB", self.whole);
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Ok(())
    }

    /// No chunk but the last is shorter.
    pub fn minimum(&self) -> usize {
        self.target as usize
    }

    /// No chunk is longer.
    pub fn maximum(&self) -> usize {
        8 * self.target as usize
    }
}

/// The length of the first chunk of `bytes`, which hold at least `params.maximum()` bytes or all that is left of the
/// blob.
pub fn cut(bytes: &[u8], params: &Params) -> usize {
    let bytes = &bytes[..bytes.len().min(params.maximum())];
    let minimum = params.minimum();
    if bytes.len() <= minimum {
        return bytes.len();
    }
    gear::find(&bytes[minimum - gear::WINDOW..], params.target).map_or(bytes.len(), |end| minimum - gear::WINDOW + end)
}

/// All chunks of a blob that is in memory.
pub fn chunks<'a>(mut bytes: &'a [u8], params: &Params) -> impl Iterator<Item = &'a [u8]> {
    std::iter::from_fn(move || {
        let (chunk, rest) = bytes.split_at(cut(bytes, params));
        bytes = rest;
        (!chunk.is_empty()).then_some(chunk)
    })
}
