//! The outcomes of `verify` and `repair`.

use serde::Serialize;

use crate::id::{CommitId, ObjectId, OperationId, PackId};
use crate::path::RepoPathBuf;
use crate::serialize::or_empty;
use crate::workspace::VerifyOutcome;

/// An object that is missing or damaged.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "damage")]
pub struct DamageRecord {
    /// The damage.
    #[serde(flatten)]
    pub damage: DamageFields,
}

/// An object or file that was damaged and is repaired.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "recovered")]
pub struct RecoveredRecord {
    /// The former damage.
    #[serde(flatten)]
    pub damage: DamageFields,
}

/// What is missing or damaged.
#[derive(Clone, Debug, Serialize)]
pub struct DamageFields {
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

/// The outcome of a repair.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct RepairTotals {
    /// The operation; `""` if nothing was added.
    #[serde(serialize_with = "or_empty")]
    pub id: Option<OperationId>,
    /// Number of recovered objects that damaged packs contained.
    pub salvaged: u64,
    /// Number of objects from other packs and repositories.
    pub copied: u64,
    /// Number of objects from the worktree.
    pub from_worktree: u64,
    /// Bytes added to the store.
    pub bytes_stored: u64,
    /// Number of damaged packs that were replaced.
    pub packs_replaced: u64,
    /// Number of commits that were restored from packs that the journal did not name.
    pub commits: u64,
    /// Whether the damaged journal was repaired.
    pub journal: bool,
    /// Whether the mask was determined again.
    pub mask: bool,
    /// Whether the catalog was written again.
    pub catalog: bool,
    /// Whether the damaged index was removed.
    pub index: bool,
    /// Number of reports of damage that is left.
    pub damaged: u64,
    /// Whether nothing is damaged now.
    pub clean: bool,
    /// Whether nothing was written.
    #[serde(skip)]
    pub is_dry_run: bool,
}

/// The outcome of a comparison of the worktree with a commit by content.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct WorktreeTotals {
    /// The commit.
    pub commit: CommitId,
    /// Number of files in the worktree.
    pub files: u64,
    /// Bytes that were read.
    pub bytes_read: u64,
    /// Number of ordinary changes.
    pub changed: u64,
    /// Number of files whose content changed although their stat did not.
    pub damaged: u64,
    /// Whether no file is damaged.
    pub clean: bool,
}
