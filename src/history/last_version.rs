//! Finds the newest commit that has a path, whether or not the current commit has it.

use crate::error::Result;
use crate::history::entry_at;
use crate::history::walk::{WalkOptions, walk};
use crate::id::CommitId;
use crate::object::Objects;
use crate::path::RepoPath;
use crate::path::selection::PathSelection;
use crate::repo::Repository;

/// The current commit if it has the path, else the newest commit that has it. `None` if the path was never recorded.
pub fn last_version(repository: &Repository, path: &RepoPath) -> Result<Option<CommitId>> {
    let store = repository.store();
    let has_path = |id: CommitId| -> Result<bool> { Ok(entry_at(store, &store.commit(id)?.root, path)?.is_some()) };
    if let Some(current) = repository.view().at()
        && has_path(current)?
    {
        return Ok(Some(current));
    }
    let options = WalkOptions { paths: PathSelection::of_paths(vec![path.to_owned()]), ..WalkOptions::default() };
    let Some(changing) = walk(repository, options)?.next().transpose()? else { return Ok(None) };
    // A commit that changes the path has it, or has deleted it.
    if has_path(changing.id)? { Ok(Some(changing.id)) } else { Ok(changing.parents.first().copied()) }
}
