//! Going back: the worktree becomes a commit. Down the back stairs: revision → commit → tree → diff → plan → apply.

pub mod apply;
pub mod export;
pub mod plan;

use crate::error::Result;
use crate::id::CommitId;
use crate::object::commit::Uncovered;
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::repo::Transaction;
use crate::snapshot;
use crate::worktree::{Scan, Worktree};

pub use plan::{Action, Plan};

/// How a checkout goes.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Only these paths (`restore`); the branch stays where it is. Empty: the whole worktree.
    pub paths: Vec<RepoPathBuf>,
    /// Save and replace uncovered content that is in the way, instead of refusing.
    pub force: bool,
    /// Only plan.
    pub dry_run: bool,
    /// The branch to switch to, for `checkout BRANCH`.
    pub branch: Option<String>,
    /// The verb, for the operation.
    pub verb: String,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// `@` before.
    pub from: Option<CommitId>,
    /// The commit gone to.
    pub to: Option<CommitId>,
    /// The automatic commit that holds what was unsaved, if anything was.
    pub saved: Option<CommitId>,
    /// Entries written or changed.
    pub written: u64,
    /// Entries removed.
    pub deleted: u64,
    /// Entries left as they are.
    pub unchanged: u64,
    /// What was planned.
    pub plan: Plan,
    /// What could not be set exactly (owner as a user, devices, attributes), with the reason.
    pub inexact: Vec<(RepoPathBuf, String)>,
    /// Paths that changed after they were saved: left as they are.
    pub changed: Vec<RepoPathBuf>,
    /// Of the target: paths it does not cover, left alone.
    pub uncovered: Vec<Uncovered>,
}
