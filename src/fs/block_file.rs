//! Reads large immutable files of the repository in blocks, on demand.
//!
//! The files are not mapped. An unreadable sector makes a read fail, but in a mapping it would kill the process with a
//! signal, and some file systems do not support mappings.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Result;
use crate::fs::file::open_existing;
use crate::fs::handle::read_exact_at;

/// A file that never changes (caches are replaced by renaming). Shared by threads.
#[derive(Debug)]
pub struct BlockFile {
    file: File,
    size: u64,
    /// Block size in bytes.
    block: usize,
    /// Maximum number of blocks in memory.
    capacity: usize,
    cache: Mutex<Cache>,
}

#[derive(Debug, Default)]
struct Cache {
    blocks: HashMap<u64, Arc<Vec<u8>>>,
    /// Numbers of the blocks, oldest first.
    order: VecDeque<u64>,
}

/// Bytes of a file. Keeps the block that contains them in memory.
#[derive(Clone, Debug)]
pub struct Bytes {
    block: Arc<Vec<u8>>,
    range: Range<usize>,
}

impl Bytes {
    /// The same bytes, which do not keep the rest of their block in memory.
    pub fn detached(&self) -> Bytes {
        match self.len() == self.block.len() {
            true => self.clone(),
            false => Bytes { range: 0..self.len(), block: Arc::new(self.to_vec()) },
        }
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.block[self.range.clone()]
    }
}

impl BlockFile {
    /// Opens a file with this block size, keeping up to `capacity` blocks in memory. `None` if the file does not exist.
    pub fn open(path: &Path, block: usize, capacity: usize) -> Result<Option<BlockFile>> {
        let Some((file, stat)) = open_existing(path)? else { return Ok(None) };
        Ok(Some(BlockFile { file, size: stat.size, block, capacity, cache: Mutex::default() }))
    }

    /// File size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads a range. Only a range within one block is served from memory. [`crate::error::ErrorKind::Damaged`] if the
    /// range is not within the file or cannot be read.
    pub fn read(&self, start: u64, length: usize) -> Result<Bytes> {
        let block = start / self.block as u64;
        let first = block * self.block as u64;
        let end = start.saturating_add(length as u64);
        if end <= first.saturating_add(self.block as u64).min(self.size) {
            let range = (start - first) as usize..(end - first) as usize;
            if let Ok(block) = self.block(block, first) {
                return Ok(Bytes { block, range });
            }
        }
        // The range spans blocks, or an unrelated part of its block cannot be read.
        self.read_alone(start, length)
    }

    fn read_alone(&self, start: u64, length: usize) -> Result<Bytes> {
        let is_within = start.checked_add(length as u64).is_some_and(|end| end <= self.size);
        // Do not allocate memory for a damaged length.
        let mut bytes = vec![0; if is_within { length } else { 0 }];
        read_exact_at(&self.file, &mut bytes, if is_within { start } else { self.size })?;
        if !is_within {
            return Err(crate::fs::handle::ends_early(&self.file, start.saturating_add(length as u64)));
        }
        Ok(Bytes { range: 0..bytes.len(), block: Arc::new(bytes) })
    }

    fn block(&self, number: u64, first: u64) -> Result<Arc<Vec<u8>>> {
        if let Some(block) = self.cache().blocks.get(&number) {
            return Ok(block.clone());
        }
        let length = (self.size - first).min(self.block as u64) as usize;
        let mut bytes = vec![0; length];
        read_exact_at(&self.file, &mut bytes, first)?;
        let block = Arc::new(bytes);
        let mut cache = self.cache();
        if cache.blocks.insert(number, block.clone()).is_none() {
            cache.order.push_back(number);
        }
        if cache.order.len() > self.capacity
            && let Some(oldest) = cache.order.pop_front()
        {
            cache.blocks.remove(&oldest);
        }
        Ok(block)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_may_span_blocks() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let content: Vec<u8> = (0..100).collect();
        std::fs::write(&path, &content).unwrap();
        let file = BlockFile::open(&path, 16, 3).unwrap().unwrap();
        for start in 0..=100 {
            for length in 0..=100 - start {
                assert_eq!(&*file.read(start as u64, length).unwrap(), &content[start..start + length]);
            }
            for length in [101 - start, 1000, usize::MAX] {
                assert!(file.read(start as u64, length).is_err(), "{start} {length}");
            }
        }
        assert!(file.read(u64::MAX, 1).is_err() && file.read(101, 0).is_err());
        assert!(file.cache().blocks.len() <= 3);
        assert!(BlockFile::open(&dir.path().join("none"), 16, 3).unwrap().is_none());
    }
}
