//! Revisions: `@`, `@~3`, `main~2`, an id prefix, a branch or tag, `latest`, `-`, `@{10 minutes ago}`, `REV:path`, `A..B`.

use crate::error::Result;
use crate::id::CommitId;
use crate::path::RepoPathBuf;
use crate::repo::Repository;

/// The commit that a revision names; unknown and ambiguous ones are errors that list candidates.
pub fn resolve(repository: &Repository, text: &str) -> Result<CommitId> {
    let _ = (repository, text);
    todo!()
}

/// `REV:path` or `REV`: the commit, and the path in it if there is one (`REV:` names the root).
pub fn resolve_path(repository: &Repository, text: &str) -> Result<(CommitId, Option<RepoPathBuf>)> {
    let _ = (repository, text);
    todo!()
}
