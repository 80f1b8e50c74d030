//! Where a target may be: not in the directory that it backs up.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::path::{RepoPath, RepoPathBuf};
use crate::remote::Address;
use crate::repo::Repository;
use crate::worktree::Worktree;
use crate::worktree::ignore::WorktreeRules;

use super::TargetSettings;

/// Fails with [`ErrorKind::Refused`] if commits would record the target, so that the next checkout removes its newest files, or if it is
/// in the repository. Follows links.
pub(super) fn check_place(repository: &Repository, settings: &TargetSettings, directory: &Path) -> Result<()> {
    let (endpoint, region) = (settings.endpoint.as_deref(), settings.region.as_deref());
    let Address::Directory(path) = Address::parse(&settings.url, endpoint, region, directory)? else { return Ok(()) };
    let place = fs::canonicalize_existing(&path)?;
    let refused = |message: String, hint: &str| Err(Error::new(ErrorKind::Refused, message).hint(hint));
    if place.starts_with(fs::canonicalize(&repository.layout.repository)?) {
        let message = format!("the target `{}` would be in the repository", path.display());
        return refused(message, "name a place outside the directory");
    }
    let Ok(below) = place.strip_prefix(fs::canonicalize(&repository.layout.worktree)?) else { return Ok(()) };
    let below = RepoPathBuf::new(below.as_os_str().as_bytes().to_vec());
    if below.is_none_or(|below| is_covered(repository, &below).unwrap_or(true)) {
        let message = format!("the target `{}` would be in the directory that it backs up", path.display());
        let hint = "name a place outside the directory, or first add the folder of the target to `.undoignore`";
        return refused(message, hint);
    }
    Ok(())
}

/// Whether commits record a directory, which need not exist.
fn is_covered(repository: &Repository, path: &RepoPath) -> Result<bool> {
    let worktree = Worktree::of(repository)?;
    if WorktreeRules::new(&worktree.root).rule(path, true)?.is_some_and(|rule| rule.ignores) {
        return Ok(false);
    }
    let mut directories: Vec<&RepoPath> = path.ancestors().collect();
    directories.reverse();
    directories.push(path);
    let mut device = worktree.root.stat_self()?.device;
    for directory in directories.into_iter().filter(|directory| !directory.is_root()) {
        let Some(stat) = fs::stat(&worktree.path.join(directory.as_path()))? else { break };
        if stat.is_mounted_in(device) && !worktree.cross_mounts {
            return Ok(false);
        }
        device = stat.device;
    }
    Ok(true)
}
