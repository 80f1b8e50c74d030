//! A stretch of a pack's file in memory. Who reads frames one behind the other gets many of them by one call, so that the
//! disk is not waited for frame by frame.

use super::Pack;
use crate::error::Result;
use crate::id::PackId;

/// Bytes that are read at once where frames are read in their order.
const LONG: u64 = 1 << 20;

/// What was read last. One pack at a time, by one thread.
#[derive(Default)]
pub struct Stretch {
    /// The pack, and where the last frame ended that was asked for.
    last: Option<(PackId, u64)>,
    /// Where the bytes lie in its file.
    start: u64,
    bytes: Vec<u8>,
}

impl Stretch {
    /// The encoded bytes of a frame.
    pub fn frame(&mut self, pack: &Pack, offset: u64, stored: u32) -> Result<&[u8]> {
        let table = pack.data_length()?;
        let Some(end) = offset.checked_add(stored.into()).filter(|end| *end <= table) else {
            return Err(pack.damaged("a frame lies outside of it"));
        };
        let is_same = self.last.is_some_and(|(id, _)| id == pack.id);
        if !is_same || offset < self.start || end > self.start + self.bytes.len() as u64 {
            let goes_on = self.last == Some((pack.id, offset));
            self.last = None;
            let far = (offset + LONG).min(table);
            // Where something behind the frame cannot be read, the frame can be.
            if !(goes_on && far > end && self.read(pack, offset, far).is_ok()) {
                self.read(pack, offset, end)?;
            }
        }
        self.last = Some((pack.id, end));
        Ok(&self.bytes[(offset - self.start) as usize..(end - self.start) as usize])
    }

    /// The same, proven to be those that were written: `checksum` is how their BLAKE3 begins.
    pub fn proven_frame(&mut self, pack: &Pack, offset: u64, stored: u32, checksum: &[u8]) -> Result<&[u8]> {
        let bytes = self.frame(pack, offset, stored)?;
        if blake3::hash(bytes).as_bytes().starts_with(checksum) {
            return Ok(bytes);
        }
        Err(pack.damaged(format_args!("wrong checksum of the frame at byte {offset}")))
    }

    fn read(&mut self, pack: &Pack, start: u64, end: u64) -> Result<()> {
        self.start = start;
        self.bytes.resize((end - start) as usize, 0);
        pack.read(&mut self.bytes, start)
    }
}
