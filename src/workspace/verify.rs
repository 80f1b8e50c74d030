//! Verifies the repository.

use std::time::{Duration, Instant};

use crate::compare::Side;
use crate::error::Result;
use crate::id::CommitId;
use crate::maintain::verify::{self, Deadline, Extent, Finding, Outcome, worktree};
use crate::path::RepoPathBuf;
use crate::progress::Progress;

use super::{DiffOptions, Differences, Workspace};

/// What to verify, and for how long.
#[derive(Clone, Copy, Debug, Default)]
pub struct VerifyOptions {
    /// What to verify.
    pub extent: Extent,
    /// Stop after this time. Then as much as possible of the extent is verified.
    pub max_time: Option<Duration>,
}

impl Workspace {
    /// Reads and checks everything in the repository. Calls `each` for every finding; an error of `each` ends the check
    /// with that error. Writes nothing.
    pub fn verify(&self, each: &mut dyn FnMut(Finding) -> Result<()>, progress: &dyn Progress) -> Result<Outcome> {
        verify::verify(&self.repository, each, progress)
    }

    /// Like [`Workspace::verify`], but checks only as much as the options say. [`Extent::Part`] remembers what it has
    /// read, so that the next call reads other packs.
    pub fn verify_extent(
        &self,
        options: VerifyOptions,
        each: &mut dyn FnMut(Finding) -> Result<()>,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        let end = options.max_time.and_then(|limit| Instant::now().checked_add(limit));
        let is_over = move || end.is_some_and(|end| Instant::now() >= end);
        let deadline = Deadline(options.max_time.is_some().then_some(&is_over));
        verify::verify_extent(&self.repository, (options.extent, deadline), each, progress)
    }

    /// Compares the worktree with a commit by content: reads every file, whatever the index says. Also returns the files
    /// whose content differs from the index although their stat has not changed, sorted by path.
    pub fn verify_worktree(
        &self,
        commit: CommitId,
        progress: &dyn Progress,
    ) -> Result<(Differences<'_>, Vec<RepoPathBuf>)> {
        let old = Side::commit(&self.repository, Some(commit))?;
        let scan = worktree::scan_all(&self.repository, &self.worktree, progress)?;
        let silent = worktree::silent_changes(&self.repository, &scan);
        let options = DiffOptions { renames: None, ..DiffOptions::default() };
        Ok((self.differences(old, Side::Live(Box::new(scan)), options), silent))
    }

    /// Removes these files, sorted by path, from the index, so that the next commands read them. Without this, they trust the
    /// stat of a file that [`Workspace::verify_worktree`] found changed.
    pub fn remove_from_index(&mut self, paths: &[RepoPathBuf]) -> Result<()> {
        let transaction = self.repository.begin()?;
        worktree::remove_from_index(&transaction, paths)
    }
}
