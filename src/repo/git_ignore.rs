//! Writes `.gitignore` into the repository folder. Without it, git treats the history in a git worktree as untracked
//! files: `git clean` removes it, `git stash -u` hides it, `git add -A` records it.

use crate::environment::Durability;
use crate::error::Result;
use crate::fs;
use crate::repo::layout::Layout;

/// Matches everything in the folder, including this file.
const RULES: &str = "*\n";

/// Writes the file if it does not exist. Not flushed, because the next command that writes creates the file again.
pub fn ensure(layout: &Layout) -> Result<()> {
    let path = layout.git_ignore();
    if fs::exists(&path)? { Ok(()) } else { fs::write_atomic(&path, [RULES], Durability::NoSync) }
}
