//! What a checkout did, path by path, as its threads report it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::path::{RepoPath, RepoPathBuf};

/// What was done, and what could not be.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// What is in place, with the inode that it has.
    pub placed: HashMap<RepoPathBuf, u64>,
    /// What was removed.
    pub removed: Vec<RepoPathBuf>,
    /// What is not as it was saved: left alone.
    pub changed: BTreeSet<RepoPathBuf>,
    /// What could not be made exact, with reasons.
    pub inexact: BTreeMap<RepoPathBuf, String>,
    /// What could not be written since the store has lost it, with reasons.
    pub damaged: BTreeMap<RepoPathBuf, String>,
}

/// How one step ended.
pub(super) enum Done {
    /// The inode in place has this number, and these things could not be set.
    Placed(u64, Vec<String>),
    /// It is gone.
    Removed,
    /// What is there is not what was saved.
    Changed,
}

impl Tally {
    /// Takes note of a step; fails only where going on makes no sense.
    pub(super) fn note(&mut self, path: &RepoPath, result: Result<Done>) -> Result<()> {
        match result {
            Ok(Done::Placed(inode, failed)) => {
                self.placed.insert(path.to_owned(), inode);
                if !failed.is_empty() {
                    self.inexact.insert(path.to_owned(), failed.join(", "));
                }
            }
            Ok(Done::Removed) => self.removed.push(path.to_owned()),
            Ok(Done::Changed) => {
                self.changed.insert(path.to_owned());
            }
            Err(error) if fs::is_gone(&error) => {
                self.changed.insert(path.to_owned());
            }
            Err(error) if error.kind() == ErrorKind::Damaged => {
                self.damaged.insert(path.to_owned(), error.to_string());
            }
            Err(error) if is_final(&error) => return Err(error.context(format_args!("`{}`", path.display()))),
            Err(error) => {
                self.inexact.insert(path.to_owned(), error.reason());
            }
        }
        Ok(())
    }

    /// Adds what another thread did.
    pub(super) fn merge(&mut self, other: Tally) {
        self.placed.extend(other.placed);
        self.removed.extend(other.removed);
        self.changed.extend(other.changed);
        self.inexact.extend(other.inexact);
        self.damaged.extend(other.damaged);
    }

    /// Whether the path was left as it is.
    pub(super) fn has_given_up(&self, path: &RepoPath) -> bool {
        self.changed.contains(path)
            || self.damaged.contains_key(path)
            || (self.inexact.contains_key(path) && !self.placed.contains_key(path))
    }

    /// Whether something in the directory was left as it is.
    pub(super) fn has_left_below(&self, directory: &RepoPath) -> bool {
        let after = (Bound::Included(directory), Bound::Unbounded);
        let damaged = self.damaged.range::<RepoPath, _>(after).next().map(|(path, _)| path);
        let changed = self.changed.range::<RepoPath, _>(after).next();
        let inexact = self.inexact.range::<RepoPath, _>(after).next().map(|(path, _)| path);
        changed.into_iter().chain(inexact).chain(damaged).any(|path| path.is_within(directory))
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
