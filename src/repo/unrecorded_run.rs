//! Notes that `undo run` could not record what its command did. Until something is recorded, the newest operation is not what
//! a user would take back.

use crate::fs;
use crate::id::CommitId;
use crate::repo::Repository;

impl Repository {
    /// Notes that the worktree holds what a command did after this commit. Without space even for that, nothing is noted.
    pub fn note_unrecorded_run(&self, before: CommitId) {
        let Some(operation) = self.operation() else { return };
        let _ = fs::write_atomic(&self.layout.unrecorded_run(), [format!("{operation} {before}\n")], false);
    }

    /// The commit before a command that is not recorded, if nothing was recorded since.
    pub fn unrecorded_run(&self) -> Option<CommitId> {
        let note = fs::read(&self.layout.unrecorded_run()).ok()??;
        let (operation, commit) = str::from_utf8(&note).ok()?.trim_end().split_once(' ')?;
        let is_newest = self.operation().is_some_and(|newest| newest.to_string() == operation);
        CommitId::parse(commit).filter(|_| is_newest)
    }

    /// Removes the note: the worktree holds nothing of it any more.
    pub fn forget_unrecorded_run(&self) {
        let _ = fs::remove_file(&self.layout.unrecorded_run());
    }
}
