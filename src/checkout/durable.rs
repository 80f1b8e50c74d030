//! Makes changes durable before the operation is recorded.

use std::collections::{BTreeSet, HashSet};

use crate::apply::outcome::ApplyOutcome;
use crate::apply::plan::Plan;
use crate::error::Result;
use crate::fs::{self, Dir};
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::Worktree;

/// Maximum number of paths that are flushed one by one. For more, flushing the whole file system is faster.
const FEW: usize = 16;

/// Flushes everything that was written, and the directories of removed entries. With `all`, also flushes what an interrupted
/// checkout has written, of which no list exists.
///
/// After a failed flush, the page cache may differ from the disk although the system considers it clean. Drops the cache of the
/// written files, so that the command that finishes the checkout reads what is on the disk.
pub(super) fn flush(worktree: &Worktree, plan: &Plan, outcome: &ApplyOutcome, all: bool) -> Result<()> {
    if outcome.done() == 0 && !all {
        return Ok(());
    }
    let paths = || outcome.done_numbers().map(|n| plan.path(n));
    let flushed = match is_whole(outcome, all) {
        true => {
            if all && worktree.cross_mounts {
                fs::sync_file_systems(worktree.durability);
            }
            flush_whole(worktree, paths())
        }
        false => flush_each(worktree, &paths().collect::<Vec<_>>()),
    };
    if flushed.is_err() {
        let placed = outcome.done_numbers().filter(|n| !outcome.is_removed(*n));
        placed.for_each(|n| forget(&worktree.root, &plan.path(n)));
    }
    flushed
}

/// Whether [`flush`] flushes the whole file system, which may take long.
pub(super) fn is_whole(outcome: &ApplyOutcome, all: bool) -> bool {
    all || outcome.done() > FEW
}

/// Drops a file from the page cache. Ignores errors, because the failed flush is reported.
fn forget(root: &Dir, path: &RepoPath) {
    let Ok((parent, name)) = root.open_parent(path) else { return };
    if matches!(parent.stat(name), Ok(Some(stat)) if stat.kind == Kind::File)
        && let Ok(file) = parent.open_file(name)
    {
        let _ = fs::forget_cached(&file);
    }
}

/// Flushes the file system of the worktree, and those of these paths that are mounted in the worktree.
fn flush_whole(worktree: &Worktree, paths: impl Iterator<Item = RepoPathBuf>) -> Result<()> {
    worktree.root.sync_file_system(worktree.durability)?;
    if !worktree.cross_mounts {
        return Ok(());
    }
    let mut flushed = HashSet::from([worktree.root.stat_self()?.device]);
    for parent in parents(paths) {
        match worktree.root.open_below(&parent) {
            Ok(directory) if flushed.insert(directory.stat_self()?.device) => {
                directory.sync_file_system(worktree.durability)?
            }
            Ok(_) => {}
            Err(error) if fs::is_gone(&error) => {}
            // The directory is finished and unreadable, so its file system is unknown.
            Err(_) => fs::sync_file_systems(worktree.durability),
        }
    }
    Ok(())
}

fn parents(paths: impl Iterator<Item = RepoPathBuf>) -> BTreeSet<RepoPathBuf> {
    paths.map(|path| path.parent().unwrap_or(RepoPath::root()).to_owned()).collect()
}

/// Flushes one by one, or all if something cannot be opened to be flushed (a file that its owner may not read).
fn flush_each(worktree: &Worktree, paths: &[RepoPathBuf]) -> Result<()> {
    match try_each(worktree, paths)? {
        true => Ok(()),
        false => flush_whole(worktree, paths.iter().cloned()),
    }
}

/// `false` if something cannot be opened to be flushed (a file that its owner may not read).
fn try_each(worktree: &Worktree, paths: &[RepoPathBuf]) -> Result<bool> {
    let (root, durability) = (&worktree.root, worktree.durability);
    for path in paths {
        let (parent, name) = match root.open_parent(path) {
            // What is gone is flushed with the directory it was in.
            Err(error) if fs::is_gone(&error) => continue,
            Err(_) => return Ok(false),
            Ok(opened) => opened,
        };
        // A directory that may be listed and not entered has this mode because it is finished.
        let Ok(stat) = parent.stat(name) else { return Ok(false) };
        match stat.map(|stat| stat.kind) {
            Some(Kind::File) => match parent.open_file(name) {
                Ok(file) => fs::sync_all(&file, durability)?,
                Err(_) => return Ok(false),
            },
            Some(Kind::Directory) => match parent.open_dir(name) {
                Ok(directory) => directory.sync(durability)?,
                Err(_) => return Ok(false),
            },
            _ => {}
        }
    }
    for parent in parents(paths.iter().cloned()) {
        match root.open_below(&parent) {
            Err(error) if fs::is_gone(&error) => {}
            Err(_) => return Ok(false),
            Ok(directory) => directory.sync(durability)?,
        }
    }
    Ok(true)
}
