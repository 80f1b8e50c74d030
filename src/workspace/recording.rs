//! Records the directory within a deadline, for manual and automatic commits.

use crate::error::{ErrorKind, Result};
use crate::progress::Progress;
use crate::progress::deadline::{Deadline, UntilDeadline};
use crate::repo::{Repository, Transaction};
use crate::snapshot::{self, Outcome, SavedScan};
use crate::worktree::Worktree;

use super::notice::{self, Notice};

/// Takes the lock before the deadline.
pub(super) fn begin(repository: &mut Repository, deadline: Option<Deadline>) -> Result<Transaction<'_>> {
    let Some(deadline) = deadline else { return repository.begin() };
    repository.begin_within(deadline.remaining()).map_err(|error| match error.kind() {
        ErrorKind::Locked => deadline.passed_waiting(&error),
        _ => error,
    })
}

/// Records the directory, and stops at the deadline of the options.
pub(super) fn record(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    options: &snapshot::Options,
    progress: &dyn Progress,
) -> Result<(Outcome, SavedScan, Vec<Notice>)> {
    transaction.measure_growth();
    let progress = UntilDeadline { progress, deadline: options.deadline };
    let (mut outcome, saved) = snapshot::take(transaction, worktree, options, &progress)?;
    if outcome.created {
        outcome.disk_growth = transaction.disk_growth();
    }
    let notices = notice::of_scan(outcome.damage.as_ref(), saved.scan());
    Ok((outcome, saved, notices))
}
