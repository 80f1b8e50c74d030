//! The mark of automatic commits, in the extras of a commit: it lies beside the branch, and was made without being asked for.

use super::{Commit, Extras};
use crate::id::DirectoryId;

/// Key of the id of the directory, which is empty for the main one of a repository.
const AUTOMATIC: &str = "automatic";

/// Marks a commit as an automatic commit of a directory.
pub fn put(directory: Option<DirectoryId>, extras: &mut Extras) {
    extras.set(AUTOMATIC, text(directory));
}

fn text(directory: Option<DirectoryId>) -> String {
    directory.map(|id| id.to_string()).unwrap_or_default()
}

impl Commit {
    /// Whether this is an automatic commit beside a branch. Other commits that are `automatic` were made by a command before
    /// it replaced unsaved content.
    pub fn is_beside(&self) -> bool {
        self.extras.get(AUTOMATIC).is_some()
    }

    /// Whether this is an automatic commit of a directory.
    pub fn is_beside_in(&self, directory: Option<DirectoryId>) -> bool {
        self.extras.get(AUTOMATIC) == Some(text(directory).as_bytes())
    }
}
