//! The store: objects by id. The one door to them; packs, compression and chunks are its own business.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::chunk;
use crate::error::Result;
use crate::id::{BlobId, IdPrefix, ObjectId, PackId};
use crate::object::{Layout, ObjectKind, Objects};

/// How new frames are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    Stored,
    /// Deflate at this level (1 to 9), by flate2.
    Deflate(u32),
    /// Zstandard at this level (1 to 19).
    Zstd(i32),
}

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Cut points (from `format`).
    pub chunk: chunk::Params,
    /// For new frames (from `config.toml`).
    pub compression: Compression,
}

/// Objects by id, in a given set of packs. Reading needs no lock and is shared by threads.
pub struct Store {
    directory: PathBuf,
    options: Options,
}

/// Where an object lies, ordered so that a sorted list is read front to back with each frame decoded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Which of the store's packs.
    pub pack: u32,
    /// Where its frame begins in the pack.
    pub frame: u64,
    /// Where it begins in the decoded frame.
    pub offset: u32,
    /// Its length in bytes.
    pub length: u32,
}

#[allow(unused_variables, clippy::todo, reason = "signatures first")]
impl Store {
    /// Opens the packs of this set below `directory` (the repository folder: `packs/`, `catalog`, `tmp/`).
    pub fn open(directory: &Path, packs: &[PackId], options: Options) -> Result<Store> {
        let _ = (directory, packs);
        todo!()
    }
    /// Makes packs readable that were written since it was opened.
    pub fn add_packs(&mut self, packs: &[PackId]) -> Result<()> {
        todo!()
    }
    /// What it was opened with.
    pub fn options(&self) -> &Options {
        &self.options
    }
    /// Whether it holds the object.
    pub fn contains(&self, kind: ObjectKind, id: ObjectId) -> bool {
        todo!()
    }
    /// Whether it holds a blob, in one piece or in chunks.
    pub fn contains_blob(&self, id: BlobId) -> bool {
        todo!()
    }
    /// Where an object lies.
    pub fn locate(&self, kind: ObjectKind, id: ObjectId) -> Option<Location> {
        todo!()
    }
    /// The objects of a kind whose id begins so, sorted, at most `limit`.
    pub fn find(&self, kind: ObjectKind, prefix: &IdPrefix, limit: usize) -> Vec<ObjectId> {
        todo!()
    }
    /// How a blob is put together: one chunk for a blob kept in one piece, none for the empty blob.
    pub fn layout(&self, blob: BlobId) -> Result<Layout> {
        todo!()
    }
    /// Streams a blob, checked against its id, into `to`; gives its length.
    pub fn copy_blob(&self, blob: BlobId, to: &mut dyn std::io::Write) -> Result<u64> {
        todo!()
    }
    /// A blob's bytes, checked against its id, if it has at most `limit` of them.
    pub fn read_blob(&self, blob: BlobId, limit: u64) -> Result<Option<Vec<u8>>> {
        todo!()
    }
    /// A reader of its own for one thread, which keeps the last frame decoded.
    pub fn reader(&self) -> Reader<'_> {
        todo!()
    }
    /// Begins to write: nothing that is put is part of the repository before a transaction names its packs.
    pub fn session(&self) -> Session<'_> {
        todo!()
    }
    /// Packs worth merging into one, smallest first; empty if none. Bounded in bytes.
    pub fn merge_candidates(&self) -> Vec<PackId> {
        todo!()
    }
    /// Copies the frames of these packs into one new pack, durable when it returns.
    pub fn merge(&self, packs: &[PackId]) -> Result<PackId> {
        todo!()
    }
}

impl Objects for Store {
    fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
        let _ = (kind, id);
        todo!()
    }
}

/// Reads many objects on one thread.
pub struct Reader<'s> {
    _store: &'s Store,
}

impl Reader<'_> {
    /// The verified bytes of an object of [`ObjectKind::Data`] or another kind, valid until the next call.
    pub fn read(&mut self, kind: ObjectKind, id: ObjectId) -> Result<&[u8]> {
        let _ = (kind, id);
        todo!()
    }
}

/// Writing that is shared by threads: knows what the store holds and what the session has put so far.
pub struct Session<'s> {
    _store: &'s Store,
}

/// One thread's way to write, into a pack of its own.
pub struct Writer<'a> {
    _session: &'a Session<'a>,
}

/// What a session wrote. Durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// New packs.
    pub packs: Vec<PackId>,
    /// What they take on disk.
    pub bytes: u64,
    /// New objects.
    pub objects: u64,
}

#[allow(unused_variables, clippy::todo, reason = "signatures first")]
impl Session<'_> {
    /// A writer for this thread. Drop it, or finish it, before the session is finished.
    pub fn writer(&self) -> Writer<'_> {
        todo!()
    }
    /// Whether the store or the session holds the object.
    pub fn contains(&self, kind: ObjectKind, id: ObjectId) -> bool {
        todo!()
    }
    /// Seals and flushes all packs and their directories. Nothing new: no pack.
    pub fn finish(self) -> Result<Stored> {
        todo!()
    }
}

#[allow(unused_variables, clippy::todo, reason = "signatures first")]
impl Writer<'_> {
    /// Puts an object under its id (which the caller has computed); `false` if it was there already.
    pub fn put(&mut self, kind: ObjectKind, id: ObjectId, bytes: &[u8]) -> Result<bool> {
        todo!()
    }
    /// Hands its frames over to the session.
    pub fn finish(self) -> Result<()> {
        todo!()
    }
}
