//! Records what was done at each path, as the threads report it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io;
use std::ops::Bound;

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::message::Message;
use crate::path::{RepoPath, RepoPathBuf};
use crate::store::{Outgoing, Store};

use super::in_use::InUsePaths;
use super::plan::{Plan, Verdict};
use super::renames::RenamePlan;
use super::swap::StepResult;

/// Results by path.
#[derive(Debug, Default)]
pub(crate) struct ApplyOutcome {
    /// By action number: the inode that is in place, or [`NOT_DONE`], or [`REMOVED`].
    ended: Vec<u64>,
    /// Number of actions whose path is in place or removed.
    done: usize,
    /// Inodes that an earlier plan put in place and that a later plan may link to.
    earlier: HashMap<RepoPathBuf, u64>,
    /// Paths that are not as they were saved. They are unchanged.
    pub changed: BTreeSet<RepoPathBuf>,
    /// Paths that were left because another program is using them.
    pub in_use: BTreeSet<RepoPathBuf>,
    /// Paths that could not be restored exactly, with reasons.
    pub inexact: BTreeMap<RepoPathBuf, String>,
    /// Paths whose content the store has lost, with reasons.
    pub damaged: BTreeMap<RepoPathBuf, String>,
}

/// Values that are not valid inode numbers.
const NOT_DONE: u64 = u64::MAX;
const REMOVED: u64 = u64::MAX - 1;

impl ApplyOutcome {
    /// Starts a plan: none of its actions is done.
    pub(super) fn begin(&mut self, plan: &Plan) {
        self.ended = vec![NOT_DONE; plan.end()];
        self.done = 0;
    }

    /// The outcome of a plan that leaves these paths, if nothing else goes wrong. Reads the content of the files that would
    /// be written.
    pub(crate) fn expected(plan: &Plan, left: &InUsePaths, store: &Store, renames: &RenamePlan) -> ApplyOutcome {
        let mut expected = ApplyOutcome::default();
        expected.begin(plan);
        let is_renamed = |n| plan.entry(n).is_some_and(|entry| renames.take(&entry).is_some());
        let renamed: Vec<bool> = (0..plan.end()).map(is_renamed).collect();
        let written = |n: usize| {
            let (blob, _) = plan.file(n).filter(|_| !renamed[n] && !left.concerns(plan, n))?;
            Some(Outgoing { blob, coming: None })
        };
        for n in store.unreadable(plan.end(), &written) {
            let error = plan.file(n).and_then(|(blob, _)| store.copy_blob(blob, &mut io::sink()).err());
            let reason = error.map_or_else(String::new, |error| error.to_string());
            expected.damaged.insert(plan.path(n), reason);
        }
        for n in plan.numbers() {
            let path = plan.path(n);
            if left.concerns(plan, n) {
                expected.in_use.insert(path);
            } else if !expected.damaged.contains_key(&path) {
                expected.end(n, if plan.verdict(n) == Verdict::Remove { REMOVED } else { 0 });
            }
        }
        expected
    }

    /// Inode at the path with this number, if it was put in place.
    pub(crate) fn placed(&self, n: usize) -> Option<u64> {
        self.ended.get(n).copied().filter(|ended| !matches!(*ended, NOT_DONE | REMOVED))
    }

    /// Whether the path with this number was removed.
    pub(crate) fn is_removed(&self, n: usize) -> bool {
        self.ended.get(n) == Some(&REMOVED)
    }

    /// Number of paths that are in place or removed.
    pub(crate) fn done(&self) -> usize {
        self.done
    }

    /// Numbers of the paths that are in place or removed.
    pub(crate) fn done_numbers(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.ended.len()).filter(|n| self.ended[*n] != NOT_DONE)
    }

    /// Inode that this plan or an earlier one put in place at a path.
    pub(super) fn placed_at(&self, plan: &Plan, path: &RepoPath) -> Option<u64> {
        let placed = plan.find(path).and_then(|n| self.placed(n));
        placed.or_else(|| self.earlier.get(path).copied())
    }

    /// Remembers for later plans which inodes are in place at these paths.
    pub(crate) fn keep_placed(&mut self, plan: &Plan, paths: &HashSet<&RepoPath>) {
        let placed = (0..plan.end()).filter_map(|n| Some((plan.path(n), self.placed(n)?)));
        let kept: Vec<(RepoPathBuf, u64)> = placed.filter(|(path, _)| paths.contains(&**path)).collect();
        self.earlier.extend(kept);
    }

    fn end(&mut self, n: usize, ended: u64) {
        self.done += usize::from(self.ended[n] == NOT_DONE);
        self.ended[n] = ended;
    }

    /// Records the result of the action with this number and path. Fails only if the checkout cannot continue.
    pub(super) fn note(&mut self, n: usize, path: &RepoPath, result: Result<StepResult>) -> Result<()> {
        match result {
            Ok(StepResult::Placed(inode, failed)) => {
                self.end(n, inode);
                if !failed.is_empty() {
                    self.inexact.insert(path.to_owned(), failed.join(", "));
                }
            }
            Ok(StepResult::Removed) => self.end(n, REMOVED),
            Ok(StepResult::Changed) => {
                self.changed.insert(path.to_owned());
            }
            Ok(StepResult::LeftOut(reason)) => {
                self.inexact.insert(path.to_owned(), reason);
            }
            Ok(StepResult::InUse) => {
                self.in_use.insert(path.to_owned());
            }
            Err(error) if fs::is_gone(&error) => {
                self.changed.insert(path.to_owned());
            }
            Err(error) if error.kind() == ErrorKind::Damaged => {
                self.damaged.insert(path.to_owned(), error.to_string());
            }
            Err(error) if error.kind() == ErrorKind::Purged => {
                self.inexact.insert(path.to_owned(), error.to_string());
            }
            Err(error) if is_final(&error) => return Err(error.context(Message::path(path))),
            Err(error) => {
                self.inexact.insert(path.to_owned(), error.reason());
            }
        }
        Ok(())
    }

    /// Whether the path with this number was not changed, although it was not given up.
    pub(super) fn is_open(&self, plan: &Plan, n: usize) -> bool {
        self.ended[n] == NOT_DONE && !self.has_given_up(plan, &plan.path(n))
    }

    /// Whether the path was left as it is.
    pub(super) fn has_given_up(&self, plan: &Plan, path: &RepoPath) -> bool {
        self.changed.contains(path)
            || self.in_use.contains(path)
            || self.damaged.contains_key(path)
            || (self.inexact.contains_key(path) && self.placed_at(plan, path).is_none())
    }

    /// Whether something in the directory was left as it is.
    pub(super) fn has_left_below(&self, directory: &RepoPath) -> bool {
        let after = (Bound::Included(directory), Bound::Unbounded);
        let damaged = self.damaged.range::<RepoPath, _>(after).next().map(|(path, _)| path);
        let changed = self.changed.range::<RepoPath, _>(after).next();
        let in_use = self.in_use.range::<RepoPath, _>(after).next();
        let inexact = self.inexact.range::<RepoPath, _>(after).next().map(|(path, _)| path);
        changed.into_iter().chain(in_use).chain(inexact).chain(damaged).any(|path| path.is_within(directory))
    }
}

/// Whether a failure concerns more than one path: a full, broken or read-only disk, too many handles.
fn is_final(error: &Error) -> bool {
    let has_number = error.io_cause().is_some_and(|cause| cause.raw_os_error().is_some());
    match error.kind() {
        ErrorKind::Io | ErrorKind::Permission => !has_number || fs::is_of_all_entries(error),
        _ => true,
    }
}
