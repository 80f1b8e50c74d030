//! Collects writes into long, aligned ones, which cost the file system half as much as short writes at arbitrary offsets.
//! Files that fill such a write do not stay in the page cache
//! (`docs/decisions/0013-write-past-the-page-cache.md`).

use std::fs::File;

use crate::error::Result;
use crate::fs;

/// Size and alignment of a long write.
const LONG: usize = 4 << 20;

/// Buffers writes to a file.
pub(super) struct WriteBuffer<'f> {
    file: &'f File,
    start: u64,
    bytes: Vec<u8>,
}

impl WriteBuffer<'_> {
    /// Creates an empty buffer.
    pub(super) fn new(file: &File) -> WriteBuffer<'_> {
        WriteBuffer { file, start: 0, bytes: Vec::new() }
    }

    /// Writes at an offset, at once or together with the bytes that follow.
    pub(super) fn write(&mut self, mut bytes: &[u8], offset: u64) -> Result<()> {
        if offset != self.end() {
            self.finish()?;
            self.start = offset;
        }
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(LONG - self.end() as usize % LONG));
            if self.bytes.is_empty() && now.len() == LONG {
                fs::write_all_uncached_at(self.file, now, self.start)?;
                self.start += LONG as u64;
            } else {
                self.bytes.extend_from_slice(now);
                if self.end().is_multiple_of(LONG as u64) {
                    self.finish()?;
                }
            }
            bytes = later;
        }
        Ok(())
    }

    /// Writes the buffered bytes.
    pub(super) fn finish(&mut self) -> Result<()> {
        if !self.bytes.is_empty() {
            let write = if self.end() < LONG as u64 { fs::write_all_at } else { fs::write_all_uncached_at };
            write(self.file, &self.bytes, self.start)?;
            self.start = self.end();
            self.bytes.clear();
        }
        Ok(())
    }

    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    #[test]
    fn write_buffer_writes_at_requested_offsets() {
        let file = tempfile::tempfile().unwrap();
        let noise: Vec<u8> = (0..3 * LONG + 77).map(|n| (n * n / 251) as u8).collect();
        let mut expected = vec![0; 8 * LONG];
        let mut buffered = WriteBuffer::new(&file);
        let mut put = |offset: usize, bytes: &[u8]| {
            expected[offset..offset + bytes.len()].copy_from_slice(bytes);
            buffered.write(bytes, offset as u64).unwrap();
        };
        put(5, &noise[..10]);
        put(15, &noise[..LONG - 20]);
        put(LONG - 5, &noise);
        put(6 * LONG, &noise[..2 * LONG]);
        put(5 * LONG, &noise[..1]);
        buffered.finish().unwrap();
        let mut found = vec![0; expected.len()];
        file.read_exact_at(&mut found, 0).unwrap();
        assert!(found == expected);
    }
}
