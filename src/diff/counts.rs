//! Counts the paths that differ, by status.

use serde::Serialize;

use super::Status;
use crate::object::commit::Counts;

/// Number of differing paths of each status. Uncovered paths are not counted, because they may be unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChangeCounts {
    /// Paths on the new side only.
    pub added: u64,
    /// Paths with other content.
    pub modified: u64,
    /// Paths on the old side only.
    pub deleted: u64,
    /// Paths that were at another path before.
    pub renamed: u64,
    /// Paths of another kind.
    pub retyped: u64,
    /// Paths with the same content and other metadata.
    pub metadata: u64,
    /// Paths that ignore rules now leave out.
    pub ignored: u64,
}

impl ChangeCounts {
    /// Counts one change.
    pub fn add(&mut self, status: Status) {
        match status {
            Status::Added => self.added += 1,
            Status::Modified => self.modified += 1,
            Status::Deleted => self.deleted += 1,
            Status::Renamed => self.renamed += 1,
            Status::Type => self.retyped += 1,
            Status::Metadata => self.metadata += 1,
            Status::Ignored => self.ignored += 1,
            Status::Uncovered => {}
        }
    }

    /// Counts a rename instead of an addition and a deletion.
    pub fn merge(&mut self) {
        self.added -= 1;
        self.deleted -= 1;
        self.renamed += 1;
    }

    /// Sum of all counts.
    pub fn total(&self) -> u64 {
        self.added + self.modified + self.deleted + self.renamed + self.retyped + self.metadata + self.ignored
    }

    /// The counts that a commit records. A rename counts as an addition and a deletion.
    pub fn recorded(&self) -> Counts {
        let modified = self.modified + self.retyped + self.metadata;
        Counts { added: self.added + self.renamed, modified, deleted: self.deleted + self.renamed }
    }
}
