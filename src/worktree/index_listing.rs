//! What the worktree had when it was last read, as the index tells it: nothing in the worktree is looked at.

use crate::error::Result;
use crate::object::Entry;
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::index::Directory;
use crate::worktree::{Index, Selection};

/// A directory that is being told.
struct Level {
    path: RepoPathBuf,
    directory: Directory,
    next: usize,
    /// Whether all of it is selected, and not only something below.
    whole: bool,
}

/// Calls `each` with all that the index knows but directories, in path order: only `paths` and what is below them; empty:
/// all. `false`, and nothing is told, if there is no index or it is not whole.
pub fn known(
    index: &Index,
    paths: &[RepoPathBuf],
    each: &mut dyn FnMut(&RepoPath, Entry) -> Result<()>,
) -> Result<bool> {
    let selection = Selection::new(paths);
    let level = |path: RepoPathBuf| -> Option<Level> {
        let whole = selection.is_empty() || selection.covers(&path);
        Some(Level { directory: index.directory(&path).filter(Directory::is_readable)?, path, next: 0, whole })
    };
    let is_whole = index.count() > 0 && index.directories().count() == index.count();
    let Some(root) = level(RepoPathBuf::default()).filter(|_| is_whole) else { return Ok(false) };
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
            levels.extend(level(path.clone()).filter(|below| below.whole || selection.leads_through(&path)));
        } else if here.whole || selection.covers(&path) {
            each(&path, entry)?;
        }
    }
    Ok(true)
}
