//! The worktree: the user's directory as it is now. Nothing here writes to it.

mod classify;
pub mod clock;
pub mod content;
pub mod database;
mod dir_node;
pub mod ignore;
pub mod ignore_query;
pub mod in_use;
pub mod index;
pub mod index_listing;
pub mod inodes;
pub mod overlay;
pub mod paths;
mod queue;
mod read_entry;
pub mod scan;
mod seen;
pub mod selection;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::environment::Durability;
use crate::error::Result;
use crate::fs::{Dir, Stat};
use crate::metadata::{Kind, Metadata};
use crate::object::Attributes;
use crate::path::RepoPathBuf;
use crate::repo::Repository;

pub use clock::Clock;
pub use content::{HashSink, Reading};
pub use index::Index;
pub use overlay::Overlay;
pub use scan::{Scan, scan};
pub use selection::Selection;

/// The user's directory, open.
pub struct Worktree {
    /// Its root.
    pub root: Dir,
    /// Where it is.
    pub path: PathBuf,
    /// Whether what is mounted below it is part of it.
    pub cross_mounts: bool,
    /// Whether a checkout flushes what it writes.
    pub durability: Durability,
    /// Former modes of directories to which a checkout has given the owner access. Scans record these.
    pub opened: BTreeMap<RepoPathBuf, u16>,
    /// Device and inode of its own repository folder, which is never part of the worktree, wherever it appears.
    repository: Option<(u64, u64)>,
}

impl Worktree {
    /// Opens the directory of a repository.
    pub fn of(repository: &Repository) -> Result<Worktree> {
        let folder = Dir::open(&repository.layout.repository)?.stat_self()?;
        let worktree = Worktree::open(repository.layout.worktree.clone(), repository.config.cross_mounts)?;
        let (durability, repository) = (repository.environment.durability(), Some((folder.device, folder.inode)));
        Ok(Worktree { durability, repository, ..worktree })
    }

    /// Opens a directory whose repository does not matter.
    pub fn open(path: PathBuf, cross_mounts: bool) -> Result<Worktree> {
        let (root, durability) = (Dir::open(&path)?, Durability::Synced);
        Ok(Worktree { root, path, cross_mounts, durability, opened: BTreeMap::new(), repository: None })
    }

    /// Whether this is the stat of the worktree's own repository folder.
    pub fn is_own_repository(&self, stat: &Stat) -> bool {
        stat.kind == Kind::Directory && self.repository == Some((stat.device, stat.inode))
    }

    /// Mode, owner, time and attributes of the root itself, as a scan finds them.
    pub fn root_metadata(&self) -> Result<(Metadata, Attributes)> {
        let attributes = Attributes { xattrs: self.root.xattrs(b".")?, holes: Vec::new() };
        Ok((self.root.stat_self()?.metadata, attributes))
    }
}
