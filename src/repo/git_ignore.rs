//! `.gitignore` in the repository folder. Without it git, where the worktree is one of git's too, takes the history for
//! untracked files: `git clean` removes it, `git stash -u` hides it, `git add -A` records it.

use crate::error::Result;
use crate::fs;
use crate::repo::layout::Layout;

/// Matches everything in the folder, the file itself included.
const RULES: &str = "*\n";

/// Writes the file if it is not there. It is not flushed: the next command that writes makes it again.
pub fn ensure(layout: &Layout) -> Result<()> {
    let path = layout.git_ignore();
    if fs::exists(&path)? { Ok(()) } else { fs::write_atomic(&path, [RULES], false) }
}
