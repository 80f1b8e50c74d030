//! JSON forms that outcomes of several layers share (`docs/json.md`).

use std::fmt::Display;

use serde::{Serialize, Serializer};

use crate::path::{RepoPath, RepoPathBuf};

/// Serializes an optional value as a string that is empty for `None`.
pub fn or_empty<T: Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_str(""),
    }
}

/// A path and a reason.
#[derive(Serialize)]
pub struct PathReason<'a> {
    #[serde(flatten)]
    pub path: &'a RepoPath,
    pub reason: &'a str,
}

/// Serializes paths, each with a reason.
pub fn reasons<S: Serializer>(list: &[(RepoPathBuf, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(list.iter().map(|(path, reason)| PathReason { path, reason }))
}
