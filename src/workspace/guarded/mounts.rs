//! Mounts that a command or a tool may change, and that no commit records.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::fs;
use crate::object::commit::Reason;
use crate::path::RepoPathBuf;
use crate::snapshot::Outcome;

/// The mounts in a recorded directory that contain one of these paths, or are below one.
pub(crate) fn mounts_among(paths: &[PathBuf], worktree: &Path, outcome: &Outcome) -> Vec<RepoPathBuf> {
    let mounts = outcome.uncovered.iter().filter(|uncovered| uncovered.reason == Reason::Mount);
    let mut mounts = mounts.map(|mount| &mount.path).peekable();
    if mounts.peek().is_none() {
        return Vec::new();
    }
    let named: Vec<PathBuf> = paths.iter().filter_map(|path| fs::canonicalize_existing(path).ok()).collect();
    let is_named = |mount: &&RepoPathBuf| {
        let mount = worktree.join(OsStr::from_bytes(mount.as_bytes()));
        named.iter().any(|path| path.starts_with(&mount) || mount.starts_with(path))
    };
    mounts.filter(is_named).cloned().collect()
}
