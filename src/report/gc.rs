//! The outcome of `gc`.

use serde::Serialize;

use crate::time::Timestamp;
use crate::workspace::GcOutcome;

/// The outcome of `gc`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct GcSummary {
    pub commits: u64,
    pub objects: u64,
    pub bytes: u64,
    pub purged: bool,
    pub destroyed: bool,
    pub purged_left: u64,
    pub purged_in_use: u64,
    pub freed: u64,
    pub written: u64,
    pub packs_added: u64,
    pub packs_removed: u64,
    pub segments: u64,
    pub waste: u64,
    pub total: u64,
    pub waiting: Waiting,
    pub complete: bool,
    pub dry_run: bool,
}

/// Forgotten commits that can still be recalled.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct Waiting {
    pub commits: u64,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl GcSummary {
    /// The record of an outcome.
    pub fn new(outcome: &GcOutcome, dry_run: bool) -> GcSummary {
        let waiting =
            Waiting { commits: outcome.waiting_commits, bytes: outcome.waiting_bytes, until: outcome.waiting_until };
        GcSummary {
            commits: outcome.commits,
            objects: outcome.objects,
            bytes: outcome.bytes,
            purged: outcome.has_purged,
            destroyed: outcome.is_purged_destroyed(),
            purged_left: outcome.purged_left,
            purged_in_use: outcome.purged_in_use,
            freed: outcome.freed,
            written: outcome.written,
            packs_added: outcome.packs_added,
            packs_removed: outcome.packs_removed,
            segments: outcome.segments,
            waste: outcome.waste,
            total: outcome.total,
            waiting,
            complete: !outcome.is_limited && !outcome.lacks_space,
            dry_run,
        }
    }
}
