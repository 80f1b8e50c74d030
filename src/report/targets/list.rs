//! The targets of a repository.

use serde::Serialize;

use crate::report::copies::CopyState;
use crate::workspace::targets::{AddedTarget, Copy, Redundancy, TargetSettings};

/// A target that was added.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-added")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct TargetAdded {
    pub name: String,
    pub url: String,
    pub created: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery_words: Option<String>,
    pub entry: u64,
}

/// A target that was removed from the settings.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target-removed")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct TargetRemoved {
    pub name: String,
    pub url: String,
}

/// A target of a repository, and how new its copy is.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "target")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct TargetRecord {
    pub name: String,
    pub url: String,
    #[serde(flatten)]
    pub state: CopyState,
}

/// The end of the list of targets, with the copies that count for the 3-2-1 rule.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct TargetsEnd {
    pub count: u64,
    pub copies: u64,
    pub media: u64,
    pub elsewhere: u64,
    pub sufficient: bool,
    pub uncounted: Vec<UncountedTarget>,
}

/// A target that does not count for the 3-2-1 rule.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct UncountedTarget {
    pub target: String,
    pub reason: &'static str,
}

impl TargetAdded {
    /// The record of a target that was added.
    pub fn new(added: &AddedTarget, recovery_words: Option<String>) -> TargetAdded {
        let settings = added.target.settings();
        TargetAdded {
            name: settings.name.clone(),
            url: settings.url.clone(),
            created: added.is_new,
            recovery_words,
            entry: added.target.number(),
        }
    }
}

impl TargetRecord {
    /// The record of a target and the copy in it.
    pub fn new(settings: &TargetSettings, copy: &Copy) -> TargetRecord {
        TargetRecord { name: settings.name.clone(), url: settings.url.clone(), state: CopyState::new(copy) }
    }
}

impl TargetsEnd {
    /// The end of a list of targets.
    pub fn new(count: usize, redundancy: Redundancy) -> TargetsEnd {
        let sufficient = redundancy.is_sufficient();
        let Redundancy { copies, media, elsewhere, uncounted } = redundancy;
        let uncounted = uncounted.into_iter().map(|(target, reason)| UncountedTarget { target, reason });
        TargetsEnd { count: count as u64, copies, media, elsewhere, sufficient, uncounted: uncounted.collect() }
    }
}
