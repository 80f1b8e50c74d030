//! The order in which commits are told: newest first, children before parents.
//!
//! Lazy: the first twenty commits of a long history cost about twenty reads. For that it trusts that no commit is older
//! than its parents, which is so for all that `undo` makes; where clocks went back, a parent may come before a child
//! that is on another line.

use std::collections::{BTreeSet, BinaryHeap, HashMap, VecDeque};

use crate::error::{Error, ErrorKind, Result};
use crate::history::path_filter::PathFilter;
use crate::id::CommitId;
use crate::object::{Commit, Objects};
use crate::path::RepoPathBuf;
use crate::repo::Repository;
use crate::time::Timestamp;

/// Which commits are told.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Those that these commits grew from, and themselves; empty: all.
    pub from: Vec<CommitId>,
    /// But not those that these grew from, nor themselves: `A` of `A..B`.
    pub exclude: Vec<CommitId>,
    /// Not older than this.
    pub since: Option<Timestamp>,
    /// Not newer than this.
    pub until: Option<Timestamp>,
    /// With this in their message, in capitals or not.
    pub grep: Option<String>,
    /// With another entry at one of these paths than their first parent has; empty: all.
    pub paths: Vec<RepoPathBuf>,
    /// No more than so many.
    pub limit: Option<usize>,
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: CommitId,
    /// Itself.
    pub commit: Commit,
}

/// Commits in order.
pub struct Walk<'r> {
    repository: &'r Repository,
    options: Options,
    /// `options.grep` in small letters.
    pattern: String,
    path_filter: PathFilter,
    known: HashMap<CommitId, Node>,
    /// Whose parents are not counted yet.
    frontier: BinaryHeap<Turn>,
    /// All of whose known children have been told.
    ready: BinaryHeap<Turn>,
    /// Known, not told and not excluded: when there are none, the walk is over.
    wanted: BTreeSet<CommitId>,
    told: usize,
    sequence: u64,
    /// Commits that cannot be read, with their parents as the journal tells them.
    unreadable: HashMap<CommitId, Vec<CommitId>>,
    /// Which and why, not told yet.
    failures: VecDeque<(CommitId, Error)>,
    /// Parents of all commits that the journal tells of, read when they are needed.
    journal: Option<HashMap<CommitId, Vec<CommitId>>>,
}

struct Node {
    /// Taken when it is told.
    commit: Option<Commit>,
    /// Known children that are not told yet.
    children: usize,
    is_excluded: bool,
}

/// Newest first, else first come.
type Turn = (Timestamp, std::cmp::Reverse<u64>, CommitId);

/// The commits that the options ask for.
pub fn walk(repository: &Repository, options: Options) -> Result<Walk<'_>> {
    let heads = || repository.view().heads.iter().copied().collect();
    let from: Vec<CommitId> = if options.from.is_empty() { heads() } else { options.from.clone() };
    let exclude = options.exclude.clone();
    let pattern = options.grep.as_deref().unwrap_or_default().to_lowercase();
    let path_filter = PathFilter::new(&options.paths);
    let (known, wanted) = (HashMap::new(), BTreeSet::new());
    let (frontier, ready) = (BinaryHeap::new(), BinaryHeap::new());
    let mut walk = Walk {
        repository,
        options,
        pattern,
        path_filter,
        known,
        frontier,
        ready,
        wanted,
        told: 0,
        sequence: 0,
        unreadable: HashMap::new(),
        failures: VecDeque::new(),
        journal: None,
    };
    for id in from.into_iter().chain(exclude.iter().copied()) {
        if let Some(turn) = walk.discover(id)? {
            walk.ready.push(turn);
        }
    }
    exclude.into_iter().for_each(|id| walk.exclude(id));
    Ok(walk)
}

