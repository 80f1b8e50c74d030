//! Operations: one user action each, and what all refs are after it. They live in the journal, not in packs.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::id::{CommitId, OperationId, PackId};
use crate::time::Timestamp;

/// What all refs are at one point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// The branch that is current; it may have no commit yet.
    pub current: String,
    /// Names that follow commits.
    pub branches: BTreeMap<String, CommitId>,
    /// Names that stay.
    pub tags: BTreeMap<String, CommitId>,
    /// Every commit that has no child: the ends of all lines of history, on a branch or not.
    pub heads: BTreeSet<CommitId>,
}

impl View {
    /// `@`: the commit of the current branch; `None` before the first one.
    pub fn at(&self) -> Option<CommitId> {
        self.branches.get(&self.current).copied()
    }
}

/// One user action that changed something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operation {
    /// The operation before it.
    pub parent: Option<OperationId>,
    /// The verb: `commit`, `checkout`, `branch` …
    pub verb: String,
    /// What it did, in words: `main 3f2a → 91bc, 12 files written`.
    pub description: String,
    /// The command line as typed.
    pub arguments: Vec<String>,
    /// When it began.
    pub time: Timestamp,
    /// How long it took, in milliseconds.
    pub duration: u64,
    /// User name.
    pub user: String,
    /// Host name.
    pub host: String,
    /// Refs that it changed.
    pub edits: Vec<RefEdit>,
    /// Current branch before and after, if it changed.
    pub switched: Option<(String, String)>,
    /// Commits that it made (heads grow from their parents to them).
    pub commits: Vec<NewCommit>,
    /// The worktree's commit before and after, where it changed the worktree.
    pub worktree: Option<(Option<CommitId>, CommitId)>,
    /// Packs that it added.
    pub packs_added: Vec<PackId>,
    /// Packs that it made superfluous.
    pub packs_removed: Vec<PackId>,
    /// Bytes read from the worktree.
    pub bytes_read: u64,
    /// Bytes that the store grew by.
    pub bytes_stored: u64,
}

/// A commit that an operation made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCommit {
    /// The commit.
    pub id: CommitId,
    /// Its parents, which are heads no longer.
    pub parents: Vec<CommitId>,
}

/// One ref, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefEdit {
    /// Which.
    pub name: RefName,
    /// Before; `None`: it was not there.
    pub old: Option<CommitId>,
    /// After; `None`: it is gone.
    pub new: Option<CommitId>,
}

/// A branch or a tag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RefName {
    /// A name that follows commits.
    Branch(String),
    /// A name that stays.
    Tag(String),
}

/// What a checkout is about to do, written to the journal before it touches the worktree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// In the names of all files it stages: `.undo-TOKEN-N`.
    pub token: u64,
    /// The verb.
    pub verb: String,
    /// When.
    pub time: Timestamp,
    /// The commit that holds the worktree as it was.
    pub from: Option<CommitId>,
    /// The commit that it is going to.
    pub to: CommitId,
    /// Only these paths; empty: all.
    pub paths: Vec<crate::path::RepoPathBuf>,
}

impl View {
    /// The view after an operation.
    pub fn apply(&mut self, operation: &Operation) {
        let _ = operation;
        todo!()
    }

    /// Its bytes, for journal checkpoints.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<View> {
        let _ = bytes;
        todo!()
    }
}

impl Operation {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Operation> {
        let _ = bytes;
        todo!()
    }

    /// Its id: the hash of its bytes keyed by `operation`.
    pub fn id(&self) -> OperationId {
        todo!()
    }
}

impl Intent {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Intent> {
        let _ = bytes;
        todo!()
    }
}
