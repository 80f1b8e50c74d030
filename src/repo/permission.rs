//! Explains failures that come from the owner of a repository or of files in it.

use std::path::Path;

use crate::error::{Error, ErrorKind};
use crate::fs::{self, Dir};
use crate::metadata::Metadata;
use crate::quote::shell_path;
use crate::repo::disk::walk;
use crate::repo::layout::Layout;
use crate::repo::sharing;

impl Layout {
    /// Adds a hint to a permission error: the user to run the command as, or the command that returns the repository's
    /// files to their owner.
    pub fn not_permitted(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Permission {
            return error;
        }
        let Some(owner) = self.owner() else { return error };
        if owner.uid != fs::effective_uid() {
            let owner = fs::name_of_user(owner.uid);
            return error.hint(format!("the repository belongs to `{owner}`: run the command as that user"));
        }
        self.explain_owners(error)
    }

    /// Like [`Layout::not_permitted`], for a repository of this user that may not be the cause. Adds a hint only if
    /// other users own files in it.
    pub fn explain_owners(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Permission {
            return error;
        }
        let Some(owner) = self.owner().filter(|owner| owner.uid == fs::effective_uid()) else { return error };
        // Files of a shared repository belong to the group members that created them.
        let is_shared = owner.mode == sharing::SHARED.folder;
        let Some(stranger) = other_owner(&self.repository, owner.uid).filter(|_| !is_shared) else { return error };
        let (user, group) = (fs::name_of_user(owner.uid), fs::name_of_group(owner.gid));
        let folder = shell_path(&self.repository);
        let stranger = fs::name_of_user(stranger);
        error.hint(format!(
            "files in the repository belong to `{stranger}`; to return them: sudo chown -R {user}:{group} {folder}"
        ))
    }

    /// User and group of the repository; `None` if its folder cannot be read.
    pub fn owner(&self) -> Option<Metadata> {
        // `.undo` may be a link.
        let folder = Dir::open(&self.repository).and_then(|folder| folder.stat_self());
        let stat = folder.ok().or_else(|| fs::stat(&self.repository).ok().flatten())?;
        Some(stat.metadata)
    }
}

/// Owner of the first file below a folder that does not belong to this user. Ends at a folder that cannot be listed.
fn other_owner(folder: &Path, user: u32) -> Option<u32> {
    let mut found = None;
    let folder = Dir::open(folder).ok()?;
    let _ = walk(&folder, &mut |_, _, stat| {
        found = found.or(Some(stat.metadata.uid).filter(|owner| *owner != user));
        Ok(())
    });
    found
}
