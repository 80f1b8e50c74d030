//! The result of a drill.

use serde::Serialize;

use crate::id::CommitId;
use crate::path::RepoPathBuf;
use crate::serialize::reasons;
use crate::time::Timestamp;
use crate::workspace::targets::DrillOutcome;

/// The result of a drill.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "drill")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct DrillRecord {
    pub target: String,
    pub time: Timestamp,
    pub id: CommitId,
    pub local: bool,
    pub success: bool,
    pub files: u64,
    pub files_total: u64,
    pub bytes: u64,
    pub bytes_total: u64,
    pub bytes_fetched: u64,
    #[serde(serialize_with = "reasons")]
    pub differences: Vec<(RepoPathBuf, String)>,
    #[serde(serialize_with = "reasons")]
    pub inexact: Vec<(RepoPathBuf, String)>,
    pub purged: Vec<RepoPathBuf>,
    pub milliseconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milliseconds_estimated: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
}

impl DrillRecord {
    /// The record of a drill that ended at `time`.
    pub fn new(target: &str, outcome: &DrillOutcome, time: Timestamp) -> DrillRecord {
        let milliseconds = |duration: std::time::Duration| duration.as_millis() as u64;
        DrillRecord {
            target: target.to_owned(),
            time,
            id: outcome.commit,
            local: outcome.is_local,
            success: outcome.is_success(),
            files: outcome.files.0,
            files_total: outcome.files.1,
            bytes: outcome.bytes.0,
            bytes_total: outcome.bytes.1,
            bytes_fetched: outcome.fetched.bytes,
            differences: outcome.differences.clone(),
            inexact: outcome.inexact.clone(),
            purged: outcome.purged.clone(),
            milliseconds: milliseconds(outcome.duration),
            milliseconds_estimated: outcome.estimate.map(milliseconds),
            exit: outcome.exit,
        }
    }
}
