//! Commits: one in the history, and a new one.

use std::collections::HashMap;

use serde::Serialize;

use crate::id::CommitId;
use crate::object::commit::{Counts, Uncovered};
use crate::object::operation::View;
use crate::object::{Commit, Mark, RunInfo};
use crate::path::RepoPathBuf;
use crate::report::changes::Tally;
use crate::report::runs::CommandRecord;
use crate::serialize::or_empty;
use crate::time::Timestamp;

/// A commit and what refers to it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "commit")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct CommitRecord {
    pub id: CommitId,
    pub parents: Vec<CommitId>,
    /// Number of forgotten commits between the commit and these parents.
    pub forgotten: u64,
    pub branches: Vec<String>,
    pub tags: Vec<String>,
    pub current: bool,
    pub time: Timestamp,
    pub author: String,
    pub host: String,
    pub message: String,
    pub automatic: bool,
    #[serde(flatten)]
    pub changes: Counts,
    pub files: u64,
    pub bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_stored: Option<u64>,
    pub uncovered: Vec<Uncovered>,
    pub torn: Vec<RepoPathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<CommandRecord>,
    pub suspicious: bool,
    pub alarms: Vec<Mark>,
}

/// Automatic commits that `log` counts instead of listing them.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "automatic")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct FoldedRecord {
    pub count: u64,
    pub newest: CommitId,
    pub oldest: CommitId,
    pub since: Timestamp,
    pub until: Timestamp,
}

/// A commit whose message or author was replaced, or `id` and `replaced` are the same.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "amended")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct Amended {
    pub id: CommitId,
    pub replaced: CommitId,
}

/// What a commit would record: the end of a list without paths.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct ExpectedCommit {
    #[serde(flatten)]
    pub tally: Tally,
    pub bytes_read: u64,
}

/// The refs at a commit.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Branches, sorted.
    pub branches: Vec<String>,
    /// Tags, sorted.
    pub tags: Vec<String>,
    /// Whether the commit is `@`.
    pub is_at: bool,
}

impl Names {
    /// The refs at one commit.
    pub fn of(view: &View, id: CommitId) -> Names {
        Names::of_all(view).remove(&id).unwrap_or_default()
    }

    /// The refs at each commit that has any.
    pub fn of_all(view: &View) -> HashMap<CommitId, Names> {
        let mut all: HashMap<CommitId, Names> = HashMap::new();
        for (name, id) in &view.branches {
            all.entry(*id).or_default().branches.push(name.clone());
        }
        for (name, id) in &view.tags {
            all.entry(*id).or_default().tags.push(name.clone());
        }
        if let Some(id) = view.at() {
            all.entry(id).or_default().is_at = true;
        }
        all
    }
}

impl CommitRecord {
    /// A commit, the refs at it, and the bytes that the store grew by.
    pub fn new(id: CommitId, commit: &Commit, names: Names, bytes_stored: Option<u64>) -> CommitRecord {
        CommitRecord {
            id,
            parents: commit.parents.clone(),
            forgotten: 0,
            branches: names.branches,
            tags: names.tags,
            current: names.is_at,
            time: commit.time,
            author: commit.author.clone(),
            host: commit.host.clone(),
            message: commit.message.clone(),
            automatic: commit.automatic,
            changes: commit.changes,
            files: commit.totals.files,
            bytes: commit.totals.bytes,
            bytes_stored,
            uncovered: commit.uncovered.clone(),
            torn: commit.torn.clone(),
            run: RunInfo::of(commit).map(|ran| CommandRecord::from(&ran)),
            suspicious: commit.is_suspicious(),
            alarms: commit.marks(),
        }
    }

    /// Replaces forgotten parents by the nearest ancestors that are not forgotten.
    pub fn in_history(self, view: &View) -> CommitRecord {
        let forgotten = view.forgotten_count(&self.parents);
        CommitRecord { parents: view.kept_parents(&self.parents), forgotten, ..self }
    }
}

/// The outcome of `commit`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "commit")]
pub struct Committed {
    /// Whether the commit is an automatic one beside the branch.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub automatic: bool,
    /// Current commit, new or not; empty for none.
    #[serde(serialize_with = "or_empty")]
    pub id: Option<CommitId>,
    /// Current branch.
    pub branch: String,
    /// Whether a commit was created.
    pub created: bool,
    /// Added, modified and deleted entries.
    #[serde(flatten)]
    pub changes: Counts,
    /// Renamed entries, which count as added and deleted, too.
    pub renamed: u64,
    /// Entries no longer recorded because ignore rules exclude them now.
    pub ignored: u64,
    /// Number of files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Bytes read from the worktree.
    pub bytes_read: u64,
    /// Bytes that the store grew by.
    pub bytes_stored: u64,
    /// Allocated bytes that the repository grew by on disk. Negative if it has shrunk.
    pub disk_growth: i64,
    /// Paths not recorded.
    pub uncovered: Vec<Uncovered>,
    /// Files that changed while they were read.
    pub torn: Vec<RepoPathBuf>,
    /// Unnamed paths recorded together with a named database.
    pub journals: Vec<RepoPathBuf>,
    /// Paths recorded without their extended attributes.
    pub without_attributes: Vec<RepoPathBuf>,
    /// Whether the changes look like an accident or an attack.
    pub suspicious: bool,
}
