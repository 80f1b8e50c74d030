//! Remembers that the changes of the command of an `undo run` are not recorded: it was killed, or failed. Until something is recorded,
//! the newest operation is not the one that a user expects `undo undo` to revert.

use crate::environment::Durability;
use crate::fs::{self, FileLock};
use crate::id::CommitId;
use crate::repo::Repository;

impl Repository {
    /// Notes that the worktree contains unrecorded changes of a command that starts or started from this commit. Ignores a
    /// failure to write the note.
    pub fn note_unrecorded_run(&self, before: CommitId) {
        let Some(operation) = self.operation() else { return };
        let _ =
            fs::write_atomic(&self.layout.unrecorded_run(), [format!("{operation} {before}\n")], Durability::NoSync);
    }

    /// The commit before an unrecorded command that has ended, if nothing but automatic commits was recorded since.
    pub fn unrecorded_run(&self) -> Option<CommitId> {
        let note = fs::read(&self.layout.unrecorded_run()).ok()??;
        let (operation, commit) = str::from_utf8(&note).ok()?.trim_end().split_once(' ')?;
        if FileLock::text(&self.layout.run_lock()).ok()?.is_some() {
            return None;
        }
        for item in self.operations() {
            let (id, later) = item.ok()?;
            if id.to_string() == operation {
                return CommitId::parse(commit);
            }
            if self.is_own(&later) && !later.is_automatic() {
                return None;
            }
        }
        None
    }

    /// Removes the note, because the worktree no longer contains those changes.
    pub fn forget_unrecorded_run(&self) {
        let _ = fs::remove_file(&self.layout.unrecorded_run());
    }
}
