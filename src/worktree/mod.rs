//! The worktree: the user's directory as it is now. Nothing here writes to it.

pub mod clock;
pub mod content;
pub mod database;
pub mod deciding;
mod gather;
pub mod ignore;
pub mod in_use;
pub mod index;
pub mod known;
mod look;
pub mod overlay;
pub mod paths;
mod queue;
pub mod scan;
pub mod selection;
#[cfg(test)]
mod tests;
mod visit;
mod walk;

use std::path::PathBuf;

use crate::error::Result;
use crate::fs::Dir;
use crate::metadata::Metadata;
use crate::object::Attributes;

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
}

impl Worktree {
    /// Opens it.
    pub fn open(path: PathBuf, cross_mounts: bool) -> Result<Worktree> {
        Ok(Worktree { root: Dir::open(&path)?, path, cross_mounts })
    }

    /// Mode, owner, time and attributes of the root itself, as a scan finds them.
    pub fn root_metadata(&self) -> Result<(Metadata, Attributes)> {
        let attributes = Attributes { xattrs: self.root.xattrs(b".")?, holes: Vec::new() };
        Ok((self.root.stat_self()?.metadata, attributes))
    }
}
