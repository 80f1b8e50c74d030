//! The outcome of `stats`.

use serde::Serialize;

use crate::time::Timestamp;
use crate::workspace::{Growth, PeriodGrowth, Stats};

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
