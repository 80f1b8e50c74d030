//! The state before a running command. `undo run` notes it in its lock file, so that no other command removes what undoing
//! the changes needs.

use std::collections::BTreeSet;

use crate::error::{ErrorKind, Result};
use crate::fs::{self, FileLock};
use crate::id::{CommitId, OperationId};
use crate::object::ObjectKind;
use crate::repo::Repository;
use crate::repo::layout::Layout;

/// Begins the line of the note.
const WORD: &str = "before";

/// Notes in the lock file of a run that its command starts from this commit. `operation` is the newest operation before the
/// run. Call it while holding the lock of the repository. Ignores a full disk, since the command may free space.
pub fn note(lock: &mut FileLock, commit: CommitId, operation: Option<OperationId>) -> Result<()> {
    let operation = operation.map_or_else(|| "none".to_owned(), |id| id.to_string());
    match lock.add_line(&format!("{WORD} {commit} {operation}")) {
        Err(error) if error.kind() == ErrorKind::NoSpace => Ok(()),
        result => result,
    }
}

impl Repository {
    /// The commits that running commands need if their changes are undone: the worktree, branches and tags before each.
    pub fn commits_before_runs(&self) -> Result<BTreeSet<CommitId>> {
        let mut commits = BTreeSet::new();
        for path in self.layout.run_locks()? {
            let text = FileLock::text(&path)?.unwrap_or_default();
            let Some((commit, operation)) = parse(&String::from_utf8_lossy(&text)) else { continue };
            commits.insert(commit);
            let mut refs = self.view().refs.clone();
            for item in self.operations() {
                let (id, later) = item?;
                if id.to_string() == operation {
                    break;
                }
                refs.revert_edits(&later);
            }
            commits.extend(refs.branches.into_values().chain(refs.tags.into_values()));
        }
        commits.retain(|id| self.store().contains(ObjectKind::Commit, id.object_id()));
        Ok(commits)
    }
}

impl Layout {
    /// The lock files of runs in all directories.
    fn run_locks(&self) -> Result<Vec<std::path::PathBuf>> {
        let is_lock = |name: &Vec<u8>| name == b"run" || name.starts_with(b"run-") && !name.contains(&b'.');
        let names = fs::list(&self.repository)?.into_iter().filter(is_lock);
        Ok(names.map(|name| self.repository.join(String::from_utf8_lossy(&name).as_ref())).collect())
    }
}

fn parse(text: &str) -> Option<(CommitId, String)> {
    let note = text.lines().find_map(|line| line.strip_prefix(WORD)?.strip_prefix(' '))?;
    let (commit, operation) = note.split_once(' ')?;
    Some((CommitId::parse(commit)?, operation.to_owned()))
}
