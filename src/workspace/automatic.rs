//! Automatic commits: hooks, agents and cron jobs record the directory beside the branch.

use std::time::Duration;

use crate::error::{ErrorKind, Result};
use crate::object::Extras;
use crate::object::operation::Verb;
use crate::progress::Progress;
use crate::progress::deadline::{Deadline, UntilDeadline};
use crate::repo::{Repository, Transaction};
use crate::snapshot::{self, Beside, Outcome, SavedScan};
use crate::worktree::Worktree;

use super::{Workspace, notice};

/// What to record automatically.
#[derive(Clone, Debug, Default)]
pub struct AutomaticOptions {
    /// Commit message, and description of the event.
    pub message: String,
    /// Fields of the event.
    pub extras: Extras,
    /// Time from now in which the event must be recorded, waiting for the lock included. [`ErrorKind::NotInTime`] otherwise.
    pub deadline: Option<Duration>,
}

/// Outcome of an automatic commit.
#[derive(Clone, Debug)]
pub enum AutomaticOutcome {
    /// The event is recorded. `commit` of the outcome is the state of the directory, which is new if `created`.
    Recorded(Box<Outcome>),
    /// Nothing is recorded, because `undo run` is running a command in the directory and records it.
    RunIsRunning,
    /// Nothing is recorded, because an unfinished checkout has left the directory half old, half new.
    CheckoutIsUnfinished,
}

impl Workspace {
    /// Records the directory in an automatic commit, which moves no branch, and appends an event.
    pub fn commit_automatically(
        &mut self,
        options: &AutomaticOptions,
        progress: &dyn Progress,
    ) -> Result<AutomaticOutcome> {
        let deadline = options.deadline.map(Deadline::after);
        if self.repository.is_run_running()? {
            return Ok(AutomaticOutcome::RunIsRunning);
        }
        let mut transaction = begin(&mut self.repository, deadline)?;
        // Again under the lock: `undo run` takes its lock before that of the repository.
        if transaction.repository().is_run_running()? {
            return Ok(AutomaticOutcome::RunIsRunning);
        }
        if transaction.repository().unfinished().is_some() {
            return Ok(AutomaticOutcome::CheckoutIsUnfinished);
        }
        transaction.measure_growth();
        let beside = Beside::of(transaction.repository(), options.extras.clone())?;
        let options = snapshot::Options {
            message: options.message.clone(),
            verb: Verb::AutomaticCommit,
            beside: Some(beside),
            deadline,
            ..snapshot::Options::default()
        };
        let (mut outcome, saved) = take(&mut transaction, &self.worktree, &options, progress)?;
        self.notices.extend(notice::of_scan(outcome.damage.as_ref(), saved.scan()));
        if outcome.created {
            outcome.disk_growth = transaction.disk_growth();
        }
        Ok(AutomaticOutcome::Recorded(Box::new(outcome)))
    }
}

/// Takes the lock before the deadline.
pub(super) fn begin(repository: &mut Repository, deadline: Option<Deadline>) -> Result<Transaction<'_>> {
    let Some(deadline) = deadline else { return repository.begin() };
    repository.begin_within(deadline.remaining()).map_err(|error| match error.kind() {
        ErrorKind::Locked => deadline.passed_waiting(&error),
        _ => error,
    })
}

/// Records the directory, and stops at the deadline of the options.
pub(super) fn take(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    options: &snapshot::Options,
    progress: &dyn Progress,
) -> Result<(Outcome, SavedScan)> {
    let Some(deadline) = options.deadline else { return snapshot::take(transaction, worktree, options, progress) };
    snapshot::take(transaction, worktree, options, &UntilDeadline { progress, deadline })
}
