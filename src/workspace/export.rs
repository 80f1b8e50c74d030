//! Exports commits.

use std::io::Write;
use std::path::Path;

use crate::checkout::Target;
use crate::error::Result;
use crate::export::{Compression, Destination, Exported, export, export_to};
use crate::id::CommitId;
use crate::progress::Progress;

use super::Workspace;

impl Workspace {
    /// Exports a commit to a new `.tar`, `.tar.gz` or `.tar.zst` file, or to a new or empty directory, outside the repository.
    /// Overwrites nothing. As root, `trust_owner` also restores owners, set-id bits, capabilities and devices recorded by
    /// another user.
    ///
    /// A failed or cancelled export leaves no file, or an empty directory.
    pub fn export(
        &self,
        commit: CommitId,
        destination: &Path,
        trust_owner: bool,
        progress: &dyn Progress,
    ) -> Result<Exported> {
        let target = Target::commit(self.repository.store(), commit)?;
        export_to(&self.repository, &target, &self.directory.join(destination), trust_owner, progress)
    }

    /// Writes a commit as a tar archive (POSIX pax).
    pub fn export_tar(&self, commit: CommitId, to: &mut dyn Write, progress: &dyn Progress) -> Result<Exported> {
        let store = self.repository.store();
        export(store, &Target::commit(store, commit)?, Destination::Tar(to, Compression::None), progress)
    }
}
