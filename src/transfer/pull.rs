//! Pulls commits of a target into a repository.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::apply::fetched_files::FetchedFiles;
use crate::error::Result;
use crate::id::{BlobId, CommitId};
use crate::number::plural;
use crate::object::Objects;
use crate::object::operation::{Forgotten, ForgottenCommits, RefEdit, RefName, Refs, Verb};
use crate::progress::Progress;
use crate::repo::{NewOperation, Repository, Transaction, refname};
use crate::target::{Stream, StreamId, Target};

use super::fetch::{self, Totals};

/// What to pull.
pub struct Options<'f> {
    /// Streams to pull.
    pub streams: Vec<StreamId>,
    /// Whether branches and tags keep their names, as in a clone, whose checkout then creates the current branch. Otherwise the
    /// name of the host precedes that of a branch, and only new tags are added.
    pub keeps_names: bool,
    /// Number of requests at the same time.
    pub connections: usize,
    /// Files to write while their content is fetched.
    pub files: Option<&'f FetchedFiles>,
}

/// What was pulled.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Number of new commits.
    pub commits: u64,
    /// What was fetched.
    pub fetched: Totals,
    /// New and moved branches and tags.
    pub edits: Vec<RefEdit>,
}

/// Pulls the commits of streams. An interrupted pull keeps the content that it has fetched.
pub fn pull(
    repository: &mut Repository,
    target: &mut Target,
    options: &Options<'_>,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let mut transaction = repository.begin()?;
    let mut outcome = Outcome::default();
    for id in &options.streams {
        let one = loop {
            match pull_stream(&mut transaction, target, target.stream(*id)?, options, progress) {
                Err(error) if target.has_moved(&error) => {}
                pulled => break pulled?,
            }
        };
        outcome.commits += one.commits;
        outcome.fetched += one.fetched;
        outcome.edits.extend(one.edits);
    }
    Ok(outcome)
}

fn pull_stream(
    transaction: &mut Transaction<'_>,
    target: &Target,
    stream: &Stream,
    options: &Options<'_>,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let known = known_commits(transaction.repository())?;
    let new: Vec<CommitId> = stream.commits.iter().copied().filter(|id| !known.contains(id)).collect();
    let local = transaction.repository().view();
    let purged: BTreeSet<BlobId> = stream.view.purged.keys().chain(local.purged.keys()).copied().collect();
    let (stored, fetched) =
        fetch::fetch(transaction, target, &new, &purged, options.connections, options.files, progress)?;
    let refs = refs_after(&transaction.repository().view().refs, stream, options.keeps_names);
    let switch = options.keeps_names.then(|| refs.current.clone());
    let edits = refs.edits_from(&transaction.repository().view().refs);
    if new.is_empty() && edits.is_empty() {
        return Ok(Outcome::default());
    }
    let mut new_operation = NewOperation {
        verb: Verb::Pull,
        description: format!("{} from {}", plural(new.len() as u64, "commit"), stream.host),
        edits: edits.clone(),
        switch,
        stored,
        ..NewOperation::default()
    };
    transaction.include(&new_operation.stored.packs)?;
    let store = transaction.repository().store();
    new_operation.commits = parents_first(store, &new)?;
    new_operation.absent = absent_parents(transaction.repository(), stream, &new)?;
    // New commits continue these, although their parents are not here.
    new_operation.history.heads_removed =
        new_operation.absent.values().flat_map(|forgotten| forgotten.parents.iter().copied()).collect();
    new_operation.history.purges = fetch::purges_elsewhere(transaction.repository(), &stream.view.purged);
    transaction.record(new_operation)?;
    Ok(Outcome { commits: new.len() as u64, fetched, edits })
}

/// The commits of the history.
fn known_commits(repository: &Repository) -> Result<HashSet<CommitId>> {
    let view = repository.view();
    let mut known = HashSet::new();
    let mut pending: Vec<CommitId> = view.starting_points().collect();
    while let Some(id) = pending.pop() {
        if known.insert(id)
            && let Ok(commit) = repository.store().commit(id)
        {
            pending.extend(view.kept_parents(&commit.parents));
        }
    }
    Ok(known)
}

/// The refs after the pull. A branch that does not lead to a commit of the stream belongs to this repository and stays.
fn refs_after(refs: &Refs, stream: &Stream, keeps_names: bool) -> Refs {
    let mut refs = refs.clone();
    let other = &stream.view.refs;
    if keeps_names {
        refs.branches.extend(other.branches.clone());
        refs.branches.remove(&other.current);
        refs.tags.extend(other.tags.clone());
        refs.current.clone_from(&other.current);
        return refs;
    }
    for (name, id) in &other.branches {
        let name = format!("{}/{name}", stream.host);
        let is_ours = |id: &CommitId| !stream.commits.contains(id);
        if refname::check(&name).is_ok()
            && !refs.branches.get(&name).is_some_and(is_ours)
            && !refs.tags.contains_key(&name)
        {
            refs.branches.insert(name, *id);
        }
    }
    for (name, id) in &other.tags {
        if !refs.branches.contains_key(name) && refs.get(&RefName::Tag(name.clone())).is_none() {
            refs.tags.insert(name.clone(), *id);
        }
    }
    refs
}

/// Orders commits so that parents come before their children.
fn parents_first(objects: &dyn Objects, commits: &[CommitId]) -> Result<Vec<CommitId>> {
    let mut parents = BTreeMap::new();
    for id in commits {
        parents.insert(*id, objects.commit(*id)?.parents);
    }
    let (mut ordered, mut seen) = (Vec::with_capacity(commits.len()), HashSet::new());
    for id in commits {
        let mut stack = vec![(*id, false)];
        while let Some((id, is_after_parents)) = stack.pop() {
            if is_after_parents {
                ordered.push(id);
            } else if let Some(parents) = parents.get(&id)
                && seen.insert(id)
            {
                stack.push((id, true));
                stack.extend(parents.iter().map(|parent| (*parent, false)));
            }
        }
    }
    Ok(ordered)
}

/// Parents that neither the repository nor the target has.
fn absent_parents(repository: &Repository, stream: &Stream, new: &[CommitId]) -> Result<ForgottenCommits> {
    let mut absent = ForgottenCommits::new();
    for id in new {
        for parent in repository.store().commit(*id)?.parents {
            let is_absent = !stream.commits.contains(&parent) && repository.store().commit(parent).is_err();
            if let Some(forgotten) = stream.view.forgotten.get(&parent).filter(|_| is_absent) {
                // It cannot be recalled: its content is not here.
                absent.insert(parent, Forgotten { time: None, ..forgotten.clone() });
            }
        }
    }
    Ok(absent)
}
