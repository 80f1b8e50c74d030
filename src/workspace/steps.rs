//! Steps through operations: undo, redo, and restoring the state after any operation.

use std::collections::HashSet;

use crate::compare;
use crate::error::{Error, ErrorKind, Result};
use crate::history::suggestions;
use crate::history::timeline::{Action, Destination, Here, Timeline};
use crate::id::CommitId;
use crate::object::operation::Verb;
use crate::object::{ObjectKind, Objects};
use crate::progress::Progress;
use crate::snapshot::{self, SavedScan};

use super::purge;
use super::request::Request;
use super::{CheckoutMode, PreparedCheckout, Workspace};

/// A state to restore, and the scan of the directory that found it.
pub struct Step {
    /// The state.
    pub destination: Destination,
    /// Saved by the event that recorded the directory, unless the state does not depend on the directory.
    scan: Option<SavedScan>,
}

impl From<Destination> for Step {
    fn from(destination: Destination) -> Step {
        Step { destination, scan: None }
    }
}

impl Workspace {
    /// Finds the state before the last `steps` operations. An unfinished checkout counts as the last operation, and the last
    /// event whose state differs from the directory as the state before one. Unless it is a dry run, the directory is then
    /// recorded first, in an event that `redo` leads to.
    pub fn find_undo(&mut self, steps: usize, dry_run: bool, progress: &dyn Progress) -> Result<Step> {
        self.repository.check_same_worktree()?;
        if let Some(before) = self.repository.unrecorded_run() {
            self.check_run_is_recorded(before, progress)?;
        }
        let (mut timeline, state, scan) = self.timeline_for_step(true, steps, dry_run, progress)?;
        let is_same = |a, b| snapshot::is_same_content(&self.repository, a, b);
        let here = Here { commit: state, is_same: &is_same };
        let purge = purge::revertible(&self.repository, &mut timeline)?;
        let is_passed = |action: &Action| {
            let is_older_purge = action.is_purge() && Some(action.id) != purge;
            is_older_purge || action.is_revival() || self.forgot_what_is_gone(action)
        };
        let mut destination = self.existing_state(steps, &is_passed, |steps| match self.repository.unfinished() {
            Some(intent) => timeline.back_before(intent, steps),
            None => timeline.back(steps, &here),
        })?;
        let unpurged = destination.crossed.iter().flat_map(|action| &action.last.history.purges).map(|blob| blob.id);
        destination.history.unpurges = unpurged.collect();
        Ok(Step { destination, scan })
    }

    /// Finds the state after redoing `steps` undone operations. Fails if another operation followed the undo.
    pub fn find_redo(&mut self, steps: usize, dry_run: bool, progress: &dyn Progress) -> Result<Step> {
        let (mut timeline, state, scan) = self.timeline_for_step(false, steps, dry_run, progress)?;
        let is_same = |a, b| snapshot::is_same_content(&self.repository, a, b);
        let here = Here { commit: state, is_same: &is_same };
        let view = self.repository.view();
        let is_passed =
            |action: &Action| action.is_still_purged(view) || action.is_revival() || self.forgot_what_is_gone(action);
        let mut destination = self.existing_state(steps, &is_passed, |steps| timeline.forward(steps, &here))?;
        let purges = destination.crossed.iter().flat_map(|action| &action.last.history.purges);
        destination.history.purges = purges.copied().collect();
        Ok(Step { destination, scan })
    }

    /// The timeline, and if the next steps depend on the directory, the commit that holds it and its scan.
    fn timeline_for_step(
        &mut self,
        is_back: bool,
        steps: usize,
        dry_run: bool,
        progress: &dyn Progress,
    ) -> Result<(Timeline, Option<CommitId>, Option<SavedScan>)> {
        let mut timeline = Timeline::open(&self.repository);
        if self.repository.unfinished().is_some() || !timeline.depends_on_state(is_back, steps)? {
            return Ok((timeline, None, None));
        }
        let last = timeline.event_here()?;
        let (state, scan) = self.recorded_state(last, dry_run, progress)?;
        // Recording may have appended an event.
        Ok((Timeline::open(&self.repository), state, scan))
    }

    /// Finds the state after an operation, named by its id or a prefix of the id.
    pub fn find_operation(&self, operation: &str) -> Result<Destination> {
        let mut timeline = Timeline::open(&self.repository);
        let id = timeline.find(operation)?.id;
        let mut destination = timeline.restore(id)?;
        (destination.passed, destination.crossed) = destination.crossed.into_iter().partition(Action::is_purge);
        match self.gone_commit(&destination) {
            Some(gone) => Err(needs_gone(gone)),
            None => Ok(self.without_gone(destination)),
        }
    }

