//! Walks history newest first, children before parents.
//!
//! The walk is lazy: the first twenty commits of a long history cost about twenty reads. For that it relies on commits not
//! being older than their parents, which `undo` ensures when it commits. Where a clock went back anyway, a parent may come
//! before a child on another line of history.

#[cfg(feature = "targets")]
pub mod lacking;

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};

use crate::error::{Error, ErrorKind, Result};
use crate::history::path_filter::PathFilter;
use crate::history::selection_filter;
use crate::history::text_pattern::TextPattern;
use crate::id::CommitId;
use crate::object::{Commit, Objects};
use crate::path::selection::PathSelection;
use crate::repo::Repository;
use crate::time::Timestamp;

/// Selects the commits to visit.
#[derive(Clone, Debug, Default)]
pub struct WalkOptions {
    /// Starting points, visited together with their ancestors. Empty means all heads.
    pub from: Vec<CommitId>,
    /// Commits to leave out together with their ancestors (the `A` of `A..B`).
    pub exclude: Vec<CommitId>,
    /// Oldest commit time to include.
    pub since: Option<Timestamp>,
    /// Newest commit time to include.
    pub until: Option<Timestamp>,
    /// Include only commits whose message matches this regular expression, ignoring case.
    pub grep: Option<String>,
    /// Include only commits whose author matches this regular expression, ignoring case.
    pub author: Option<String>,
    /// Include only commits that change one of these paths relative to their first parent. Empty means all commits.
    pub paths: PathSelection,
    /// Maximum number of commits to return.
    pub limit: Option<usize>,
}

impl WalkOptions {
    /// Adds a range, or if there is none, the commit.
    pub fn add(
        &mut self,
        range: Option<(CommitId, CommitId)>,
        commit: impl FnOnce() -> Result<CommitId>,
    ) -> Result<()> {
        match range {
            Some((without, from)) => {
                self.exclude.push(without);
                self.from.push(from);
            }
            None => self.from.push(commit()?),
        }
        Ok(())
    }
}

/// A commit and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkedCommit {
    /// Id of the commit.
    pub id: CommitId,
    /// The decoded commit.
    pub commit: Commit,
    /// The nearest ancestors that are not forgotten. Without forgotten commits these are the commit's parents.
    pub parents: Vec<CommitId>,
}

/// Iterates over the selected commits.
pub struct Walk<'r> {
    repository: &'r Repository,
    options: WalkOptions,
    grep: Option<TextPattern>,
    author: Option<TextPattern>,
    /// `None` if the paths have patterns or exclusions.
    path_filter: Option<PathFilter>,
    known: HashMap<CommitId, KnownCommit>,
    /// Known commits whose parents have not been counted yet.
    frontier: BinaryHeap<QueueKey>,
    /// Known commits whose known children have all been visited.
    ready: BinaryHeap<QueueKey>,
    /// Known commits that are neither visited nor excluded. The walk ends when there are none.
    wanted: BTreeSet<CommitId>,
    returned: usize,
    sequence: u64,
    /// Unreadable commits, with their parents according to the journal.
    unreadable: HashMap<CommitId, Vec<CommitId>>,
    /// Errors that have not been returned yet.
    failures: VecDeque<(CommitId, Error)>,
    /// Parents of every commit that the journal names, read on first use.
    journal: Option<HashMap<CommitId, Vec<CommitId>>>,
}

struct KnownCommit {
    /// `None` once the commit has been visited.
    commit: Option<Commit>,
    /// The nearest ancestors that are not forgotten. Empty once the commit has been visited.
    parents: Vec<CommitId>,
    /// Number of known children that have not been visited.
    children: usize,
    is_excluded: bool,
}

/// Orders commits newest first; of the same time, the one found first.
type QueueKey = (Timestamp, Reverse<u64>, CommitId);

