//! Which commits of a repository a target lacks, and the view of its commits that the target then has.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::error::{Error, ErrorKind, Result};
use crate::history;
use crate::history::walk::WalkOptions;
use crate::id::CommitId;
use crate::object::operation::{Forgotten, ForgottenCommits, Refs, View, kept_parents};
use crate::object::{Commit, Objects};
use crate::repo::Repository;
use crate::target::Stream;

/// The commits of the repository that its stream does not have, parents before children. Only `wanted` ones, if given; else without
/// those that were forgotten in the target, unless a branch or a tag names them.
pub fn new_commits(
    repository: &Repository,
    stream: Option<&Stream>,
    wanted: Option<&[CommitId]>,
) -> Result<Vec<(CommitId, Commit)>> {
    let mut commits = Vec::new();
    let is_present = |id: &CommitId| stream.is_some_and(|stream| stream.commits.contains(id));
    let view = repository.view();
    let named: HashSet<CommitId> = view.branches.values().chain(view.tags.values()).copied().collect();
    let is_forgotten = |id: &CommitId| stream.is_some_and(|stream| stream.view.can_recall(*id)) && !named.contains(id);
    match wanted {
        Some(wanted) => {
            let wanted: BTreeSet<CommitId> = wanted.iter().copied().filter(|id| !is_present(id)).collect();
            for id in wanted {
                commits.push((id, repository.store().commit(id)?));
            }
            commits.sort_by_key(|(id, commit)| (commit.order(), *id));
        }
        None => {
            for item in history::walk(repository, WalkOptions::default())? {
                let item = item?;
                if !is_present(&item.id) && !is_forgotten(&item.id) {
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
    old: Option<&Stream>,
    new: &[(CommitId, Commit)],
    is_partial: bool,
) -> Result<View> {
    let local = repository.view();
    let mut commits: BTreeSet<CommitId> = old.map(|old| old.commits.clone()).unwrap_or_default();
    commits.extend(new.iter().map(|(id, _)| *id));
    let old = old.map(|old| old.view.clone()).unwrap_or_default();
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
    // What the repository no longer has cannot be pushed again.
    let is_judged = !is_partial && old.forgotten.keys().any(|id| old.can_recall(*id));
    let here: HashSet<CommitId> = match is_judged {
        true => history::walk(repository, WalkOptions::default())?
            .map(|item| item.map(|item| item.id))
            .collect::<Result<_>>()?,
        false => HashSet::new(),
    };
    let (heads, forgotten) = links(repository, &commits, &old, &|id| !is_judged || here.contains(&id))?;
    Ok(View { refs, heads, forgotten, purged })
}

/// The view of a directory that the repository shows, without `removed` commits, which it remembers as forgotten.
///
/// [`ErrorKind::Refused`] if a branch or a tag names one of them.
pub fn view_without(
    repository: &Repository,
    old: &View,
    commits: &BTreeSet<CommitId>,
    removed: &BTreeSet<CommitId>,
) -> Result<View> {
    let mut old = old.clone();
    let named = old.branches.iter().chain(&old.tags).find(|(_, id)| removed.contains(id));
    if let Some((name, id)) = named {
        let message = format!("{} cannot be forgotten: `{name}` names it", id.short());
        return Err(Error::new(ErrorKind::Refused, message));
    }
    let time = Some(repository.environment.now());
    for id in removed {
        let parents = repository.store().commit(*id)?.parents;
        old.forgotten.insert(*id, Forgotten { parents, count: 1, time });
    }
    let left = commits.difference(removed).copied().collect();
    let (heads, forgotten) = links(repository, &left, &old, &|_| true)?;
    Ok(View { heads, forgotten, ..old })
}

/// How commits are linked: the heads, and for each parent that is not among the commits, the nearest of its ancestors that are.
/// Commits that were forgotten in the target stay listed as long as they `is_remembered`.
fn links(
    repository: &Repository,
    commits: &BTreeSet<CommitId>,
    old: &View,
    is_remembered: &dyn Fn(CommitId) -> bool,
) -> Result<(BTreeSet<CommitId>, ForgottenCommits)> {
    let mut parents: BTreeMap<CommitId, Vec<CommitId>> = BTreeMap::new();
    for id in commits {
        parents.extend(readable_parents(repository, *id)?.map(|parents| (*id, parents)));
    }
    let mut forgotten = ForgottenCommits::new();
    for absent in parents.values().flatten().filter(|parent| !commits.contains(parent)) {
        if !forgotten.contains_key(absent) {
            forgotten.insert(*absent, nearest(repository, *absent, commits, old)?);
        }
    }
    for (id, entry) in old.forgotten.iter().filter(|(id, _)| !commits.contains(id)) {
        if entry.time.is_some() && is_remembered(*id) {
            forgotten.entry(*id).or_insert_with(|| entry.clone()).time = entry.time;
        } else if parents.len() < commits.len() {
            // Commits that only the target has may name parents that the repository does not know.
            forgotten.entry(*id).or_insert_with(|| Forgotten { time: None, ..entry.clone() });
        }
    }
    let mut heads = commits.clone();
    // A commit that only the target has stays as it is there.
    heads.retain(|id| parents.contains_key(id) || old.heads.contains(id));
    for parent in parents.values().flat_map(|parents| kept_parents(&forgotten, parents)) {
        heads.remove(&parent);
    }
    Ok((heads, forgotten))
}

/// The parents of a commit; `None` if the repository lacks it.
fn readable_parents(repository: &Repository, id: CommitId) -> Result<Option<Vec<CommitId>>> {
    match repository.store().commit(id) {
        Err(error) if error.kind() == ErrorKind::Damaged => Ok(None),
        commit => commit.map(|commit| Some(commit.parents)),
    }
}

/// The nearest ancestors among `commits` of one that is not.
fn nearest(repository: &Repository, id: CommitId, commits: &BTreeSet<CommitId>, old: &View) -> Result<Forgotten> {
    let (mut parents, mut count) = (Vec::new(), 0);
    let (mut seen, mut stack) = (HashSet::new(), vec![id]);
    while let Some(id) = stack.pop() {
        if !seen.insert(id) {
            continue;
        }
        if commits.contains(&id) {
            parents.push(id);
            continue;
        }
        let (above, skipped) = match readable_parents(repository, id)? {
            Some(parents) => (parents, 1),
            None => match repository.view().forgotten.get(&id).or_else(|| old.forgotten.get(&id)) {
                Some(forgotten) => (forgotten.parents.clone(), forgotten.count),
                None => (Vec::new(), 1),
            },
        };
        count += skipped;
        stack.extend(above.into_iter().rev());
    }
    Ok(Forgotten { parents, count, time: None })
}
