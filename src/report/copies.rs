//! How new the copies in targets are.

use serde::Serialize;

use crate::report::changes::Tally;
use crate::time::Timestamp;
#[cfg(feature = "targets")]
use crate::workspace::targets::Copy;

/// A target, and how new the copy in it is.
#[derive(Clone, Debug, Serialize)]
pub struct CopyRecord {
    /// Name of the target.
    pub target: String,
    /// How new the copy is.
    #[serde(flatten)]
    pub state: CopyState,
}

/// How new the copy in a target is.
#[derive(Clone, Debug, Serialize)]
pub struct CopyState {
    /// When the whole history was pushed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pushed: Option<Timestamp>,
    /// Number of commits that the target lacks; `None` if the whole history was never pushed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
    /// Whether the target may lack more commits.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    /// Whether the copy is older than `target.max_age` and lacks commits.
    pub overdue: bool,
    /// When a drill succeeded last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drilled: Option<Timestamp>,
    /// Whether there was no successful drill within `drill.max_age`.
    pub drill_overdue: bool,
}

/// Number of changes, and the copies of the history: the end of `status`.
#[derive(Clone, Debug, Serialize)]
pub struct StatusSummary<'c> {
    /// Number of changes.
    #[serde(flatten)]
    pub tally: Tally,
    /// The copies; empty for other lists of changes.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub copies: &'c [CopyRecord],
}

#[cfg(feature = "targets")]
impl CopyRecord {
    /// The record of a copy.
    pub fn new(copy: &Copy) -> CopyRecord {
        CopyRecord { target: copy.name.clone(), state: CopyState::new(copy) }
    }
}

#[cfg(feature = "targets")]
impl CopyState {
    /// The state of a copy.
    pub fn new(copy: &Copy) -> CopyState {
        CopyState {
            pushed: copy.pushed,
            behind: copy.behind.map(|behind| behind.commits),
            at_least: copy.behind.is_some_and(|behind| behind.is_minimum),
            overdue: copy.is_overdue,
            drilled: copy.drilled,
            drill_overdue: copy.is_drill_overdue,
        }
    }
}