    /// Finds the destination `steps` steps away. States that need a commit that no longer exists are passed over, and do not
    /// count. [`ErrorKind::NotFound`] if such a state is the last one with a commit.
    fn existing_state(
        &self,
        steps: usize,
        is_passed: &dyn Fn(&Action) -> bool,
        mut find: impl FnMut(usize) -> Result<Destination>,
    ) -> Result<Destination> {
        if self.repository.state().sweep.is_none() && self.repository.view().forgotten.is_empty() {
            return self.pass_over(steps, is_passed, find).map(|destination| self.without_gone(destination));
        }
        let (mut left, mut skipped, mut missing) = (steps, 0, None);
        loop {
            let destination = match self.pass_over(steps - left + skipped + 1, is_passed, &mut find) {
                Err(error) if error.kind() == ErrorKind::NotFound => return Err(missing.map_or(error, needs_gone)),
                destination => destination?,
            };
            if let Some(gone) = missing.filter(|_| destination.refs.at().is_none()) {
                return Err(needs_gone(gone));
            }
            missing = self.gone_commit(&destination);
            match missing {
                Some(_) => skipped += 1,
                None => left -= 1,
            }
            if left == 0 {
                return Ok(Destination { skipped: skipped as u64, ..self.without_gone(destination) });
            }
        }
    }

    /// Finds the destination `steps` steps away. Operations that `is_passed` selects have no effect and do not count.
    fn pass_over(
        &self,
        steps: usize,
        is_passed: &dyn Fn(&Action) -> bool,
        mut find: impl FnMut(usize) -> Result<Destination>,
    ) -> Result<Destination> {
        let mut passed: Vec<Action> = Vec::new();
        loop {
            let mut destination = match find(steps + passed.len()) {
                Err(error) if error.kind() == ErrorKind::NotFound && passed.iter().any(Action::is_purge) => {
                    return Err(error.context("a purge is undone only directly after it"));
                }
                Err(error) if error.kind() == ErrorKind::NotFound && !passed.iter().all(Action::is_revival) => {
                    return Err(error.context("the commits of the last `undo forget` no longer exist"));
                }
                destination => destination?,
            };
            let found;
            (found, destination.crossed) = destination.crossed.into_iter().partition(is_passed);
            if found.len() == passed.len() {
                destination.passed = found;
                return Ok(destination);
            }
            passed = found;
        }
    }

    /// Whether an action did nothing but forget commits that no longer exist.
    fn forgot_what_is_gone(&self, action: &Action) -> bool {
        let operation = &action.last;
        let is_forget = operation.verb == Verb::Forget && action.before.is_empty();
        is_forget && operation.history.forgets.iter().all(|commit| !self.exists(commit.id))
    }

    fn exists(&self, id: CommitId) -> bool {
        self.repository.store().contains(ObjectKind::Commit, id.object_id())
    }

    /// The commit that a ref or the worktree would need in a state, but that was forgotten and no longer exists.
    fn gone_commit(&self, destination: &Destination) -> Option<CommitId> {
        let edits = destination.refs.edits_from(self.repository.view());
        let mut needed = edits.iter().filter_map(|edit| edit.new).chain(destination.worktree);
        needed.find(|id| suggestions::is_swept(&self.repository, *id))
    }

    /// Leaves out the commits that the state would have, but that no longer exist, and counts them.
    fn without_gone(&self, mut destination: Destination) -> Destination {
        let passed = destination.passed.iter().flat_map(|action| &action.last.history.forgets).map(|commit| commit.id);
        let passed: HashSet<CommitId> = passed.collect();
        let recalls = destination.history.recalls.iter().map(|commit| commit.id);
        destination.gone = recalls.filter(|id| !passed.contains(id) && !self.exists(*id)).count() as u64;
        destination.history.recalls.retain(|commit| self.exists(commit.id));
        destination.history.forgets.retain(|commit| self.exists(commit.id));
        destination
    }

    /// Prepares to restore a state that one of the functions above found. `verb` is undo, redo or op restore.
    ///
    /// Not to be delayed: paths that other programs change after the state was found are left alone.
    pub fn prepare_step(
        &mut self,
        step: impl Into<Step>,
        verb: Verb,
        mode: CheckoutMode,
        progress: &dyn Progress,
    ) -> Result<PreparedCheckout<'_>> {
        let Step { destination, scan } = step.into();
        let request = Request::new(destination.worktree, verb, mode);
        let history = destination.history.clone();
        self.prepare(Request { destination: Some(destination), history, scan, ..request }, progress)
    }

    /// [`ErrorKind::Refused`] while the directory contains unrecorded changes of a run: the user means to revert that run,
    /// not the operation before it.
    fn check_run_is_recorded(&self, before: CommitId, progress: &dyn Progress) -> Result<()> {
        let scan = compare::scan_worktree(&self.repository, &self.worktree, &[], progress)?;
        let at = self.repository.view().at().map(|id| self.repository.store().commit(id)).transpose()?;
        if at.is_some_and(|commit| commit.root.is_same_but_time(&scan.root) && commit.links == scan.links) {
            self.repository.forget_unrecorded_run();
            return Ok(());
        }
        let message = "the changes of the last `undo run` are not recorded, so `undo undo` cannot undo them";
        Err(Error::new(ErrorKind::Refused, message)
            .hint(format!("to restore the state before that run: undo checkout {}", before.short())))
    }
}

/// The error for a state that cannot be restored.
fn needs_gone(gone: CommitId) -> Error {
    let message = format!("that state needs commit {}, which was forgotten and no longer exists", gone.short());
    Error::new(ErrorKind::NotFound, message).hint("to list operations: undo op log")
}
