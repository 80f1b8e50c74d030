//! Restores commits of packs that the journal does not name, with everything that they need.

use std::collections::HashSet;

use super::Present;
use super::copies::{self, Put};
use crate::error::Result;
use crate::history::objects::ObjectType;
use crate::id::{CommitId, ObjectId};
use crate::object::operation::View;
use crate::object::{ObjectKind, Objects};
use crate::repo::Repository;
use crate::store::Store;

/// An object, or the content of a file, which is data or a layout.
type Typed = (ObjectType, ObjectId);

/// The commits in packs that the journal does not name of which everything can be read. They are not part of the history.
pub(super) fn complete(repository: &Repository, present: &Present<'_>) -> Result<Vec<CommitId>> {
    let unnamed = repository.unnamed_commits()?;
    if unnamed.is_empty() {
        return Ok(Vec::new());
    }
    let source = open(repository)?;
    let mut found = HashSet::new();
    let commits: HashSet<CommitId> = unnamed.into_values().flatten().collect();
    let mut commits: Vec<CommitId> = commits.into_iter().collect();
    commits.sort_unstable();
    commits.retain(|&id| is_complete(&source, (present, repository.view()), id, &mut found));
    Ok(commits)
}

/// Copies these commits, and what they need, from the packs that the journal does not name.
pub(super) fn copy(
    repository: &Repository,
    present: &Present<'_>,
    commits: &[CommitId],
    put: &mut Put<'_>,
) -> Result<()> {
    let source = [open(repository)?];
    let wanted = commits.iter().map(|id| (ObjectType::Commit, id.object_id()));
    copies::copy(&source, (present, repository.view()), wanted, put)
}

/// Opens the packs that the journal neither names nor records as replaced.
fn open(repository: &Repository) -> Result<Store> {
    let store = repository.store();
    Store::open(&repository.layout.repository, &repository.unnamed_packs()?, None, store.options().clone())
}

/// Whether a commit, its ancestors and everything that they refer to can be read from the packs or `source`. `found` has objects
/// whose references can all be read, and receives those of a complete commit.
fn is_complete(
    source: &Store,
    (present, view): (&Present<'_>, &View),
    commit: CommitId,
    found: &mut HashSet<Typed>,
) -> bool {
    let mut seen = HashSet::new();
    let mut pending = vec![(ObjectType::Commit, commit.object_id())];
    while let Some((object_type, id)) = pending.pop() {
        let kinds = object_type.kinds();
        let is_known = copies::is_unwanted(view, object_type, id)
            || found.contains(&(object_type, id))
            || kinds.iter().any(|&kind| present.has(kind, id));
        if is_known || !seen.insert((object_type, id)) {
            continue;
        }
        let read = |&kind: &ObjectKind| copies::referenced(kind, id, &source.object(kind, id).ok()?).ok();
        match kinds.iter().filter(|&&kind| source.contains(kind, id)).find_map(read) {
            Some(referenced) => pending.extend(referenced),
            None => return false,
        }
    }
    found.extend(seen);
    true
}
