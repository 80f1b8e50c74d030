//! Records the worktree before and after a command, and undoes the changes of the command. No lock is held while the command
//! runs, since the command may call `undo` itself.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use crate::alarm::Findings;
use crate::checkout;
use crate::effect::Effect;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, FileLock};
use crate::history::timeline::Timeline;
use crate::id::{CommitId, OperationId};
use crate::object::operation::Verb;
use crate::object::{Objects, RunInfo, run_info};
use crate::progress::Progress;
use crate::quote::shell_path;
use crate::repo::layout::{Attachment, Layout};
use crate::repo::running;
use crate::snapshot::{self, Outcome, SavedScan};
use crate::time::Timestamp;
use crate::worktree::Worktree;
use crate::worktree::ignore::IgnoreWarning;

use super::{CheckoutMode, Notice, Workspace, notice};

/// The variable that tells a command and its children which directory `undo run` records.
pub(crate) const INSIDE_RUN: &str = "UNDO_RUN";

/// Whether the command of an `undo run` in this directory has started this process.
pub(crate) fn is_inside_run(worktree: &Path) -> bool {
    fs::variable(INSIDE_RUN).is_some_and(|directory| directory == worktree.as_os_str().as_bytes())
}

/// The worktree before a command.
pub struct RunBefore {
    /// The commit that holds it.
    pub commit: CommitId,
    /// The newest operation before the run.
    pub newest: Option<OperationId>,
    /// The outcome of recording it.
    pub outcome: Outcome,
    /// The operation that recorded what was unsaved, if anything was.
    recorded: Option<OperationId>,
    /// When the command began.
    began: Timestamp,
    ignore_warnings: Vec<IgnoreWarning>,
}

/// Blocks other runs in the worktree until dropped.
#[must_use]
pub struct RunLock {
    lock: FileLock,
}

/// The changes of the command.
pub struct RunAfter {
    /// The commit that holds it; the same as before if nothing changed.
    pub commit: CommitId,
    /// Changed paths.
    pub effect: Effect,
    /// Alarms about the changes.
    pub findings: Findings,
    /// The outcome of recording it.
    pub outcome: Outcome,
}

impl Workspace {
    /// Blocks other runs in this worktree until the returned lock is dropped, so that the changes of one command are not
    /// recorded as those of another.
    pub fn lock_run(&self) -> Result<RunLock> {
        self.repository.begin_run().map(|lock| RunLock { lock })
    }

    /// Records the worktree before a command. Until the lock is dropped, no command removes what undoing the changes needs.
    pub fn record_before_run(
        &mut self,
        run: &mut RunLock,
        command: &[Vec<u8>],
        progress: &dyn Progress,
    ) -> Result<RunBefore> {
        let mut transaction = self.repository.begin()?;
        checkout::check_no_mix(transaction.repository()).map_err(finish_first)?;
        let newest = transaction.repository().operation();
        let message = format!("before run {}", run_info::short(command));
        let options = snapshot::Options { message, automatic: true, verb: Verb::Run, ..snapshot::Options::default() };
        let (outcome, saved) = snapshot::take(&mut transaction, &self.worktree, &options, progress)?;
        running::note(&mut run.lock, recorded_commit(&outcome)?, newest)?;
        transaction.repository().note_unrecorded_run(recorded_commit(&outcome)?);
        let recorded = transaction.repository().operation().filter(|it| Some(*it) != newest);
        self.notices.extend(notice::of_scan(outcome.damage.as_ref(), saved.scan()));
        let began = self.repository.environment.now();
        let (commit, ignore_warnings) = (recorded_commit(&outcome)?, saved.scan().ignore_warnings.clone());
        Ok(RunBefore { commit, newest, outcome, recorded, began, ignore_warnings })
    }

    /// Records what a command did, as one action with what was recorded before, unless the command recorded something
    /// itself. `on_wait` is called if another command holds the lock.
    pub fn record_after_run(
        &mut self,
        before: &RunBefore,
        ran: &RunInfo,
        message: Option<&str>,
        on_wait: &dyn Fn(&Error),
        progress: &dyn Progress,
    ) -> Result<RunAfter> {
        let options = snapshot::Options {
            message: message.map_or_else(|| ran.short(), str::to_owned),
            verb: Verb::Run,
            ran: Some(ran.clone()),
            from: Some(before.commit),
            ..snapshot::Options::default()
        };
        let taken = self.take_after_run(before, &options, on_wait, progress);
        let (outcome, saved) = taken.map_err(|error| self.explain_unrecorded(before, error))?;
        self.repository.forget_unrecorded_run();
        let scan = saved.scan();
        let notices = notice::of_scan(outcome.damage.as_ref(), scan).into_iter().filter(|notice| match notice {
            Notice::IgnoreRules(warnings) => *warnings != before.ignore_warnings,
            Notice::IndexFailure(_) => false,
            _ => true,
        });
        self.notices.extend(notices);
        let (store, commit) = (self.repository.store(), recorded_commit(&outcome)?);
        let (old, new) = (store.commit(before.commit)?, store.commit(commit)?);
        let effect = Effect::between(store, &old, &new, &scan.ignored)?;
        let is_same = (old.root, old.links) == (new.root, new.links);
        let commit = if is_same { before.commit } else { commit };
        Ok(RunAfter { commit, effect, findings: outcome.findings.clone(), outcome })
    }

