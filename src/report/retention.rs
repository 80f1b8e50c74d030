//! The outcomes of `forget` and `recall`.

use serde::Serialize;

use crate::id::CommitId;
use crate::time::Timestamp;
use crate::workspace::{ForgottenRecord, JudgedCommit};

/// A commit that stays or is forgotten.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "judged")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct JudgedRecord {
    pub id: CommitId,
    pub time: Timestamp,
    pub message: String,
    pub automatic: bool,
    pub kept: bool,
    pub reasons: Vec<String>,
}

impl From<&JudgedCommit> for JudgedRecord {
    fn from(commit: &JudgedCommit) -> JudgedRecord {
        JudgedRecord {
            id: commit.id,
            time: commit.time,
            message: commit.subject.clone(),
            automatic: commit.is_automatic,
            kept: !commit.reasons.is_empty(),
            reasons: commit.reasons.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The outcome of `forget`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct ForgetSummary {
    pub forgotten: u64,
    pub kept: u64,
    pub dry_run: bool,
    /// Bytes that only the forgotten commits need. Only in a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Whether the commits were named, so that `kept` says nothing about the history.
    #[serde(skip)]
    pub named: bool,
}

/// A forgotten commit that can be recalled.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "forgotten")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct ForgottenLine {
    pub id: CommitId,
    pub time: Timestamp,
    pub message: String,
    pub forgotten: Timestamp,
}

impl From<ForgottenRecord> for ForgottenLine {
    fn from(record: ForgottenRecord) -> ForgottenLine {
        let ForgottenRecord { id, time, subject, forgotten } = record;
        ForgottenLine { id, time, message: subject, forgotten }
    }
}

/// The outcome of `recall`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "recalled")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct Recalled {
    pub commits: Vec<CommitId>,
}
