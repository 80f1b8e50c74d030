//! Where the files of a repository are.

use std::path::{Path, PathBuf};

/// The two places: the user's directory, and the repository folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The user's directory.
    pub worktree: PathBuf,
    /// `.undo`, or the folder elsewhere that a file `.undo` names.
    pub repository: PathBuf,
}

impl Layout {
    /// The settings.
    pub fn config(&self) -> PathBuf {
        self.repository.join("config.toml")
    }
    /// The worktree as last read. With a store elsewhere it is kept there, under the name of this worktree.
    pub fn index(&self) -> PathBuf {
        self.repository.join("index")
    }
    /// Staging of the repository's own files.
    pub fn tmp(&self) -> PathBuf {
        self.repository.join("tmp")
    }
    /// The user's directory.
    pub fn worktree(&self) -> &Path {
        &self.worktree
    }
}
