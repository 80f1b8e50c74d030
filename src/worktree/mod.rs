//! The worktree: reads the user's directory. Nothing here writes to it.

mod classify;
pub mod clock;
pub mod content;
pub mod count;
pub mod database;
pub mod ignore;
pub mod index;
pub mod inodes;
mod node;
pub mod paths;
mod queue;
mod read_entry;
pub mod scan;
pub mod sink;
#[cfg(test)]
mod tests;
mod walk;
mod worker;

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use crate::environment::Durability;
use crate::error::Result;
use crate::fs::{Dir, Stat};
use crate::id::ObjectId;
use crate::metadata::{Kind, Metadata};
use crate::object::{Attributes, ObjectKind, Objects};
use crate::path::RepoPathBuf;
use crate::repo::Repository;

pub use clock::Clock;
pub use content::Reading;
pub use index::Index;
pub use scan::{Scan, scan};
pub use sink::HashSink;

/// The user's directory, opened.
pub struct Worktree {
    pub(crate) root: Dir,
    /// For messages.
    pub path: PathBuf,
    /// Whether mounted file systems below the root belong to the worktree.
    pub cross_mounts: bool,
    /// Whether a checkout flushes what it writes.
    pub durability: Durability,
    /// Original modes of directories to which a checkout gave the owner access. Scans record these modes.
    pub opened: BTreeMap<RepoPathBuf, u16>,
    /// Device and inode of the repository folder, which is never part of the worktree, wherever it is mounted.
    repository: Option<(u64, u64)>,
}

impl Worktree {
    /// Opens the worktree of a repository.
    pub fn of(repository: &Repository) -> Result<Worktree> {
        let folder = Dir::open(&repository.layout.repository)?.stat_self()?;
        let worktree = Worktree::open(repository.layout.worktree.clone(), repository.config.cross_mounts)?;
        let (durability, repository) = (repository.environment.durability(), Some((folder.device, folder.inode)));
        Ok(Worktree { durability, repository, ..worktree })
    }

    /// Opens a directory regardless of its repository.
    pub fn open(path: PathBuf, cross_mounts: bool) -> Result<Worktree> {
        let (root, durability) = (Dir::open(&path)?, Durability::Synced);
        Ok(Worktree { root, path, cross_mounts, durability, opened: BTreeMap::new(), repository: None })
    }

    /// Whether this is the stat of the worktree's own repository folder.
    pub fn is_own_repository(&self, stat: &Stat) -> bool {
        stat.kind == Kind::Directory && self.repository == Some((stat.device, stat.inode))
    }

    /// Mode, owner, time and attributes of the root.
    pub fn root_metadata(&self) -> Result<(Metadata, Attributes)> {
        let attributes = Attributes { xattrs: self.root.xattrs(b".")?, holes: Vec::new() };
        Ok((self.root.stat_self()?.metadata, attributes))
    }
}

/// The objects of a scan on top of those of the store, so that a scan can be compared like a commit.
pub struct Overlay<'a> {
    pub(crate) below: &'a dyn Objects,
    pub(crate) objects: &'a HashMap<(ObjectKind, ObjectId), Arc<[u8]>>,
}

impl Objects for Overlay<'_> {
    fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>> {
        match self.objects.get(&(kind, id)) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.below.object(kind, id),
        }
    }
}
