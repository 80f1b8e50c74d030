//! What a prepared checkout will do, for display.

use crate::checkout::{Action, Outcome};
use crate::path::RepoPathBuf;

use super::{Lock, PreparedCheckout};
use crate::workspace::Notice;

impl PreparedCheckout<'_> {
    /// The changes of files, in path order.
    pub fn actions(&self) -> impl Iterator<Item = Action> + '_ {
        self.files.iter().flat_map(|files| files.plan.actions()).filter(Action::is_worth_counting)
    }

    /// Whether only branches and tags change.
    pub fn changes_only_refs(&self) -> bool {
        self.files.is_none()
    }

    /// Number of entries that are already as in the wanted commit.
    pub fn unchanged(&self) -> u64 {
        self.files.as_ref().map_or(0, |files| files.plan.unchanged)
    }

    /// Whether there are unsaved changes, which `apply` records first.
    pub fn is_unsaved(&self) -> bool {
        self.files.as_ref().is_some_and(|files| files.is_unsaved)
    }

    /// Content in the way that no commit holds.
    pub fn conflicts(&self) -> &[RepoPathBuf] {
        self.files.as_ref().map_or(&[], |files| &files.plan.conflicts)
    }

    /// Directories that `apply` will open for their owner. The actions do not include what will change in them.
    pub fn closed_directories(&self) -> &[RepoPathBuf] {
        self.files.as_ref().map_or(&[], |files| &files.closed)
    }

    /// The outcome if everything goes as planned. `None` unless this is a dry run that is not refused.
    pub fn expected(&self) -> Option<&Outcome> {
        self.files.as_ref()?.expected.as_ref()
    }

    /// Notices so far.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        match &mut self.lock {
            Lock::Free(workspace) => workspace.take_notices(),
            Lock::Held(held) => std::mem::take(held.notices),
        }
    }
}
