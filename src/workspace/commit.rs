//! Commits the worktree.

use std::time::Duration;

use crate::checkout;
use crate::error::{Error, ErrorKind, Result};
use crate::history;
use crate::history::reflog::no_commit;
use crate::history::walk::WalkOptions;
use crate::id::CommitId;
use crate::object::operation::Verb;
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::progress::deadline::Deadline;
use crate::repo::Repository;
use crate::snapshot::{self, Outcome};

use super::{ChangeCounts, DiffOptions, Workspace, notice, recording};

/// What to commit.
#[derive(Clone, Debug, Default)]
pub struct CommitOptions {
    /// Commit message.
    pub message: String,
    /// Author; `None` means the setting `user.name`, or the user.
    pub author: Option<String>,
    /// Record only these paths; keep the rest as in the current commit. Empty means all paths.
    pub paths: Vec<RepoPathBuf>,
    /// Record the worktree although an unfinished checkout has left it half old, half new.
    pub force: bool,
    /// Time from now in which the commit must be recorded, waiting for the lock included. [`ErrorKind::NotInTime`] otherwise.
    pub deadline: Option<Duration>,
}

/// A commit that has been checked. Nothing is written until it is applied.
#[must_use]
pub struct PreparedCommit<'w> {
    workspace: &'w mut Workspace,
    options: CommitOptions,
    expected: Outcome,
}

impl Workspace {
    /// Commits the worktree. If nothing has changed, no commit is made.
    pub fn commit(&mut self, options: &CommitOptions, progress: &dyn Progress) -> Result<Outcome> {
        let deadline = options.deadline.map(Deadline::after);
        let mut transaction = recording::begin(&mut self.repository, deadline)?;
        if !options.force {
            checkout::check_no_mix(transaction.repository())?;
        }
        let options = snapshot::Options { deadline, ..snapshot_options(options) };
        let (mut outcome, _, notices) = recording::record(&mut transaction, &self.worktree, &options, progress)?;
        drop(transaction);
        self.notices.extend(notices);
        // The commit is made: a failure to read contents must not report otherwise.
        outcome.counts = self.with_renames(&outcome).unwrap_or(outcome.counts);
        Ok(outcome)
    }

    /// The counts of a new commit, with renames. Reads contents only if there are both added and deleted paths.
    fn with_renames(&self, outcome: &Outcome) -> Result<ChangeCounts> {
        let counts = outcome.counts;
        let Some(id) = outcome.commit.filter(|_| outcome.created && counts.added > 0 && counts.deleted > 0) else {
            return Ok(counts);
        };
        let differences = self.diff_commit(&self.read_commit(id)?, DiffOptions::default())?;
        // The commit does not know which paths are ignored, so the other counts stay.
        let renamed = differences.for_each(&mut |_| Ok(()))?.renamed.min(counts.added).min(counts.deleted);
        Ok(ChangeCounts { added: counts.added - renamed, deleted: counts.deleted - renamed, renamed, ..counts })
    }

    /// Replaces message and author of the current commit, where given. Content, parents and time stay, and the worktree is
    /// neither read nor changed. Returns the ids of the old and the new commit: the same if nothing changes.
    ///
    /// [`ErrorKind::Refused`] if later commits build on the current one.
    pub fn amend(&mut self, message: Option<String>, author: Option<String>) -> Result<(CommitId, CommitId)> {
        let mut transaction = self.repository.begin()?;
        let view = transaction.repository().view();
        let Some(old) = view.at() else { return Err(no_commit(view)) };
        if !view.heads.contains(&old) && is_continued(transaction.repository(), old)? {
            let message = format!("later commits build on {}, so its message cannot be replaced", old.short());
            return Err(
                Error::new(ErrorKind::Refused, message).hint(format!("to label it: undo tag NAME {}", old.short()))
            );
        }
        let new = snapshot::reword(&mut transaction, old, message, author)?;
        Ok((old, new))
    }

    /// Finds out what a commit would record. Takes no lock and writes nothing.
    pub fn prepare_commit(&mut self, options: CommitOptions, progress: &dyn Progress) -> Result<PreparedCommit<'_>> {
        self.repository.check_usable()?;
        if !options.force {
            checkout::check_no_mix(&self.repository)?;
        }
        let scanned = snapshot::scan(&self.repository, &self.worktree, None, &snapshot_options(&options), progress)?;
        self.notices.extend(notice::of_scan(scanned.outcome().damage.as_ref(), scanned.scan()));
        let expected = scanned.into_outcome();
        Ok(PreparedCommit { workspace: self, options, expected })
    }
}

/// Whether another commit than an automatic one beside the branch has this commit as a parent.
fn is_continued(repository: &Repository, id: CommitId) -> Result<bool> {
    for walked in history::walk(repository, WalkOptions::default())? {
        let walked = walked?;
        if walked.id == id {
            break;
        }
        if walked.parents.contains(&id) && !walked.commit.is_beside() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn snapshot_options(options: &CommitOptions) -> snapshot::Options {
    let CommitOptions { message, author, paths, .. } = options.clone();
    snapshot::Options { message, author, paths, verb: Verb::Commit, ..snapshot::Options::default() }
}

impl PreparedCommit<'_> {
    /// The outcome of the commit if nothing changes until then. Its id is that of the current commit.
    pub fn expected(&self) -> &Outcome {
        &self.expected
    }

    /// Commits the worktree as it is now.
    pub fn apply(self, progress: &dyn Progress) -> Result<Outcome> {
        self.workspace.commit(&self.options, progress)
    }
}
