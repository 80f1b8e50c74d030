//! The maintenance of a target: garbage, verification and repair.

use serde::Serialize;

use crate::error::Error;
use crate::workspace::targets::{CollectedTarget, OpenTarget, RepairedTarget, TargetVerification};

/// The outcome of collecting the garbage of a target.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-collected")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct CollectedRecord {
    pub target: String,
    pub dead: u64,
    pub rewritten: u64,
    pub condemned: u64,
    pub written: u64,
    pub orphans: u64,
    pub deleted: u64,
    pub freed: u64,
    pub waiting: u64,
    pub waiting_bytes: u64,
    pub dry_run: bool,
}

/// Something that is damaged or missing in a target.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-damage")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct TargetDamage {
    pub message: String,
}

/// The outcome of verifying a target.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct VerifiedTarget {
    pub target: String,
    pub commits: u64,
    pub objects: u64,
    pub packs: u64,
    pub packs_read: u64,
    pub bytes_read: u64,
    pub entry: u64,
    pub damaged: u64,
    pub clean: bool,
}

/// The outcome of repairing a target.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-repaired")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct RepairedTargetRecord {
    pub target: String,
    pub found: u64,
    pub replaced: u64,
    pub salvaged: u64,
    pub sent: u64,
    pub bytes: u64,
    pub damaged: u64,
    pub clean: bool,
    pub dry_run: bool,
}

impl CollectedRecord {
    /// The record of a collection.
    pub fn new(target: &OpenTarget, outcome: &CollectedTarget, dry_run: bool) -> CollectedRecord {
        let CollectedTarget { dead, rewritten, condemned, written, orphans, deleted, freed, waiting, waiting_bytes } =
            *outcome;
        let target = target.settings().name.clone();
        CollectedRecord {
            target,
            dead,
            rewritten,
            condemned,
            written,
            orphans,
            deleted,
            freed,
            waiting,
            waiting_bytes,
            dry_run,
        }
    }
}

impl TargetDamage {
    /// The record of an error.
    pub fn new(error: &Error) -> TargetDamage {
        TargetDamage { message: error.to_string() }
    }
}

impl VerifiedTarget {
    /// The record of a verification.
    pub fn new(target: &OpenTarget, outcome: &TargetVerification) -> VerifiedTarget {
        let TargetVerification { commits, objects, packs, packs_read, bytes_read, .. } = *outcome;
        let damaged = outcome.damage.len() as u64;
        let (entry, clean) = (target.number(), damaged == 0);
        let target = target.settings().name.clone();
        VerifiedTarget { target, commits, objects, packs, packs_read, bytes_read, entry, damaged, clean }
    }
}

impl RepairedTargetRecord {
    /// The record of a repair.
    pub fn new(target: &OpenTarget, outcome: &RepairedTarget, dry_run: bool) -> RepairedTargetRecord {
        let RepairedTarget { damage, replaced, salvaged, sent, lost } = outcome;
        let damaged = if dry_run { damage.len() } else { lost.len() } as u64;
        RepairedTargetRecord {
            target: target.settings().name.clone(),
            found: damage.len() as u64,
            replaced: *replaced,
            salvaged: *salvaged,
            sent: sent.objects,
            bytes: sent.bytes,
            damaged,
            clean: damaged == 0,
            dry_run,
        }
    }
}
