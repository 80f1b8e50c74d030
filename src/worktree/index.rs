//! The index: what the worktree looked like when it was last read. A cache: losing it costs time, never data.
//!
//! A record proves content unchanged only by mtime, ctime, size, inode, mode and owner together, and only if it was not
//! racy: younger than the file system's clock when it was taken.

use std::path::Path;

use crate::error::Result;
use crate::fs::Stat;
use crate::id::AttributesId;
use crate::object::Content;
use crate::path::{RepoPath, RepoPathBuf};

/// The index file, mapped; or none.
pub struct Index {}

/// What is known of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its name.
    pub name: Vec<u8>,
    /// As it was when its content was read or written.
    pub stat: Stat,
    /// What it was. Of a directory: its tree when it was last recorded.
    pub content: Content,
    /// Its attributes.
    pub attributes: Option<AttributesId>,
    /// A later change may have left the same stat: to be read again.
    pub racy: bool,
}

/// The records of one directory, sorted by name.
pub struct Directory<'i> {
    _index: &'i Index,
}

#[allow(unused_variables, clippy::todo, reason = "signatures first")]
impl Index {
    /// One that knows nothing.
    pub fn empty() -> Index {
        Index {}
    }
    /// Maps the file; one that is missing, damaged or of another version knows nothing.
    pub fn open(path: &Path) -> Result<Index> {
        todo!()
    }
    /// What it knows of a directory.
    pub fn directory(&self, path: &RepoPath) -> Option<Directory<'_>> {
        todo!()
    }
    /// What it knows of an entry.
    pub fn find(&self, path: &RepoPath) -> Option<Record> {
        todo!()
    }
}

#[allow(unused_variables, clippy::todo, reason = "signatures first")]
impl Directory<'_> {
    /// The record of a name.
    pub fn find(&self, name: &[u8]) -> Option<Record> {
        todo!()
    }
}

/// An index to be written: directories, each with all its records.
#[derive(Debug, Default)]
pub struct Builder {
    /// By path.
    pub directories: std::collections::BTreeMap<RepoPathBuf, Vec<Record>>,
}

impl Builder {
    /// Writes the file (atomically, not flushed).
    pub fn write(&self, path: &Path) -> Result<()> {
        let _ = path;
        todo!()
    }
}
