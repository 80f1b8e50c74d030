//! Where the content that a scan reads goes.

use crate::error::Result;
use crate::fs::Stat;
use crate::id::{BlobId, ObjectId};
use crate::object::groups::GROUP;
use crate::object::{Groups, ObjectKind};
use crate::path::RepoPath;
use crate::worktree::content::{Reading, Step};

/// Takes the content that a scan reads: hashes it, or stores it too. Each worker has its own.
pub trait Sink {
    /// Whether entries that are not read must be in the store.
    const STORES: bool;

    /// Whether entries are read. Otherwise they are passed to [`Sink::count`], and the trees of the scan lack them.
    const READS: bool = true;

    /// Takes an entry that is not read: a name in a directory.
    fn count(&mut self, _directory: &RepoPath, _name: &[u8], _stat: &Stat) -> Result<()> {
        Ok(())
    }

    /// Reads a file to its end and returns its id.
    fn read(&mut self, reading: &mut Reading<'_>) -> Result<BlobId>;

    /// Takes an object that the store lacks. A returned object stays in memory with the scan.
    fn object(&mut self, kind: ObjectKind, id: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>>;

    /// Called when the worker is done.
    fn finish(self) -> Result<()>;
}

/// Hashes content without storing it, for `status` and `diff`.
pub struct HashSink {
    buffer: Vec<u8>,
}

impl HashSink {
    /// Bytes read at once: of a file that all workers share, and of other files.
    const LONG: usize = 4 * GROUP;
    const SHORT: usize = 256 << 10;

    /// Creates a sink with its own buffer.
    pub fn new() -> HashSink {
        HashSink { buffer: vec![0; HashSink::SHORT] }
    }
}

impl Default for HashSink {
    fn default() -> HashSink {
        HashSink::new()
    }
}

impl Sink for HashSink {
    const STORES: bool = false;

    fn read(&mut self, reading: &mut Reading<'_>) -> Result<BlobId> {
        if reading.is_shared() && self.buffer.len() < HashSink::LONG {
            self.buffer = vec![0; HashSink::LONG];
        }
        let mut groups = Groups::new(reading.is_shared());
        loop {
            match reading.next(&mut self.buffer, HashSink::SHORT as u64)? {
                Step::Data(length) => groups.update(&self.buffer[..length]),
                Step::Hole(length) => groups.update_zeros(length, &|_| None),
                Step::End => return Ok(groups.finish().0),
            }
        }
    }

    fn object(&mut self, _: ObjectKind, _: ObjectId, bytes: Vec<u8>) -> Result<Option<Vec<u8>>> {
        Ok(Some(bytes))
    }

    fn finish(self) -> Result<()> {
        Ok(())
    }
}
