//! Counts the commits that a copy lacks, without walking all of history.

use super::{WalkOptions, walk};
use crate::error::Result;
use crate::id::CommitId;
use crate::object::ObjectKind;
use crate::repo::Repository;

/// A number of commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitCount {
    /// The number.
    pub commits: u64,
    /// Whether counting ended early, so that there may be more.
    pub is_minimum: bool,
}

/// Number of commits at which counting ends.
const MOST_COUNTED: u64 = 100;

/// Number of commits to read at which counting ends. More than the counted ones are read where an old commit was recalled.
const MOST_READ: usize = 1000;

/// Counts the commits of the history that are neither among these nor their ancestors. A forgotten commit among them stands for
/// its nearest ancestors that are not forgotten. Unreadable commits do not count.
pub fn count_lacking(repository: &Repository, present: &[CommitId]) -> Result<CommitCount> {
    let view = repository.view();
    let present = view.kept_parents(present);
    if view.heads.iter().all(|head| present.contains(head)) {
        return Ok(CommitCount::default());
    }
    let is_stored = |id: &CommitId| repository.store().contains(ObjectKind::Commit, id.object_id());
    let exclude = present.into_iter().filter(is_stored).collect();
    let mut walk = walk(repository, WalkOptions { exclude, ..WalkOptions::default() })?;
    let mut count = CommitCount::default();
    while !walk.wanted.is_empty() {
        if count.commits >= MOST_COUNTED || walk.known.len() >= MOST_READ {
            // A head that is not present is not an ancestor of one that is.
            return Ok(CommitCount { commits: count.commits.max(1), is_minimum: true });
        }
        let Some((_, is_excluded)) = walk.advance()? else { break };
        count.commits += u64::from(!is_excluded);
    }
    Ok(count)
}
