//! Targets: what was pushed, pulled and cloned, and what a target has.

mod keys;
mod list;
mod maintain;
mod stats;

use std::path::Path;

use serde::Serialize;

use crate::time::Timestamp;
use crate::workspace::targets::{Cloned, OpenTarget, PullOutcome, PushOutcome, TargetDirectory};

pub use keys::{KeyChanged, KeyRecord, Rekeyed, Rewritten};
pub use list::{TargetAdded, TargetRecord, TargetRemoved, TargetsEnd, UncountedTarget};
pub use maintain::{CollectedRecord, RepairedTargetRecord, TargetDamage, VerifiedTarget};
pub use stats::{PartRecord, TargetStatsRecord};

/// A directory in a target.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-directory")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct StreamRecord {
    pub id: String,
    pub host: String,
    pub path: String,
    pub commits: u64,
    pub size: u64,
    pub user: String,
    pub time: Timestamp,
    pub entry: u64,
}

/// The state of a target.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct TargetState {
    pub name: String,
    pub url: String,
    pub directories: u64,
    pub packs: u64,
    pub bytes: u64,
    pub keys: u64,
    pub entry: u64,
    pub hash: String,
}

/// What was pushed.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "pushed")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct Pushed {
    pub target: String,
    pub commits: u64,
    pub objects: u64,
    pub bytes: u64,
    pub packs: u64,
    pub requests: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
}

/// What was pulled.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "pulled")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct Pulled {
    pub target: String,
    pub commits: u64,
    pub objects: u64,
    pub bytes: u64,
    pub refs: Vec<String>,
}

/// A cloned directory.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "cloned")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct ClonedRecord {
    pub directory: String,
    pub commits: u64,
    pub written: u64,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

impl TargetState {
    /// The record of an open target.
    pub fn new(target: &OpenTarget) -> TargetState {
        let (settings, summary) = (target.settings(), target.summary());
        TargetState {
            name: settings.name.clone(),
            url: settings.url.clone(),
            directories: summary.directories,
            packs: summary.packs,
            bytes: summary.bytes,
            keys: summary.keys,
            entry: target.number(),
            hash: summary.hash,
        }
    }
}

/// The records of the directories in a target.
pub fn stream_records(target: &OpenTarget) -> Vec<StreamRecord> {
    let record = |directory: TargetDirectory| StreamRecord {
        id: directory.id,
        host: directory.host,
        path: directory.path,
        commits: directory.commits,
        size: directory.size,
        user: directory.user,
        time: directory.time,
        entry: directory.entry,
    };
    target.directories().into_iter().map(record).collect()
}

impl Pushed {
    /// The record of a push.
    pub fn new(target: &OpenTarget, outcome: &PushOutcome) -> Pushed {
        let PushOutcome { commits, sent, entry, .. } = *outcome;
        let entry = entry.map(|link| link.number);
        Pushed {
            target: target.settings().name.clone(),
            commits,
            objects: sent.objects,
            bytes: sent.bytes,
            packs: sent.packs,
            requests: target.requests(),
            entry,
        }
    }
}

impl Pulled {
    /// The record of a pull.
    pub fn new(target: &str, outcome: &PullOutcome) -> Pulled {
        let refs = outcome.edits.iter().map(|edit| edit.name.short().to_owned()).collect();
        let PullOutcome { commits, fetched, .. } = outcome;
        Pulled { target: target.to_owned(), commits: *commits, objects: fetched.objects, bytes: fetched.bytes, refs }
    }
}

impl ClonedRecord {
    /// The record of a clone.
    pub fn new(directory: &Path, cloned: &Cloned) -> ClonedRecord {
        let (entry, hash) = cloned.entry.clone().unzip();
        ClonedRecord {
            directory: directory.display().to_string(),
            commits: cloned.pulled.commits,
            written: cloned.checkout.as_ref().map_or(0, |checkout| checkout.written),
            bytes: cloned.pulled.fetched.bytes,
            entry,
            hash,
        }
    }
}
