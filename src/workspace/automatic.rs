//! Automatic commits: hooks, agents and cron jobs record the directory beside the branch.

use crate::checkout;
use crate::error::{Error, ErrorKind, Result};
use crate::id::CommitId;
use crate::object::Extras;
use crate::object::operation::Verb;
use crate::progress::Progress;
use crate::progress::deadline::{Deadline, UntilDeadline};
use crate::repo::Transaction;
use crate::snapshot::{self, Beside, Outcome, SavedScan};
use crate::worktree::Worktree;

use super::{Notice, Workspace, first_automatic, recording};

/// What to record automatically.
#[derive(Clone, Debug, Default)]
pub struct AutomaticOptions {
    /// Commit message, and description of the event.
    pub message: String,
    /// Fields of the event.
    pub extras: Extras,
    /// The time by which the event must be recorded, waiting for the lock included; otherwise
    /// [`ErrorKind::NotInTime`].
    pub deadline: Option<Deadline>,
}

/// Outcome of an automatic commit.
#[derive(Debug)]
pub enum AutomaticOutcome {
    /// The event is recorded. `commit` of the outcome is the state of the directory, which is new if `created`.
    Recorded(Box<Outcome>),
    /// Nothing is recorded, because `undo run` is running a command in the directory, and records the directory before and after it. The
    /// error says so to users who rely on more.
    RunIsRunning(Error),
    /// Nothing is recorded, because the first automatic commit of this directory needs a decision of the user, as this error
    /// says. The user was asked for it before: the first time, the commit fails.
    Undecided(Error),
}

impl Workspace {
    /// Records the directory in an automatic commit, which moves no branch, and appends an event. [`ErrorKind::Refused`] if an
    /// unfinished checkout has left the directory half old, half new, or if the user must decide whether it is recorded.
    pub fn commit_automatically(
        &mut self,
        options: &AutomaticOptions,
        progress: &dyn Progress,
    ) -> Result<AutomaticOutcome> {
        let deadline = options.deadline;
        if self.repository.is_run_running()? {
            return Ok(AutomaticOutcome::RunIsRunning(run_is_running()));
        }
        let mut transaction = recording::begin(&mut self.repository, deadline)?;
        // Again under the lock: `undo run` takes its lock before that of the repository.
        if transaction.repository().is_run_running()? {
            return Ok(AutomaticOutcome::RunIsRunning(run_is_running()));
        }
        checkout::check_automatic_allowed(transaction.repository())?;
        let (repository, worktree) = (transaction.repository(), &self.worktree);
        if !first_automatic::check(repository, worktree, &UntilDeadline { progress, deadline })? {
            return Ok(AutomaticOutcome::Undecided(undecided()));
        }
        let beside = Beside::of(transaction.repository(), options.extras.clone())?;
        let (outcome, _, notices) =
            record_event(&mut transaction, &self.worktree, options, beside, deadline, progress)?;
        drop(transaction);
        self.notices.extend(notices);
        Ok(AutomaticOutcome::Recorded(Box::new(outcome)))
    }

    /// The error of automatic commits that wait for a decision of the user, if they do.
    pub fn automatic_waits(&self) -> Result<Option<Error>> {
        Ok(first_automatic::is_undecided(&self.repository)?.then(undecided))
    }

    /// Finds out which commit holds the directory, for a step along the events. `None` if none does, which is possible only in a
    /// dry run: otherwise an event records the directory first, and the scan is returned.
    /// `last` is the state of the event at the current position.
    pub(super) fn recorded_state(
        &mut self,
        last: Option<CommitId>,
        dry_run: bool,
        progress: &dyn Progress,
    ) -> Result<(Option<CommitId>, Option<SavedScan>)> {
        if dry_run {
            self.repository.check_usable()?;
            let beside = Some(Beside::of(&self.repository, Extras::default())?);
            let options = snapshot::Options { beside, ..snapshot::Options::default() };
            let scanned = snapshot::scan(&self.repository, &self.worktree, None, &options, progress)?;
            let outcome = scanned.outcome();
            return Ok((outcome.commit.filter(|_| !outcome.created), None));
        }
        let options = AutomaticOptions { message: "before undo or redo".to_owned(), ..AutomaticOptions::default() };
        let mut transaction = self.repository.begin()?;
        let beside = Beside::of(transaction.repository(), Extras::default())?;
        let beside = Beside { unless: last, ..beside };
        let (outcome, saved, notices) =
            record_event(&mut transaction, &self.worktree, &options, beside, None, progress)?;
        drop(transaction);
        self.notices.extend(notices);
        Ok((outcome.commit, Some(saved)))
    }
}

fn run_is_running() -> Error {
    let message = "`undo run` is running in this directory, and records it only before and after its command";
    Error::new(ErrorKind::Refused, message).hint("wait until that run ends")
}

fn undecided() -> Error {
    let message = "automatic commits of this directory are off until you allow them";
    Error::new(ErrorKind::Refused, message).hint("to allow them, record the directory once: undo commit")
}

/// Records the directory, and appends the event.
fn record_event(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    options: &AutomaticOptions,
    beside: Beside,
    deadline: Option<Deadline>,
    progress: &dyn Progress,
) -> Result<(Outcome, SavedScan, Vec<Notice>)> {
    let options = snapshot::Options {
        message: options.message.clone(),
        verb: Verb::AutomaticCommit,
        beside: Some(beside),
        deadline,
        ..snapshot::Options::default()
    };
    recording::record(transaction, worktree, &options, progress)
}
