//! Records database files together with their journals, whichever of them the user named.

use crate::error::Result;
use crate::history::entry_at;
use crate::metadata::Kind;
use crate::object::Objects;
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::Repository;
use crate::worktree::{Worktree, database};

/// Returns these paths plus the other files of their databases that exist in the worktree or in the current commit, and
/// separately the paths that were added.
pub fn with_database_files(
    repository: &Repository,
    worktree: &Worktree,
    paths: &[RepoPathBuf],
) -> Result<(Vec<RepoPathBuf>, Vec<RepoPathBuf>)> {
    // An unreadable commit is reported by the code that needs it.
    let parent = repository.view().at().and_then(|id| repository.store().commit(id).ok());
    database::with_all_files(paths, &mut |path| {
        let recorded = parent.as_ref().and_then(|parent| entry_at(repository.store(), &parent.root, path).ok()?);
        Ok(is_live_file(worktree, path) || recorded.is_some_and(|entry| entry.kind() == Kind::File))
    })
}

fn is_live_file(worktree: &Worktree, path: &RepoPath) -> bool {
    let parent = worktree.root.open_below(path.parent().unwrap_or(RepoPath::root()));
    let stat = parent.and_then(|parent| parent.stat(path.name().unwrap_or(b".")));
    matches!(stat, Ok(Some(stat)) if stat.kind == Kind::File)
}
