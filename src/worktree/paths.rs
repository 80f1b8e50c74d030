//! Path arguments: what a person types in some directory, as paths below the root of the worktree.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::path::RepoPathBuf;

/// Path arguments relative to `cwd`, as paths in the worktree whose root is `root`; what lies outside it is an error.
/// Links in the worktree are not followed; `.` and `..` are resolved by name.
pub fn resolve(root: &Path, cwd: &Path, arguments: &[PathBuf]) -> Result<Vec<RepoPathBuf>> {
    let _ = (root, cwd, arguments);
    todo!()
}
