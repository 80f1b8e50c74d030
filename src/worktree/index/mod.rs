//! The index: the state of the worktree when it was last read. A cache: without it, commands are slower.
//!
//! A record proves content unchanged only by mtime, ctime, size, inode, mode and owner together, and only if it is not
//! racy: newer than the file system's clock when it was taken, or of a file in use whose stat may not reveal the next
//! store through a mapping. A record is valid only while the store has the objects that it names, so the index must be
//! removed before any object.

mod builder;
mod file;
mod record;
mod spool;
mod update;

use crate::error::Result;
use crate::object::Entry;
use crate::path::set::PathSet;
use crate::path::{RepoPath, RepoPathBuf};

pub use builder::{Builder, Records};
pub use file::{Directory, Index};
#[cfg(test)]
pub use record::encode;
pub use record::{Block, Record, Total};
pub use spool::Spool;
pub use update::Update;

/// A directory being listed.
struct Level {
    path: RepoPathBuf,
    directory: Directory,
    next: usize,
    /// Whether all of it is selected, not only something below it.
    is_selected: bool,
}

/// Calls `each` for all entries in the index except directories, in path order. Empty `paths` means all entries, else only
/// those at or below one of the paths. Returns `false`, and does not call it, if the index is missing or damaged, or if it has a
/// file that was read only in part.
pub fn for_each_entry(
    index: &Index,
    paths: &[RepoPathBuf],
    each: &mut dyn FnMut(&RepoPath, Entry) -> Result<()>,
) -> Result<bool> {
    let selection = PathSet::topmost(paths.to_vec());
    let level = |path: RepoPathBuf| -> Option<Level> {
        let is_selected = selection.is_empty() || selection.covers(&path);
        Some(Level { directory: index.directory(&path).filter(Directory::is_readable)?, path, next: 0, is_selected })
    };
    let is_intact = index.count() > 0
        && index.directories().count() == index.count()
        // A prefix is not a whole file.
        && !index.directories().any(|(_, directory)| directory.block().has_prefix());
    let Some(root) = level(RepoPathBuf::default()).filter(|_| is_intact) else { return Ok(false) };
    let mut levels = vec![root];
    while let Some(here) = levels.last_mut() {
        if here.next == here.directory.count() {
            levels.pop();
            continue;
        }
        let record = here.directory.block().record(here.next);
        here.next += 1;
        // The root's own record has no name.
        let Some(record) = record.filter(|record| !record.name.is_empty()) else { continue };
        let path = here.path.join(&record.name);
        let entry = record.to_entry();
        if entry.tree().is_some() {
            levels.extend(level(path.clone()).filter(|below| below.is_selected || selection.has_within(&path)));
        } else if here.is_selected || selection.covers(&path) {
            each(&path, entry)?;
        }
    }
    Ok(true)
}
