//! What planning asks about beyond the two trees.

use crate::error::Result;
use crate::fs::Stat;
use crate::object::Entry;
use crate::path::{RepoPath, RepoPathBuf};

/// What stands at a path that no commit covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// The content that is wanted; of a directory, a directory.
    Alike {
        stat: Box<Stat>,
        /// A later change may leave the same stat.
        racy: bool,
        /// So are mode, owner, time and attributes. What is in a directory makes its time, so it counts as dressed.
        is_dressed: bool,
    },
    /// Something is mounted at this path, which is the one asked for or above it.
    Mount(RepoPathBuf),
    /// Something else, or something that cannot be read.
    Other,
}

/// The questions that the trees do not answer.
pub(super) struct Questions<'q> {
    /// Whether the target's own rules ignore a path (a directory, if so).
    pub ignores: &'q dyn Fn(&RepoPath, bool) -> Result<bool>,
    /// What stands at an uncovered path where this entry is wanted.
    pub found: &'q dyn Fn(&RepoPath, &Entry) -> Result<Found>,
    /// Whether a regular file is at a path of the worktree.
    pub is_file: &'q dyn Fn(&RepoPath) -> bool,
    /// Whether an unfinished checkout was to change the database file at a path, or a journal of it.
    pub is_halfway: &'q dyn Fn(&RepoPath) -> Result<bool>,
}
