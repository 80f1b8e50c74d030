//! Paths that the new side of a comparison does not cover, and that therefore do not count as deleted.

use std::collections::HashMap;

use crate::metadata::Kind;
use crate::object::Entry;
use crate::object::commit::{Reason, Uncovered};
use crate::path::{RepoPath, RepoPathBuf};

use super::Status;
use crate::path::set::{PathSet, Place};
use crate::store::PurgedBlobs;

/// Uncovered and ignored paths, each with everything below it.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    uncovered: PathSet,
    ignored: PathSet,
    /// Kinds of the entries at uncovered paths, where known.
    kinds: HashMap<RepoPathBuf, Kind>,
    /// Contents that the new side cannot have.
    purged: PurgedBlobs,
}

impl LeftOut {
    /// Creates the set from uncovered paths and existing ignored paths.
    pub fn new(uncovered: &[Uncovered], ignored: &[RepoPathBuf]) -> LeftOut {
        let paths = uncovered.iter().map(|uncovered| uncovered.path.clone()).collect();
        LeftOut {
            uncovered: PathSet::topmost(paths),
            ignored: PathSet::topmost(ignored.to_vec()),
            kinds: HashMap::new(),
            purged: PurgedBlobs::default(),
        }
    }

    /// Like [`LeftOut::new`], for a scanned worktree: an uncovered entry of another kind than the recorded one proves
    /// that the recorded entry is gone. Sockets are never recorded; for the others the kind must be given.
    pub fn seen(uncovered: &[Uncovered], ignored: &[RepoPathBuf], kinds: &HashMap<RepoPathBuf, Kind>) -> LeftOut {
        let sockets = uncovered.iter().filter(|uncovered| uncovered.reason == Reason::Socket);
        let mut known = kinds.clone();
        known.extend(sockets.map(|uncovered| (uncovered.path.clone(), Kind::Socket)));
        LeftOut { kinds: known, ..LeftOut::new(uncovered, ignored) }
    }

    /// Also leaves out files with purged content: a worktree may lack them because they could not be restored.
    pub fn or_purged(self, purged: &PurgedBlobs) -> LeftOut {
        LeftOut { purged: purged.clone(), ..self }
    }

    /// The status of a path for which only the old side has an entry.
    pub fn status(&self, path: &RepoPath, entry: &Entry) -> Status {
        let kind = entry.kind();
        if let Some(uncovered) = self.uncovered.ancestor(path) {
            let needed = if uncovered == path { kind } else { Kind::Directory };
            let is_gone = self.kinds.get(uncovered).is_some_and(|found| *found != needed);
            if is_gone { Status::Deleted } else { Status::Uncovered }
        } else if self.ignored.place(path) == Place::Within {
            Status::Ignored
        } else if entry.blob().is_some_and(|blob| self.purged.contains(blob)) {
            Status::Uncovered
        } else {
            Status::Deleted
        }
    }

    /// Why the new side leaves out a path, if it does.
    pub fn reason(&self, path: &RepoPath) -> Option<Status> {
        if self.uncovered.place(path) == Place::Within {
            Some(Status::Uncovered)
        } else if self.ignored.place(path) == Place::Within {
            Some(Status::Ignored)
        } else {
            None
        }
    }
}
