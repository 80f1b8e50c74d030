//! What the new side of a comparison leaves out although it may be there: that is not deleted.

use crate::object::commit::Uncovered;
use crate::path::{RepoPath, RepoPathBuf};

use super::Status;
use super::paths::{PathSet, Place};

/// Paths, each with all that is below it.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    uncovered: PathSet,
    ignored: PathSet,
}

impl LeftOut {
    /// What it does not cover, and what is there and ignored by rules.
    pub fn new(uncovered: &[Uncovered], ignored: &[RepoPathBuf]) -> LeftOut {
        let uncovered = uncovered.iter().map(|one| one.path.clone()).collect();
        LeftOut { uncovered: PathSet::topmost(uncovered), ignored: PathSet::topmost(ignored.to_vec()) }
    }

    /// How a path differs that only the old side has.
    pub fn status(&self, path: &RepoPath) -> Status {
        if self.uncovered.place(path) == Place::Within {
            Status::Uncovered
        } else if self.ignored.place(path) == Place::Within {
            Status::Ignored
        } else {
            Status::Deleted
        }
    }
}
