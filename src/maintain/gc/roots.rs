//! What a sweep keeps: the history, and what can still be taken back.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use crate::error::{ErrorKind, Result};
use crate::id::{BlobId, CommitId, PackId};
use crate::object::Objects;
use crate::object::operation::{Forgotten, ForgottenCommits, Intent, forgotten_count, kept_parents};
use crate::repo::Repository;
use crate::repo::journal::YOUNG;
use crate::time::Timestamp;

/// Everything that a sweep at some horizon keeps.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    /// Commits of the history.
    pub kept: BTreeSet<CommitId>,
    /// Forgotten commits that can be recalled.
    pub recallable: BTreeSet<CommitId>,
    /// Packs with objects that no commit may refer to yet.
    pub young: BTreeSet<PackId>,
    /// Purged content that is not kept.
    pub purged: BTreeSet<BlobId>,
    /// What remains of forgotten commits that go and that other commits name.
    pub substitutes: ForgottenCommits,
    /// Number of commits that go with this sweep.
    pub swept: u64,
    /// Whether purged content goes with this sweep.
    pub has_new_purges: bool,
}

/// Parents of commits, so that each commit is read once although the roots are determined several times.
#[derive(Default)]
pub struct KnownParents(HashMap<CommitId, Vec<CommitId>>);

impl KnownParents {
    /// Determines what to keep. Whatever was forgotten or purged at `horizon` or before goes.
    pub fn roots(&mut self, repository: &Repository, horizon: Timestamp, now: Timestamp) -> Result<Roots> {
        let (state, view) = (repository.state(), repository.view());
        let is_over = |time: Option<Timestamp>| time.is_none_or(|time| time <= horizon);
        let mut roots = Roots::default();
        let before_runs = repository.commits_before_runs()?;
        let mut named = BTreeSet::new();
        let mut pending: Vec<CommitId> = view.starting_points().collect();
        pending.extend(before_runs.iter().filter(|id| !view.forgotten.contains_key(id)));
        pending.extend(state.intent.iter().flat_map(commits_of));
        while let Some(id) = pending.pop() {
            if !roots.kept.insert(id) {
                continue;
            }
            let parents = self.parents(repository, id)?;
            named.extend(parents);
            pending.extend(view.kept_parents(parents).iter().filter(|id| !roots.kept.contains(id)));
        }
        let mut gone = ForgottenCommits::new();
        for (&id, forgotten) in &view.forgotten {
            if is_over(forgotten.time) && !before_runs.contains(&id) {
                roots.swept += u64::from(forgotten.time.is_some());
                gone.insert(id, forgotten.clone());
            } else {
                named.extend(&forgotten.parents);
                // If it cannot be read, nothing tells what it needs.
                self.parents(repository, id).map_err(|error| match error.kind() {
                    ErrorKind::Damaged => error.hint(
                        "to restore it from a copy of the repository: undo repair --from COPY; \
                         to do without all forgotten commits: undo gc --now",
                    ),
                    _ => error,
                })?;
                roots.recallable.insert(id);
            }
        }
        roots.substitutes = substitutes(&gone, &named);
        roots.young =
            state.young.iter().filter(|(_, time)| time.seconds > now.seconds - YOUNG).map(|(id, _)| *id).collect();
        roots.purged = view.purged.iter().filter(|(_, purged)| is_over(purged.time)).map(|(id, _)| *id).collect();
        roots.has_new_purges = view.purged.values().any(|purged| purged.time.is_some_and(|time| time <= horizon));
        Ok(roots)
    }

    fn parents(&mut self, repository: &Repository, id: CommitId) -> Result<&[CommitId]> {
        match self.0.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => {
                let commit = repository.store().commit(id).map_err(|error| match error.kind() {
                    ErrorKind::Damaged => error.hint(format!(
                        "to restore it from a copy of the repository: undo repair --from COPY; to do without it: undo forget {}",
                        id.short()
                    )),
                    _ => error,
                });
                Ok(unknown.insert(commit?.parents))
            }
        }
    }
}

/// The commits that an unfinished checkout needs.
fn commits_of(intent: &Intent) -> Vec<CommitId> {
    let edits = intent.edits.iter().flat_map(|edit| [edit.old, edit.new]).flatten();
    intent.from.into_iter().chain([intent.to]).chain(edits).collect()
}

/// What remains of the commits that go: an entry for each that another commit names. It leads to the nearest commits that
/// stay, and counts the commits between.
fn substitutes(gone: &ForgottenCommits, named: &BTreeSet<CommitId>) -> ForgottenCommits {
    let remains = |id: &CommitId| {
        let entry = gone.get(id)?;
        let count = entry.count + forgotten_count(gone, &entry.parents);
        Some((*id, Forgotten { parents: kept_parents(gone, &entry.parents), count, time: None }))
    };
    named.iter().filter_map(remains).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u8) -> CommitId {
        CommitId([n; 32])
    }

    #[test]
    fn substitutes_collapse_chains_and_add_counts() {
        let entry = |parents: &[u8], count| Forgotten {
            parents: parents.iter().copied().map(id).collect(),
            count,
            time: Some(Timestamp::default()),
        };
        // 9 and 8 are kept; 9 names 5, whose line goes back to 8.
        let gone: ForgottenCommits =
            [(id(5), entry(&[4], 1)), (id(4), entry(&[3], 1)), (id(3), entry(&[8], 7)), (id(2), entry(&[], 1))].into();
        let named = BTreeSet::from([id(5), id(8)]);
        let found = substitutes(&gone, &named);
        assert_eq!(found, ForgottenCommits::from([(id(5), Forgotten { parents: vec![id(8)], count: 9, time: None })]));
    }
}
