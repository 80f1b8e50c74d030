//! Lookups that planning needs beyond the two trees.

use crate::error::Result;
use crate::fs::Stat;
use crate::object::Entry;
use crate::path::{RepoPath, RepoPathBuf};

/// Live state of a path that no commit covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The path does not exist.
    Nothing,
    /// Has the wanted content; for a directory: is a directory.
    Alike {
        stat: Box<Stat>,
        /// Whether a later change may leave the same stat.
        racy: bool,
        /// Whether mode, owner, time and attributes match as well. Always true for a directory, whose time changes with
        /// its content.
        is_dressed: bool,
    },
    /// A file system is mounted at this path, which is the queried path or one of its ancestors.
    Mount(RepoPathBuf),
    /// Has different content, or cannot be read.
    Other,
}

/// Callbacks for lookups that the trees cannot answer.
pub(super) struct Questions<'q> {
    /// Whether the target's rules ignore a path; the flag says whether the path is a directory.
    pub ignores: &'q dyn Fn(&RepoPath, bool) -> Result<bool>,
    /// Live state of an uncovered path at which this entry is wanted.
    pub found: &'q dyn Fn(&RepoPath, &Entry) -> Result<Found>,
    /// Whether the worktree has a regular file at a path.
    pub is_file: &'q dyn Fn(&RepoPath) -> bool,
    /// Whether an unfinished checkout was to change the database file at a path, or a journal of it.
    pub is_halfway: &'q dyn Fn(&RepoPath) -> Result<bool>,
}
