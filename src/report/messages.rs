//! Errors and warnings in JSON, on stderr.

use serde::Serialize;

use crate::error::Error;
use crate::object::commit::Reason;
use crate::path::{RepoPath, RepoPathBuf};

/// A failure.
#[derive(Serialize)]
#[serde(tag = "type", rename = "error")]
pub struct ErrorRecord<'a> {
    code: &'static str,
    message: String,
    hint: String,
    exit: u8,
    paths: &'a [RepoPathBuf],
}

impl<'a> From<&'a Error> for ErrorRecord<'a> {
    fn from(error: &'a Error) -> ErrorRecord<'a> {
        ErrorRecord {
            code: error.kind().code(),
            message: error.to_string(),
            hint: error.hint_text().unwrap_or_default(),
            exit: error.exit().0,
            paths: error.path_list(),
        }
    }
}

/// A warning, and the paths that it is about.
#[derive(Serialize)]
#[serde(tag = "type", rename = "warning")]
pub struct WarningRecord<'a> {
    /// One sentence.
    pub message: &'a str,
    /// Empty for a warning about no path.
    pub paths: &'a [WarningPath<'a>],
}

/// A path in a warning.
#[derive(Clone, Copy, Serialize)]
pub struct WarningPath<'a> {
    #[serde(flatten)]
    path: &'a RepoPath,
    /// One word of a fixed list where there is one; empty if the message says it all.
    reason: &'a str,
    #[serde(skip)]
    text: &'a str,
}

impl<'a> WarningPath<'a> {
    /// A path and a reason in any words.
    pub fn new(path: &'a RepoPath, reason: &'a str) -> WarningPath<'a> {
        WarningPath { path, reason, text: reason }
    }

    /// A path that a commit does not cover.
    pub fn uncovered(path: &'a RepoPath, reason: Reason) -> WarningPath<'a> {
        WarningPath { path, reason: reason.word(), text: describe(reason) }
    }

    /// The path, and the reason as people read it.
    pub fn text(&self) -> (&'a RepoPath, &'a str) {
        (self.path, self.text)
    }
}

/// Why a commit does not cover a path, as people read it.
pub fn describe(reason: Reason) -> &'static str {
    match reason {
        Reason::Unreadable => "cannot be read",
        Reason::Socket => "a socket",
        Reason::Mount => "mounted from elsewhere",
        Reason::Repository => "another repository",
        Reason::TooLong => "longer than 16 TiB",
        Reason::Purged => "its content was purged",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn an_error_is_one_object() {
        let error = Error::new(ErrorKind::Refused, "no").paths(vec![RepoPathBuf::new(b"x".to_vec()).unwrap()]);
        assert_eq!(
            serde_json::to_string(&ErrorRecord::from(&error)).unwrap(),
            r#"{"type":"error","code":"refused","message":"no","hint":"","exit":4,"paths":[{"path":"x"}]}"#
        );
    }
}
