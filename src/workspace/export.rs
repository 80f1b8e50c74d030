//! Exports commits.

use std::io::Write;
use std::path::Path;

use crate::error::Result;
use crate::export::{Compression, Destination, Exported, Source, export, export_to};
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::path::selection::PathSelection;
use crate::progress::Progress;

use super::Workspace;
#[cfg(feature = "targets")]
use super::targets::cancel::CancelledBySignals;

impl Workspace {
    /// Exports a directory of a commit (the root for the whole commit), or the selected paths in it, to a new `.tar`, `.tar.gz` or `.tar.zst` file, or to a
    /// new or empty directory, outside the repository. Overwrites nothing. As root, `trust_owner` also restores owners,
    /// set-id bits, capabilities and devices recorded by another user.
    ///
    /// A failed or cancelled export leaves no file, or an empty directory.
    pub fn export(
        &self,
        commit: CommitId,
        path: &RepoPath,
        selection: &PathSelection,
        destination: &Path,
        trust_owner: bool,
        progress: &dyn Progress,
    ) -> Result<Exported> {
        let destination = self.directory.join(destination);
        #[cfg(feature = "targets")]
        self.fetch_for_export(commit, path, selection, Some(&destination), progress)?;
        #[cfg(feature = "targets")]
        let progress = &CancelledBySignals { progress, left: "nothing was exported" };
        let source = self.source(commit, path, selection)?;
        let exported = export_to(&self.repository, source, &destination, trust_owner, progress)?;
        Ok(exported.of_directory(path))
    }

    /// Writes a directory of a commit as a tar archive (POSIX pax).
    pub fn export_tar(
        &self,
        commit: CommitId,
        path: &RepoPath,
        selection: &PathSelection,
        to: &mut dyn Write,
        progress: &dyn Progress,
    ) -> Result<Exported> {
        #[cfg(feature = "targets")]
        self.fetch_for_export(commit, path, selection, None, progress)?;
        #[cfg(feature = "targets")]
        let progress = &CancelledBySignals { progress, left: "the archive is incomplete" };
        let store = self.repository.store();
        let source = self.source(commit, path, selection)?;
        Ok(export(store, source, Destination::Tar(to, Compression::None), progress)?.of_directory(path))
    }

    fn source(&self, commit: CommitId, path: &RepoPath, selection: &PathSelection) -> Result<Source> {
        let store = self.repository.store();
        if selection.is_all() {
            return Source::directory(store, commit, path, None);
        }
        let paths = self.paths_in(commit, selection)?;
        Source::directory(store, commit, path, Some(&paths))
    }
}
