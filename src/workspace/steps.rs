//! Steps through operations: undo, redo, and restoring the state after any operation.

use crate::compare;
use crate::error::{Error, ErrorKind, Result};
use crate::history::timeline::{Destination, Timeline};
use crate::id::CommitId;
use crate::object::Objects;
use crate::object::operation::Verb;
use crate::progress::Progress;

use super::request::Request;
use super::{CheckoutMode, PreparedCheckout, Workspace};

impl Workspace {
    /// Finds the state before the last `steps` operations. An unfinished checkout counts as the last operation.
    pub fn find_undo(&mut self, steps: usize, progress: &dyn Progress) -> Result<Destination> {
        self.repository.check_same_worktree()?;
        if let Some(before) = self.repository.unrecorded_run() {
            self.check_run_is_recorded(before, progress)?;
        }
        let mut timeline = Timeline::open(&self.repository);
        match self.repository.unfinished() {
            Some(intent) => timeline.back_before(intent, steps),
            None => timeline.back(steps),
        }
    }

    /// Finds the state after redoing `steps` undone operations. Fails if another operation followed the undo.
    pub fn find_redo(&self, steps: usize) -> Result<Destination> {
        Timeline::open(&self.repository).forward(steps)
    }

    /// Finds the state after an operation, named by its id or a prefix of the id.
    pub fn find_operation(&self, operation: &str) -> Result<Destination> {
        let mut timeline = Timeline::open(&self.repository);
        let id = timeline.find(operation)?.id;
        timeline.restore(id)
    }

    /// Prepares to restore a state that one of the functions above found. `verb` is undo, redo or op restore.
    pub fn prepare_step(
        &mut self,
        destination: Destination,
        verb: Verb,
        mode: CheckoutMode,
        progress: &dyn Progress,
    ) -> Result<PreparedCheckout<'_>> {
        let request = Request::new(destination.worktree, verb, mode);
        self.prepare(Request { destination: Some(destination), ..request }, progress)
    }

    /// [`ErrorKind::Refused`] while the directory contains unrecorded changes of a run: the user means to revert that run,
    /// not the operation before it.
    fn check_run_is_recorded(&self, before: CommitId, progress: &dyn Progress) -> Result<()> {
        let scan = compare::scan_worktree(&self.repository, &self.worktree, &[], progress)?;
        let at = self.repository.view().at().map(|id| self.repository.store().commit(id)).transpose()?;
        if at.is_some_and(|commit| commit.root.tree() == scan.root.tree()) {
            self.repository.forget_unrecorded_run();
            return Ok(());
        }
        let message = "the changes of the last `undo run` are not recorded, so `undo undo` cannot undo them";
        Err(Error::new(ErrorKind::Refused, message)
            .hint(format!("to restore the state before that run: undo checkout {}", before.short())))
    }
}
