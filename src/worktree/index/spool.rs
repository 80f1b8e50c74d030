//! Stores the blocks of an index to be written, in an unnamed file once they are large: the index of a million files
//! exceeds a hundred megabytes, and must be complete before it can be written.

use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::Result;
use crate::fs::{self, TempFile};

/// Bytes of blocks that stay in memory. Small in unit tests, so that most blocks go to the file.
const IN_MEMORY: usize = if cfg!(test) { 1000 } else { 1 << 20 };

/// Storage for blocks; shared by the threads of a scan.
#[derive(Debug)]
pub struct Spool {
    /// The file is created next to this path.
    beside: PathBuf,
    /// `None` if the file cannot be created.
    file: OnceLock<Option<File>>,
    end: AtomicU64,
    in_memory: AtomicUsize,
    /// The most recently read block, cached because many names of one directory are looked up in turn.
    last: Mutex<Option<(u64, Arc<[u8]>)>>,
}

/// A block, in memory or in the file of a spool.
#[derive(Debug)]
pub enum Spooled {
    Memory(Vec<u8>),
    File { spool: Arc<Spool>, offset: u64, length: usize },
}

impl Spool {
    /// Creates a spool whose file, if needed, is created next to this path and immediately unlinked.
    pub fn new(beside: PathBuf) -> Arc<Spool> {
        Arc::new(Spool {
            beside,
            file: OnceLock::new(),
            end: AtomicU64::new(0),
            in_memory: AtomicUsize::new(0),
            last: Mutex::default(),
        })
    }

    /// Writes a block to the file. `None` if the block must stay in memory, because memory suffices or the file cannot
    /// be written. Returns the offset.
    fn write(&self, bytes: &[u8]) -> Option<u64> {
        let before = self.in_memory.fetch_add(bytes.len(), Ordering::Relaxed);
        if before + bytes.len() <= IN_MEMORY {
            return None;
        }
        self.in_memory.fetch_sub(bytes.len(), Ordering::Relaxed);
        let make = || TempFile::beside(&self.beside).ok().and_then(TempFile::into_unnamed);
        let file = self.file.get_or_init(make).as_ref()?;
        let offset = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        fs::write_all_at(file, bytes, offset).ok().map(|()| offset)
    }

    /// Reads a block. Does not map it, so that a failing disk causes an error.
    fn read(&self, offset: u64, length: usize) -> Result<Arc<[u8]>> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = last.as_ref().filter(|(last, _)| *last == offset) {
            return Ok(bytes.clone());
        }
        let mut bytes = vec![0; length];
        if let Some(file) = self.file.get().and_then(Option::as_ref) {
            fs::read_exact_at(file, &mut bytes, offset)?;
        }
        let bytes: Arc<[u8]> = bytes.into();
        *last = Some((offset, bytes.clone()));
        Ok(bytes)
    }
}

impl Spooled {
    /// Stores a block. Without a spool, it stays in memory.
    pub fn new(bytes: Vec<u8>, spool: Option<&Arc<Spool>>) -> Spooled {
        match spool.and_then(|spool| Some((spool.clone(), spool.write(&bytes)?))) {
            Some((spool, offset)) => Spooled::File { spool, offset, length: bytes.len() },
            None => Spooled::Memory(bytes),
        }
    }

    /// Length in bytes.
    pub fn length(&self) -> usize {
        match self {
            Spooled::Memory(bytes) => bytes.len(),
            Spooled::File { length, .. } => *length,
        }
    }

    /// Passes the block to a function.
    pub fn read<T>(&self, read: impl FnOnce(&[u8]) -> T) -> Result<T> {
        match self {
            Spooled::Memory(bytes) => Ok(read(bytes)),
            Spooled::File { spool, offset, length } => Ok(read(&spool.read(*offset, *length)?)),
        }
    }
}
