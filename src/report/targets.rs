//! Targets: what was pushed, pulled and cloned, and what a target has.

mod list;
mod stats;

use std::path::Path;

use serde::Serialize;

use crate::error::Error;
use crate::time::Timestamp;
use crate::workspace::targets::{
    Cloned, CollectedTarget, OpenTarget, PullOutcome, PushOutcome, RepairedTarget, Sent, TargetDirectory, TargetKey,
    TargetVerification,
};

pub use list::{TargetAdded, TargetRecord, TargetRemoved, TargetsEnd, UncountedTarget};
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

/// A key of a target.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-key")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct KeyRecord {
    pub id: String,
    pub kind: &'static str,
    pub in_force: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
}

/// A key that was added or removed.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-key-changed")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct KeyChanged {
    /// `added` or `removed`.
    pub action: &'static str,
    pub target: String,
    pub id: String,
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_words: Option<String>,
}

/// A target whose keys were replaced.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-rekeyed")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct Rekeyed {
    pub target: String,
    pub generation: u32,
    pub recovery_words: String,
    pub entry: u64,
}

/// What was rewritten with new keys.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-rewritten")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct Rewritten {
    pub target: String,
    pub packs: u64,
    pub bytes: u64,
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
    pub files: u64,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

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

impl KeyRecord {
    /// The record of a key.
    pub fn new(key: TargetKey) -> KeyRecord {
        let TargetKey { id, kind, added } = key;
        let in_force = added.is_some();
        let (user, host, time) = match added {
            Some((user, host, time)) => (Some(user), Some(host), Some(time)),
            None => (None, None, None),
        };
        KeyRecord { id, kind, in_force, user, host, time }
    }
}

impl KeyChanged {
    /// The record of a new key.
    pub fn added(target: &str, key: TargetKey, recovery_words: Option<String>) -> KeyChanged {
        KeyChanged { action: "added", target: target.to_owned(), id: key.id, kind: key.kind, recovery_words }
    }

    /// The record of a removed key.
    pub fn removed(target: &str, key: TargetKey) -> KeyChanged {
        KeyChanged { action: "removed", target: target.to_owned(), id: key.id, kind: key.kind, recovery_words: None }
    }
}

impl Rekeyed {
    /// The record of a target whose keys were replaced.
    pub fn new(target: &OpenTarget, recovery_words: String) -> Rekeyed {
        let name = target.settings().name.clone();
        Rekeyed { target: name, generation: target.generation(), recovery_words, entry: target.number() }
    }
}

impl Rewritten {
    /// The record of what was rewritten.
    pub fn new(target: &str, sent: Sent) -> Rewritten {
        Rewritten { target: target.to_owned(), packs: sent.packs, bytes: sent.bytes }
    }
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
            files: cloned.checkout.as_ref().map_or(0, |checkout| checkout.written),
            bytes: cloned.pulled.fetched.bytes,
            entry,
            hash,
        }
    }
}
