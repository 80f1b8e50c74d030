//! Removes commits of a directory from a target.

use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;
use crate::target::StreamId;
use crate::transfer::forget;
use crate::workspace::{ForgetOutcome, ForgetSelection, Workspace};

use super::OpenTarget;

impl Workspace {
    /// Like [`Workspace::forget`], for the history of a target that this workspace has: the commits leave the target, and a push sends
    /// them again only if they are named. This cannot be undone; garbage collection of the target frees their space.
    pub fn forget_in_target(
        &mut self,
        selection: &ForgetSelection,
        is_dry_run: bool,
        progress: &dyn Progress,
    ) -> Result<ForgetOutcome> {
        self.read_history_ahead(progress)?;
        let outcome = self.preview_forget(selection, progress)?;
        let Some(history) = &self.remote_history else {
            return Err(Error::new(ErrorKind::Internal, "the workspace does not show a target"));
        };
        if outcome.forgotten() > 0 && !is_dry_run {
            let (id, stream) = &history.stream;
            let change = forget::removal(&self.repository, stream, &outcome.forgotten_commits().collect())?;
            history.objects.write(|target| forget::record(target, *id, stream.link, Some(&change)))?;
        }
        Ok(outcome)
    }
}

impl OpenTarget {
    /// Number of commits of a directory.
    pub fn commits_of(&self, directory: StreamId) -> Result<u64> {
        Ok(self.target.stream(directory)?.commits.len() as u64)
    }

    /// Removes a directory with all its commits. If it is pushed again, everything is sent again.
    pub fn forget_directory(&mut self, directory: StreamId) -> Result<()> {
        let seen = self.target.stream(directory)?.link;
        forget::record(&mut self.target, directory, seen, None).map(drop)
    }
}
