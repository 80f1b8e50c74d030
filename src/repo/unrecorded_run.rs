//! Remembers that `undo run` could not record the changes of its command. Until something is recorded, the newest
//! operation is not the one that a user expects `undo undo` to revert.

use crate::environment::Durability;
use crate::fs;
use crate::id::CommitId;
use crate::repo::Repository;

impl Repository {
    /// Notes that the worktree contains unrecorded changes of a command that started from this commit. Ignores a
    /// failure to write the note.
    pub fn note_unrecorded_run(&self, before: CommitId) {
        let Some(operation) = self.operation() else { return };
        let _ =
            fs::write_atomic(&self.layout.unrecorded_run(), [format!("{operation} {before}\n")], Durability::NoSync);
    }

    /// The commit before an unrecorded command, if nothing was recorded since.
    pub fn unrecorded_run(&self) -> Option<CommitId> {
        let note = fs::read(&self.layout.unrecorded_run()).ok()??;
        let (operation, commit) = str::from_utf8(&note).ok()?.trim_end().split_once(' ')?;
        let is_newest = self.operation().is_some_and(|newest| newest.to_string() == operation);
        CommitId::parse(commit).filter(|_| is_newest)
    }

    /// Removes the note, because the worktree no longer contains those changes.
    pub fn forget_unrecorded_run(&self) {
        let _ = fs::remove_file(&self.layout.unrecorded_run());
    }
}
