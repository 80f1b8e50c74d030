//! The outcome of `stats`.

use serde::Serialize;

use crate::id::CommitId;
use crate::path::RepoPathBuf;
use crate::time::Timestamp;
use crate::workspace::{Commit, CommitCost, Growth, PathCost, PeriodGrowth, Stats};

/// Statistics of a repository.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "stats")]
pub struct StatsRecord {
    /// The statistics.
    #[serde(flatten)]
    pub stats: Stats,
    /// Path of the repository.
    pub repository: String,
}

/// Stored bytes of a commit.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "commit-cost")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct CommitCostRecord {
    pub id: CommitId,
    pub time: Timestamp,
    pub message: String,
    pub automatic: bool,
    pub own: u64,
    pub shared: u64,
}

impl From<CommitCost> for CommitCostRecord {
    fn from(cost: CommitCost) -> CommitCostRecord {
        let CommitCost { walked, own, shared } = cost;
        let Commit { time, message, automatic, .. } = walked.commit;
        CommitCostRecord { id: walked.id, time, message, automatic, own, shared }
    }
}

/// Stored bytes of a directory in all commits.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "path-cost")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct PathCostRecord {
    #[serde(flatten)]
    pub path: RepoPathBuf,
    pub alone: u64,
    pub shared: u64,
}

impl From<PathCost> for PathCostRecord {
    fn from(cost: PathCost) -> PathCostRecord {
        let PathCost { path, alone, shared } = cost;
        PathCostRecord { path, alone, shared }
    }
}

/// Growth over time: in text a chart.
#[derive(Clone, Debug)]
pub struct GrowthChart(pub Growth);

/// Growth in one period, in JSON.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "growth")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct PeriodRecord {
    pub period: &'static str,
    pub start: Timestamp,
    pub bytes: u64,
    pub commits: u64,
}

impl GrowthChart {
    /// The records of all periods.
    pub fn records(&self) -> impl Iterator<Item = PeriodRecord> + '_ {
        let period = self.0.period.word();
        self.0.periods.iter().map(move |&PeriodGrowth { start, bytes, commits, .. }| PeriodRecord {
            period,
            start,
            bytes,
            commits,
        })
    }
}