/// Walks the commits that the options select.
pub fn walk(repository: &Repository, options: WalkOptions) -> Result<Walk<'_>> {
    let from = match options.from.as_slice() {
        [] => repository.view().heads.iter().copied().collect(),
        from => from.to_vec(),
    };
    let exclude = options.exclude.clone();
    let mut walk = Walk {
        repository,
        grep: options.grep.as_deref().map(TextPattern::parse).transpose()?,
        author: options.author.as_deref().map(TextPattern::parse).transpose()?,
        path_filter: options.paths.as_paths().map(|paths| PathFilter::new(&paths)),
        options,
        known: HashMap::new(),
        frontier: BinaryHeap::new(),
        ready: BinaryHeap::new(),
        wanted: BTreeSet::new(),
        returned: 0,
        sequence: 0,
        unreadable: HashMap::new(),
        failures: VecDeque::new(),
        journal: None,
    };
    for id in from.into_iter().chain(exclude.iter().copied()) {
        if let Some(key) = walk.discover(id)? {
            walk.ready.push(key);
        }
    }
    exclude.into_iter().for_each(|id| walk.exclude(id));
    Ok(walk)
}

impl Walk<'_> {
    /// Number of commits decoded so far.
    #[cfg(test)]
    pub fn decoded(&self) -> usize {
        self.known.len()
    }

    /// Reads a commit unless it is known. An unreadable one is replaced by its nearest readable ancestors.
    fn discover(&mut self, id: CommitId) -> Result<Option<QueueKey>> {
        if self.known.contains_key(&id) || self.unreadable.contains_key(&id) {
            return Ok(None);
        }
        match self.repository.store().commit(id) {
            Err(error) if error.kind() == ErrorKind::Damaged => self.skip_unreadable(id, error).map(|()| None),
            commit => Ok(Some(self.add_known(id, commit?))),
        }
    }

    fn add_known(&mut self, id: CommitId, commit: Commit) -> QueueKey {
        let key = (commit.order(), Reverse(self.sequence), id);
        self.sequence += 1;
        let parents = self.repository.parents(&commit);
        self.known.insert(id, KnownCommit { commit: Some(commit), parents, children: 0, is_excluded: false });
        self.wanted.insert(id);
        self.frontier.push(key);
        key
    }

    /// Continues at the parents of an unreadable commit.
    fn skip_unreadable(&mut self, id: CommitId, error: Error) -> Result<()> {
        self.failures.push_back((id, error));
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            let parents = self.repository.view().kept_parents(&self.recorded_parents(id));
            self.unreadable.insert(id, parents.clone());
            for parent in parents {
                if self.known.contains_key(&parent) || self.unreadable.contains_key(&parent) {
                    continue;
                }
                match self.repository.store().commit(parent) {
                    Err(error) if error.kind() == ErrorKind::Damaged => {
                        self.failures.push_back((parent, error));
                        stack.push(parent);
                    }
                    commit => {
                        let key = self.add_known(parent, commit?);
                        self.ready.push(key);
                    }
                }
            }
        }
        Ok(())
    }

    /// The parents of a commit according to the operation that made it; none if the journal no longer has it.
    fn recorded_parents(&mut self, id: CommitId) -> Vec<CommitId> {
        let repository = self.repository;
        let journal = self.journal.get_or_insert_with(|| {
            let operations = repository.operations().map_while(Result::ok);
            operations.flat_map(|(_, operation)| operation.commits).map(|made| (made.id, made.parents)).collect()
        });
        journal.get(&id).cloned().unwrap_or_default()
    }

    /// Excludes a known commit and its known ancestors.
    fn exclude(&mut self, id: CommitId) {
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            let Some(node) = self.known.get_mut(&id) else {
                stack.extend(self.unreadable.get(&id).into_iter().flatten());
                continue;
            };
            if !std::mem::replace(&mut node.is_excluded, true) {
                self.wanted.remove(&id);
                stack.extend(&node.parents);
            }
        }
    }

    /// Reads the parents of all known commits that are not older than `time`.
    fn explore(&mut self, time: Timestamp) -> Result<()> {
        while let Some(&(_, _, id)) = self.frontier.peek().filter(|key| key.0 >= time) {
            self.frontier.pop();
            let Some(node) = self.known.get(&id) else { continue };
            let (parents, is_excluded) = (node.parents.clone(), node.is_excluded);
            for parent in parents {
                self.discover(parent)?;
                if let Some(node) = self.known.get_mut(&parent) {
                    node.children += 1;
                }
                if is_excluded {
                    self.exclude(parent);
                }
            }
        }
        Ok(())
    }

    /// The next commit in order, selected or not, and whether it is excluded.
    fn advance(&mut self) -> Result<Option<(WalkedCommit, bool)>> {
        while let Some(key) = self.ready.pop() {
            let (time, _, id) = key;
            self.explore(time)?;
            let Some(node) = self.known.get_mut(&id) else { continue };
            if node.children > 0 {
                continue;
            }
            let Some(commit) = node.commit.take() else { continue };
            let (parents, is_excluded) = (std::mem::take(&mut node.parents), node.is_excluded);
            self.wanted.remove(&id);
            for parent in &parents {
                let Some(node) = self.known.get_mut(parent) else { continue };
                node.children -= 1;
                if node.children == 0
                    && let Some(commit) = &node.commit
                {
                    self.ready.push((commit.order(), Reverse(self.sequence), *parent));
                    self.sequence += 1;
                }
            }
            return Ok(Some((WalkedCommit { id, commit, parents }, is_excluded)));
        }
        Ok(None)
    }

    fn step(&mut self) -> Result<Option<WalkedCommit>> {
        while !self.wanted.is_empty() && self.options.limit.is_none_or(|limit| self.returned < limit) {
            let Some((walked, is_excluded)) = self.advance()? else { break };
            // All further commits are older.
            if self.options.since.is_some_and(|since| walked.commit.order() < since) {
                break;
            }
            if !is_excluded && self.is_selected(&walked)? {
                self.returned += 1;
                return Ok(Some(walked));
            }
        }
        Ok(None)
    }

    fn is_selected(&mut self, WalkedCommit { commit, parents, .. }: &WalkedCommit) -> Result<bool> {
        let is_too_old = self.options.since.is_some_and(|since| commit.time < since);
        if is_too_old || self.options.until.is_some_and(|until| commit.time > until) {
            return Ok(false);
        }
        let has_message = self.grep.as_ref().is_none_or(|pattern| pattern.matches(&commit.message));
        let has_author = self.author.as_ref().is_none_or(|pattern| pattern.matches(&commit.author));
        if !has_message || !has_author {
            return Ok(false);
        }
        if self.options.paths.is_all() {
            return Ok(true);
        }
        let parent = match parents.first() {
            Some(parent) => match self.known.get(parent).and_then(|node| node.commit.as_ref()) {
                Some(parent) => Some(parent.root.clone()),
                None if self.unreadable.contains_key(parent) => None,
                None => Some(self.repository.store().commit(*parent)?.root),
            },
            None => None,
        };
        let store = self.repository.store();
        match &mut self.path_filter {
            Some(filter) => filter.differs(store, &commit.root, parent.as_ref()),
            None => selection_filter::differs(&self.options.paths, store, &commit.root, parent.as_ref()),
        }
    }

    /// The next commit, or the error that made one unreadable, with its id if known.
    pub fn next_or_unreadable(&mut self) -> Option<Result<WalkedCommit, (Option<CommitId>, Error)>> {
        let with_id = |(id, error)| (Some(id), error);
        if let Some(failure) = self.failures.pop_front() {
            return Some(Err(with_id(failure)));
        }
        let step = self.step();
        if step.is_err() {
            self.wanted.clear();
        }
        // The last step may have found an unreadable commit.
        step.map_err(|error| (None, error)).transpose().or_else(|| self.failures.pop_front().map(with_id).map(Err))
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<WalkedCommit>;

    /// Yields [`ErrorKind::Damaged`] for an unreadable commit and continues; any other error ends the walk.
    fn next(&mut self) -> Option<Self::Item> {
        self.next_or_unreadable().map(|item| item.map_err(|(_, error)| error))
    }
}