    fn take_after_run(
        &mut self,
        before: &RunBefore,
        options: &snapshot::Options,
        on_wait: &dyn Fn(&Error),
        progress: &dyn Progress,
    ) -> Result<(Outcome, SavedScan)> {
        // The command may have put another directory in its place.
        self.worktree =
            Worktree::of(&self.repository).map_err(|error| explain_removed(&self.repository.layout, error))?;
        let marker = self.repository.layout.marker();
        match self.repository.restore_marker() {
            Ok(false) => {}
            Ok(true) => self.notices.push(Notice::DeletedMarker { marker, failure: None }),
            Err(error) => self.notices.push(Notice::DeletedMarker { marker, failure: Some(Arc::new(error)) }),
        }
        let mut transaction = self.repository.begin_waiting(on_wait)?;
        checkout::check_no_mix(transaction.repository()).map_err(finish_first)?;
        transaction.continue_action(before.recorded, before.began);
        snapshot::take(&mut transaction, &self.worktree, options, progress)
    }

    fn explain_unrecorded(&self, before: &RunBefore, error: Error) -> Error {
        match error.kind() {
            ErrorKind::Interrupted => {
                error.hint("its changes are in the directory but not recorded; to record them: undo commit")
            }
            ErrorKind::NoSpace => {
                self.repository.note_unrecorded_run(before.commit);
                let back = before.commit.short();
                error
                    .context("its changes are NOT recorded, but are still in the directory")
                    .hint(format!("free some space, then restore the state before it: undo checkout {back}"))
            }
            _ => error,
        }
    }

    /// Undoes the changes of a command, and all operations since. Also returns the operation that restores the changes, if
    /// `redo` does not.
    pub fn undo_run(
        &mut self,
        before: &RunBefore,
        progress: &dyn Progress,
    ) -> Result<(checkout::Outcome, Option<OperationId>)> {
        let destination = Timeline::open(&self.repository).back_to(before.newest, before.commit)?;
        let newest = self.repository.operation();
        // A command that ran `undo undo` itself has left its changes on another line of operations.
        let is_ahead = destination.undo_position.is_some_and(|undo_position| undo_position.tip == newest);
        let prepared = self.prepare_step(destination, Verb::Undo, CheckoutMode::default(), progress);
        let outcome = prepared.and_then(|prepared| prepared.apply(progress)).map_err(|error| {
            let is_recorded = newest != before.newest;
            self.explain_failed_undo(error, is_recorded)
        })?;
        Ok((outcome, newest.filter(|_| !is_ahead)))
    }

    fn explain_failed_undo(&self, error: Error, is_recorded: bool) -> Error {
        let hint = match (error.kind(), is_recorded) {
            (ErrorKind::Refused, false) => Some("make it readable, or move it away, then: undo checkout @"),
            (ErrorKind::Refused, true) => Some("to save the files in the way and undo the changes: undo undo --force"),
            // A checkout that ran out of space has its own hint for finishing it.
            (ErrorKind::NoSpace, _) if self.repository.unfinished().is_some() => None,
            (ErrorKind::NoSpace, false) => Some("free some space, then undo the changes: undo checkout @"),
            (ErrorKind::NoSpace, true) => Some("free some space, then undo the changes: undo undo"),
            _ => None,
        };
        let error = error.context(match is_recorded {
            true => "its changes are recorded but not undone",
            false => "its changes are not undone",
        });
        match hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

fn recorded_commit(outcome: &Outcome) -> Result<CommitId> {
    outcome.commit.ok_or_else(|| Error::new(ErrorKind::Internal, "no commit holds the directory that was recorded"))
}

/// Names the command that revives a directory that no longer exists.
fn explain_removed(layout: &Layout, error: Error) -> Error {
    let directory = &layout.worktree;
    if !matches!(layout.attachment, Attachment::Store(_)) || fs::exists(directory).unwrap_or(true) {
        return error;
    }
    let (word, store) = (shell_path(directory), shell_path(&layout.repository));
    let revival = match layout.is_outside() {
        true => format!("undo revive {word}"),
        false => format!("undo init {word} --store {store} && undo -C {word} checkout @"),
    };
    Error::new(ErrorKind::NotFound, format!("`{}` was removed", directory.display()))
        .hint(format!("to revive it: {revival}"))
}

fn finish_first(error: Error) -> Error {
    error.hint("finish it with `undo checkout --continue`, or undo it with `undo undo`")
}
