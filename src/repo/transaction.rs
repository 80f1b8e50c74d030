//! Transactions: the only way refs change. The lock is held from `begin` until it is dropped; each `record` appends one
//! operation to the journal, which is the commit point.

use crate::error::Result;
use crate::id::{CommitId, OperationId};
use crate::object::Commit;
use crate::object::operation::{Intent, RefEdit};
use crate::repo::Repository;
use crate::store::{Stored, Writer};

/// The right to change a repository.
#[must_use]
pub struct Transaction<'r> {
    repository: &'r mut Repository,
}

/// An operation before it is recorded: what the transaction cannot know by itself.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// The verb.
    pub verb: String,
    /// What it did, in words.
    pub description: String,
    /// Refs that it changes; `old` is what the caller saw and must still be so.
    pub edits: Vec<RefEdit>,
    /// The branch that becomes current, if another one.
    pub switch: Option<String>,
    /// Commits that it made.
    pub commits: Vec<CommitId>,
    /// The worktree's commit before and after, where it changed the worktree.
    pub worktree: Option<(Option<CommitId>, CommitId)>,
    /// What it stored.
    pub stored: Stored,
    /// Bytes read from the worktree.
    pub bytes_read: u64,
}

#[allow(unused_variables, clippy::todo, reason = "signatures first")]
impl Transaction<'_> {
    /// The repository as it is now, after all that was recorded so far.
    pub fn repository(&self) -> &Repository {
        self.repository
    }
    /// Puts a commit object into a session's writer and gives its id.
    pub fn put_commit(writer: &mut Writer<'_>, commit: &Commit) -> Result<CommitId> {
        todo!()
    }
    /// Appends the operation, durable when it returns; merges small packs now and then. The intent, if any, is ended.
    pub fn record(&mut self, draft: Draft) -> Result<OperationId> {
        todo!()
    }
    /// Appends a checkout's intent, durable when it returns.
    pub fn intend(&mut self, intent: Intent) -> Result<()> {
        todo!()
    }
    /// Ends an intent that changed nothing.
    pub fn abandon(&mut self, token: u64) -> Result<()> {
        todo!()
    }
}
