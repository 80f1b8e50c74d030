//! The outcome of `verify`.

use serde::Serialize;

use crate::id::{CommitId, ObjectId, PackId};
use crate::path::RepoPathBuf;
use crate::serialize::or_empty;
use crate::workspace::VerifyOutcome;

/// An object that is missing or damaged.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "damage")]
pub struct DamageRecord {
    /// What is affected.
    pub what: &'static str,
    /// What is wrong.
    pub message: String,
    /// The object.
    #[serde(serialize_with = "or_empty")]
    pub id: Option<ObjectId>,
    /// Its pack.
    #[serde(serialize_with = "or_empty")]
    pub pack: Option<PackId>,
    /// File of the pack.
    pub file: String,
    /// The newest affected commit.
    #[serde(serialize_with = "or_empty")]
    pub commit: Option<CommitId>,
    /// Affected paths of that commit.
    pub paths: Vec<RepoPathBuf>,
}

/// An unneeded file in the repository.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "superfluous")]
pub struct SuperfluousRecord {
    /// What it is.
    pub what: &'static str,
    /// Its path.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// The extent and the result of a verification.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct VerifyTotals {
    /// Totals.
    #[serde(flatten)]
    pub outcome: VerifyOutcome,
    /// Whether nothing is damaged.
    pub clean: bool,
}
