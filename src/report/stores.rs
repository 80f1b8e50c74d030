//! Stores outside their directories.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::Serialize;

use crate::error::{ErrorKind, Result};
use crate::id::CommitId;
use crate::object::Mark;
use crate::report::values::PathBytes;
use crate::serialize::or_empty;
use crate::time::Timestamp;
use crate::workspace::stores::{KnownStore, Revived, StoreContent};

/// A store outside its directories.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "store")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct StoreRecord {
    #[serde(flatten)]
    pub path: PathBytes,
    pub id: String,
    pub directories: Vec<StoreDirectory>,
    pub commits: u64,
    #[serde(serialize_with = "or_empty")]
    pub newest: Option<CommitId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    pub size: u64,
    pub problem: String,
    /// Whether a part of the history cannot be read.
    #[serde(skip)]
    pub is_damaged: bool,
}

/// A directory that uses a store.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct StoreDirectory {
    #[serde(flatten)]
    pub path: PathBytes,
    pub id: String,
    pub branch: String,
    pub missing: bool,
}

/// The end of the list of stores.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct StoresEnd {
    pub count: u64,
}

/// A directory that was revived.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "revived")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct RevivedRecord {
    pub directory: String,
    pub former: String,
    pub store: String,
    pub id: CommitId,
    pub time: Timestamp,
    pub written: u64,
    pub continued: bool,
    pub alarms: Vec<Mark>,
}

impl StoreRecord {
    /// The record of a store, and of its content or the reason why that cannot be read.
    pub fn new(store: &KnownStore, content: Result<StoreContent>, size: Result<u64>) -> StoreRecord {
        let path = |path: &Path| PathBytes(path.as_os_str().as_bytes().to_vec());
        let directories = store.directories.iter().map(|directory| StoreDirectory {
            path: path(&directory.path),
            id: directory.id.to_string(),
            branch: directory.branch.clone().unwrap_or_default(),
            missing: directory.is_missing,
        });
        let is_incomplete = store.problem.as_ref().is_some_and(|problem| problem.kind() == ErrorKind::NoRepository);
        let problem = store.problem.as_ref().map(ToString::to_string);
        let (content, problem) = match content {
            Ok(content) => {
                let damage = content.damage.as_ref().map(ToString::to_string);
                (content, problem.or(damage))
            }
            Err(error) => {
                (StoreContent { commits: 0, newest: None, damage: None }, problem.or_else(|| Some(error.to_string())))
            }
        };
        StoreRecord {
            path: path(&store.path),
            id: store.id.clone(),
            directories: directories.collect(),
            commits: content.commits,
            newest: content.newest.as_ref().map(|newest| newest.id),
            time: content.newest.map(|newest| newest.commit.time),
            size: size.unwrap_or_default(),
            is_damaged: problem.is_some() && !is_incomplete,
            problem: problem.unwrap_or_default(),
        }
    }
}

impl RevivedRecord {
    /// The record of a directory that was revived at this path.
    pub fn new(directory: &Path, revived: &Revived) -> RevivedRecord {
        RevivedRecord {
            directory: directory.display().to_string(),
            former: revived.former.display().to_string(),
            store: revived.store.display().to_string(),
            id: revived.commit,
            time: revived.time,
            written: revived.checkout.written,
            continued: revived.is_continued,
            alarms: revived.alarms.clone(),
        }
    }
}
