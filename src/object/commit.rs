//! Commits: a record of the whole worktree, and of who made it, when and why.

use crate::error::Result;
use crate::id::{CommitId, LinksId};
use crate::object::Entry;
use crate::path::RepoPathBuf;
use crate::time::Timestamp;

/// A record of the whole worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The root directory: an entry without a name, whose content is the root tree.
    pub root: Entry,
    /// Which paths are names of one file.
    pub links: Option<LinksId>,
    /// The commits it grew from; none for a first commit.
    pub parents: Vec<CommitId>,
    /// When it was made.
    pub time: Timestamp,
    /// Seconds that the maker's zone was ahead of UTC.
    pub offset: i32,
    /// User name.
    pub author: String,
    /// Host name.
    pub host: String,
    /// Why; may be empty.
    pub message: String,
    /// Made by a command that was about to replace unsaved content.
    pub automatic: bool,
    /// What there is in the root tree.
    pub totals: Totals,
    /// What differs from the first parent.
    pub changes: Counts,
    /// Paths that were there and could not be recorded, with the reason; nothing is known of what is below them.
    pub uncovered: Vec<Uncovered>,
    /// Files that kept changing while they were read: their content may be a mix.
    pub torn: Vec<RepoPathBuf>,
    /// Fields that this version does not know, kept as they are: key and value, sorted by key.
    pub extras: Vec<(String, Vec<u8>)>,
}

/// What a tree holds at every depth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files, each name of a hard-linked file counted.
    pub files: u64,
    /// Directories, without the root.
    pub directories: u64,
    /// Symlinks, FIFOs and devices.
    pub others: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// How many paths differ. A path that changed in kind, mode, owner or attributes counts as modified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Paths that were not there before.
    pub added: u64,
    /// Paths that were there and are not the same.
    pub modified: u64,
    /// Paths that are no longer there.
    pub deleted: u64,
}

/// A path that is in the worktree and not in the commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Uncovered {
    /// Where.
    pub path: RepoPathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why a path is not covered by a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    /// It could not be read.
    Unreadable = 1,
    /// A socket.
    Socket = 2,
    /// Another file system is mounted there.
    Mount = 3,
    /// A repository inside the worktree.
    Repository = 4,
}

impl Commit {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Commit> {
        let _ = bytes;
        todo!()
    }

    /// Its id.
    pub fn id(&self) -> CommitId {
        super::id_of(super::ObjectKind::Commit, &self.encode()).into()
    }
}
