//! A window of a pack file in memory. Reading frames in order gets many of them with one system call.

use super::Pack;
use crate::error::Result;
use crate::id::PackId;

/// Number of bytes read at once when frames are read in order.
const LONG: u64 = 1 << 20;

/// The bytes read last. For one thread.
#[derive(Default)]
pub struct ReadWindow {
    /// The pack, and the end of the last requested frame.
    last: Option<(PackId, u64)>,
    /// Range of the bytes in the file.
    start: u64,
    bytes: Vec<u8>,
}

impl ReadWindow {
    /// The encoded bytes of a frame. `checksum` is the beginning of their BLAKE3 hash; if it is empty, they are not verified.
    pub fn frame(&mut self, pack: &Pack, offset: u64, stored: u32, checksum: &[u8]) -> Result<&[u8]> {
        let table = pack.data_length()?;
        let Some(end) = offset.checked_add(stored.into()).filter(|end| *end <= table) else {
            return Err(pack.damaged("a frame lies outside it"));
        };
        let is_same = self.last.is_some_and(|(id, _)| id == pack.id);
        if !is_same || offset < self.start || end > self.start + self.bytes.len() as u64 {
            let is_sequential = self.last == Some((pack.id, offset));
            self.last = None;
            let far = (offset + LONG).min(table);
            // The frame may be readable even if bytes after it are not.
            if !(is_sequential && far > end && self.read(pack, offset, far).is_ok()) {
                self.read(pack, offset, end)?;
            }
        }
        self.last = Some((pack.id, end));
        let bytes = &self.bytes[(offset - self.start) as usize..(end - self.start) as usize];
        if !checksum.is_empty() && !blake3::hash(bytes).as_bytes().starts_with(checksum) {
            return Err(pack.damaged(format_args!("wrong checksum of the frame at byte {offset}")));
        }
        Ok(bytes)
    }

    fn read(&mut self, pack: &Pack, start: u64, end: u64) -> Result<()> {
        self.start = start;
        self.bytes.resize((end - start) as usize, 0);
        pack.read(&mut self.bytes, start)
    }
}