impl Walk<'_> {
    /// Commits decoded so far.
    #[cfg(test)]
    pub fn decoded(&self) -> usize {
        self.known.len()
    }

    /// Makes a commit known; `None` if it was, or cannot be read: then its readable ancestors are next.
    fn discover(&mut self, id: CommitId) -> Result<Option<Turn>> {
        if self.known.contains_key(&id) || self.unreadable.contains_key(&id) {
            return Ok(None);
        }
        match self.repository.store().commit(id) {
            Err(error) if error.kind() == ErrorKind::Damaged => self.pass_over(id, error).map(|()| None),
            commit => Ok(Some(self.learn(id, commit?))),
        }
    }

    fn learn(&mut self, id: CommitId, commit: Commit) -> Turn {
        let turn = (commit.order(), std::cmp::Reverse(self.sequence), id);
        self.sequence += 1;
        self.known.insert(id, Node { commit: Some(commit), children: 0, is_excluded: false });
        self.wanted.insert(id);
        self.frontier.push(turn);
        turn
    }

    /// Goes on from the parents of a commit that cannot be read.
    fn pass_over(&mut self, id: CommitId, error: Error) -> Result<()> {
        self.failures.push_back((id, error));
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            let parents = self.recorded_parents(id);
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
                        let turn = self.learn(parent, commit?);
                        self.ready.push(turn);
                    }
                }
            }
        }
        Ok(())
    }

    /// The parents of a commit as the operation tells that made it. What the journal does not tell is left out.
    fn recorded_parents(&mut self, id: CommitId) -> Vec<CommitId> {
        let repository = self.repository;
        let journal = self.journal.get_or_insert_with(|| {
            let operations = repository.operations().map_while(Result::ok);
            operations.flat_map(|(_, operation)| operation.commits).map(|made| (made.id, made.parents)).collect()
        });
        journal.get(&id).cloned().unwrap_or_default()
    }

    /// Excludes a known commit and all known ones that it grew from.
    fn exclude(&mut self, id: CommitId) {
        let mut stack = vec![id];
        while let Some(id) = stack.pop() {
            let Some(node) = self.known.get_mut(&id) else {
                stack.extend(self.unreadable.get(&id).into_iter().flatten());
                continue;
            };
            if !std::mem::replace(&mut node.is_excluded, true) {
                self.wanted.remove(&id);
                stack.extend(node.commit.iter().flat_map(|commit| &commit.parents));
            }
        }
    }

    /// Counts the children of all that are not older than `time`.
    fn explore(&mut self, time: Timestamp) -> Result<()> {
        while let Some(&(_, _, id)) = self.frontier.peek().filter(|turn| turn.0 >= time) {
            self.frontier.pop();
            let Some(node) = self.known.get(&id) else { continue };
            let (parents, is_excluded) = (node.commit.as_ref().map(|commit| commit.parents.clone()), node.is_excluded);
            for parent in parents.unwrap_or_default() {
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

    /// The next commit in order, whether it is asked for or not, and whether it is excluded.
    fn advance(&mut self) -> Result<Option<(CommitId, Commit, bool)>> {
        while let Some(turn) = self.ready.pop() {
            let (time, _, id) = turn;
            self.explore(time)?;
            let Some(node) = self.known.get_mut(&id) else { continue };
            if node.children > 0 {
                continue;
            }
            let Some(commit) = node.commit.take() else { continue };
            let is_excluded = node.is_excluded;
            self.wanted.remove(&id);
            for parent in &commit.parents {
                let Some(node) = self.known.get_mut(parent) else { continue };
                node.children -= 1;
                if node.children == 0
                    && let Some(commit) = &node.commit
                {
                    self.ready.push((commit.order(), std::cmp::Reverse(self.sequence), *parent));
                    self.sequence += 1;
                }
            }
            return Ok(Some((id, commit, is_excluded)));
        }
        Ok(None)
    }

    fn step(&mut self) -> Result<Option<Item>> {
        while !self.wanted.is_empty() && self.options.limit.is_none_or(|limit| self.told < limit) {
            let Some((id, commit, is_excluded)) = self.advance()? else { break };
            // All that follow are older.
            if self.options.since.is_some_and(|since| commit.order() < since) {
                break;
            }
            if !is_excluded && self.is_asked_for(&commit)? {
                self.told += 1;
                return Ok(Some(Item { id, commit }));
            }
        }
        Ok(None)
    }

    fn is_asked_for(&mut self, commit: &Commit) -> Result<bool> {
        let is_too_old = self.options.since.is_some_and(|since| commit.time < since);
        if is_too_old || self.options.until.is_some_and(|until| commit.time > until) {
            return Ok(false);
        }
        if !self.pattern.is_empty() && !commit.message.to_lowercase().contains(&self.pattern) {
            return Ok(false);
        }
        if self.options.paths.is_empty() {
            return Ok(true);
        }
        let parent = match commit.parents.first() {
            Some(parent) => match self.known.get(parent).and_then(|node| node.commit.as_ref()) {
                Some(parent) => Some(parent.root.clone()),
                None if self.unreadable.contains_key(parent) => None,
                None => Some(self.repository.store().commit(*parent)?.root),
            },
            None => None,
        };
        self.path_filter.differs(self.repository.store(), &commit.root, parent.as_ref())
    }

    /// The next item, or the next commit that cannot be read: which, where that is known, and why.
    pub fn next_or_lost(&mut self) -> Option<Result<Item, (Option<CommitId>, Error)>> {
        let told = |(id, error)| (Some(id), error);
        if let Some(failure) = self.failures.pop_front() {
            return Some(Err(told(failure)));
        }
        let step = self.step();
        if step.is_err() {
            self.wanted.clear();
        }
        // The step may have found one, at the end of all.
        step.map_err(|error| (None, error)).transpose().or_else(|| self.failures.pop_front().map(told).map(Err))
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Item>;

    /// A commit that cannot be read is [`ErrorKind::Damaged`], and others follow; after any other failure it ends.
    fn next(&mut self) -> Option<Self::Item> {
        self.next_or_lost().map(|item| item.map_err(|(_, error)| error))
    }
}
