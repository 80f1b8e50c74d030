//! What a target takes.

use serde::Serialize;

use crate::workspace::targets::{OpenTarget, Part, TargetStats};

/// What a target takes in its storage.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct TargetStatsRecord {
    pub target: String,
    pub url: String,
    pub total: u64,
    pub data: PartRecord,
    pub meta: PartRecord,
    pub indexes: PartRecord,
    pub log: PartRecord,
    pub folds: PartRecord,
    pub keys: PartRecord,
    pub condemned: PartRecord,
    pub unnamed: PartRecord,
    pub objects: u64,
    pub commits: u64,
    pub directories: u64,
}

/// Files of one kind.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct PartRecord {
    pub files: u64,
    pub bytes: u64,
}

impl From<Part> for PartRecord {
    fn from(part: Part) -> PartRecord {
        PartRecord { files: part.files, bytes: part.bytes }
    }
}

impl TargetStatsRecord {
    /// The record of a target.
    pub fn new(target: &OpenTarget, stats: &TargetStats) -> TargetStatsRecord {
        let TargetStats { usage, objects, commits, directories } = *stats;
        TargetStatsRecord {
            target: target.settings().name.clone(),
            url: target.settings().url.clone(),
            total: usage.total(),
            data: usage.data.into(),
            meta: usage.meta.into(),
            indexes: usage.indexes.into(),
            log: usage.log.into(),
            folds: usage.folds.into(),
            keys: usage.keys.into(),
            condemned: usage.condemned.into(),
            unnamed: usage.unnamed.into(),
            objects,
            commits,
            directories,
        }
    }
}
