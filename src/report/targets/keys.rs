//! The keys of a target.

use serde::Serialize;

use crate::time::Timestamp;
use crate::workspace::targets::{OpenTarget, Sent, TargetKey};

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
