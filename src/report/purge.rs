//! The outcome of `purge`.

use serde::Serialize;

use crate::id::{BlobId, CommitId};
use crate::path::RepoPathBuf;
use crate::workspace::RecordedFile;

/// Why a file is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Relation {
    /// Its content is purged.
    Selected,
    /// It has the same content, which is purged there, too.
    Same,
    /// It has chunks of the purged content. They stay.
    Sharing,
}

/// A file that a purge concerns.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "content")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct FileRecord {
    #[serde(flatten)]
    pub path: RepoPathBuf,
    pub relation: Relation,
    pub id: BlobId,
    pub bytes: u64,
    pub commit: CommitId,
}

impl FileRecord {
    /// The record of a file.
    pub fn new(file: &RecordedFile, relation: Relation) -> FileRecord {
        let RecordedFile { path, blob, size, commit } = file.clone();
        FileRecord { path, relation, id: blob, bytes: size, commit }
    }
}

/// The outcome of `purge`.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "type", rename = "summary")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct PurgeSummary {
    pub contents: u64,
    pub bytes: u64,
    pub purged_before: u64,
    pub dry_run: bool,
}
