//! Which commits of a repository a target lacks, and the view of its commits that the target then has.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::error::Result;
use crate::history;
use crate::history::walk::WalkOptions;
use crate::id::CommitId;
use crate::object::operation::{Forgotten, ForgottenCommits, Refs, View, kept_parents};
use crate::object::{Commit, Objects};
use crate::repo::Repository;

/// The commits of the repository that are not `present` in the target, parents before children. Only `wanted` ones, if given.
pub fn new_commits(
    repository: &Repository,
    present: &BTreeSet<CommitId>,
    wanted: Option<&[CommitId]>,
) -> Result<Vec<(CommitId, Commit)>> {
    let mut commits = Vec::new();
    match wanted {
        Some(wanted) => {
            let wanted: BTreeSet<CommitId> = wanted.iter().copied().filter(|id| !present.contains(id)).collect();
            for id in wanted {
                commits.push((id, repository.store().commit(id)?));
            }
            commits.sort_by_key(|(id, commit)| (commit.order(), *id));
        }
        None => {
            for item in history::walk(repository, WalkOptions::default())? {
                let item = item?;
                if !present.contains(&item.id) {
                    commits.push((item.id, item.commit));
                }
            }
            commits.reverse();
        }
    }
    Ok(commits)
}

/// The view of the commits that the target will have: those of the `old` view and the new ones. No commit becomes unreachable,
/// whatever the repository has forgotten. `is_partial`: refs that the repository does not push stay.
pub fn new_view(
    repository: &Repository,
    old: Option<(&View, &BTreeSet<CommitId>)>,
    new: &[(CommitId, Commit)],
    is_partial: bool,
) -> Result<View> {
    let local = repository.view();
    let mut commits: BTreeSet<CommitId> = old.map(|(_, present)| present.clone()).unwrap_or_default();
    commits.extend(new.iter().map(|(id, _)| *id));
    let old = old.map(|(view, _)| view.clone()).unwrap_or_default();
    let mut refs = Refs { current: local.current.clone(), ..Refs::default() };
    if is_partial {
        (refs.branches, refs.tags) = (old.branches.clone(), old.tags.clone());
    }
    let named = |names: &BTreeMap<String, CommitId>| {
        let there = names.iter().filter(|(_, id)| commits.contains(id));
        there.map(|(name, id)| (name.clone(), *id)).collect::<Vec<_>>()
    };
    refs.branches.extend(named(&local.branches));
    refs.tags.extend(named(&local.tags));
    let purged = old.purged.keys().chain(local.purged.keys()).copied().collect::<BTreeSet<_>>();
    let purged = purged.into_iter().filter_map(|blob| {
        let purged = local.purged.get(&blob).or_else(|| old.purged.get(&blob).filter(|_| is_partial))?;
        Some((blob, *purged))
    });
    let purged = purged.collect();
    let is_complete = |commit: &Commit| commit.parents.iter().all(|parent| commits.contains(parent));
    if old.forgotten.is_empty() && new.iter().all(|(_, commit)| is_complete(commit)) {
        let mut heads = old.heads;
        for (id, commit) in new {
            for parent in &commit.parents {
                heads.remove(parent);
            }
            heads.insert(*id);
        }
        return Ok(View { refs, heads, forgotten: ForgottenCommits::new(), purged });
    }
    let forgotten = substitutes(repository, &commits, &old.forgotten);
    let mut heads = commits.clone();
    for id in &commits {
        match repository.store().commit(*id) {
            Ok(commit) => {
                for parent in kept_parents(&forgotten, &commit.parents) {
                    heads.remove(&parent);
                }
            }
            // A commit that only the target has stays as it is there.
            Err(_) if old.heads.contains(id) => {}
            Err(_) => {
                heads.remove(id);
            }
        }
    }
    Ok(View { refs, heads, forgotten, purged })
}

/// For each parent that is not among the commits, the nearest of its ancestors that are.
fn substitutes(repository: &Repository, commits: &BTreeSet<CommitId>, old: &ForgottenCommits) -> ForgottenCommits {
    let store = repository.store();
    let parents_of = |id: CommitId| match (store.commit(id), repository.view().forgotten.get(&id), old.get(&id)) {
        (Ok(commit), ..) => (commit.parents, 1),
        (Err(_), Some(forgotten), _) | (Err(_), None, Some(forgotten)) => (forgotten.parents.clone(), forgotten.count),
        _ => (Vec::new(), 1),
    };
    let mut found = ForgottenCommits::new();
    for id in commits {
        let parents = match store.commit(*id) {
            Ok(commit) => commit.parents,
            Err(_) => continue,
        };
        for absent in parents.into_iter().filter(|parent| !commits.contains(parent)) {
            if found.contains_key(&absent) {
                continue;
            }
            let (mut nearest, mut count) = (Vec::new(), 0);
            let (mut seen, mut stack) = (HashSet::new(), vec![absent]);
            while let Some(id) = stack.pop() {
                if !seen.insert(id) {
                    continue;
                }
                if commits.contains(&id) {
                    nearest.push(id);
                    continue;
                }
                let (parents, skipped) = parents_of(id);
                count += skipped;
                stack.extend(parents.into_iter().rev());
            }
            found.insert(absent, Forgotten { parents: nearest, count, time: None });
        }
    }
    // Commits that only the target has may name parents that the repository does not know.
    for (id, forgotten) in old.iter().filter(|(id, _)| !commits.contains(id)) {
        found.entry(*id).or_insert_with(|| forgotten.clone());
    }
    found
}
