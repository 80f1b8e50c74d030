//! Statistics of the repository.

use crate::error::Result;
use crate::maintain::stats::{self, Growth, Period, Stats};
use crate::progress::Progress;

use super::Workspace;

impl Workspace {
    /// What the repository takes on disk, what it contains, and what can be freed. Does not search trees.
    pub fn stats(&self, progress: &dyn Progress) -> Result<Stats> {
        stats::gather(&self.repository, progress)
    }

    /// The bytes that operations have stored in each period, as far back as the journal goes. Without a period, takes
    /// the shortest one that yields a short list.
    pub fn growth(&self, period: Option<Period>) -> Result<Growth> {
        stats::growth(&self.repository, period)
    }
}
