//! Statistics of the repository.

use crate::error::Result;
use crate::maintain::stats::{self, CommitCost, Growth, PathCost, Period, Stats};
use crate::progress::Progress;

use super::Workspace;

impl Workspace {
    /// What the repository takes on disk, what it contains, and what can be freed. Does not search trees.
    pub fn stats(&self, progress: &dyn Progress) -> Result<Stats> {
        stats::gather(&self.repository, progress)
    }

    /// Passes the bytes that each of the newest commits has alone and shares on to `each`, newest first. Searches the trees of
    /// each commit and of its parents and children. Returns the number of commits that cannot be read.
    pub fn commit_costs(
        &self,
        limit: usize,
        each: &mut dyn FnMut(CommitCost) -> Result<()>,
        progress: &dyn Progress,
    ) -> Result<u64> {
        stats::commit_costs(&self.repository, limit, each, progress)
    }

    /// The bytes that each directory at this depth needs alone and shares, in all of history. Searches all trees. Also
    /// returns the number of commits that cannot be read.
    pub fn path_costs(&self, depth: usize, progress: &dyn Progress) -> Result<(Vec<PathCost>, u64)> {
        stats::path_costs(&self.repository, depth, progress)
    }

    /// The bytes that operations have stored in each period, as far back as the journal goes. Without a period, takes
    /// the shortest one that yields a short list.
    pub fn growth(&self, period: Option<Period>) -> Result<Growth> {
        stats::growth(&self.repository, period)
    }
}
