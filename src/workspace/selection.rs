//! Resolves paths, patterns and exclusions, and finds the paths that they select.

use std::path::PathBuf;

use crate::compare::scan_worktree;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history;
use crate::id::CommitId;
use crate::object::tree_cursor::TreeCursor;
use crate::object::{Entry, Objects};
use crate::path::selection::PathSelection;
use crate::path::set::PathSet;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::worktree::{Overlay, paths};

use super::Workspace;

impl Workspace {
    /// Path arguments, relative to the directory that was opened, as a selection of paths in the worktree: paths, patterns
    /// (`*.csv`) and exclusions (`:!*.tmp`), as git's pathspecs. The name of a path that exists, or that the current commit or
    /// one of these commits has, means that path, even if it has wildcards.
    pub fn select_paths(&self, arguments: &[PathBuf], commits: &[CommitId]) -> Result<PathSelection> {
        let is_path = |path: &RepoPath| {
            let is_live = || fs::exists(&self.repository.layout.worktree.join(path.as_path())).unwrap_or(false);
            let mut commits = commits.iter().copied().chain(self.repository.view().at());
            is_live() || commits.any(|id| self.recorded_entry(id, path).is_some())
        };
        paths::select(&self.repository.layout.worktree, &self.directory, arguments, &is_path)
    }

    fn recorded_entry(&self, id: CommitId, path: &RepoPath) -> Option<Entry> {
        let store = self.repository.store();
        let commit = store.commit(id).ok()?;
        history::entry_at(store, &commit.root, path).ok()?
    }

    /// The paths that a selection selects in the worktree and in these commits, without those below another one.
    /// [`ErrorKind::NotFound`] if a pattern matches nothing.
    pub fn selected_paths(
        &self,
        selection: &PathSelection,
        commits: &[CommitId],
        progress: &dyn Progress,
    ) -> Result<Vec<RepoPathBuf>> {
        if let Some(paths) = selection.as_paths() {
            return Ok(paths);
        }
        let store = self.repository.store();
        let scan = scan_worktree(&self.repository, &self.worktree, &selection.starts(), progress)?;
        let overlay = Overlay { below: store, objects: &scan.objects };
        let mut found = Vec::new();
        collect(&overlay, &scan.root, selection, &mut found)?;
        for commit in commits {
            collect(store, &store.commit(*commit)?.root, selection, &mut found)?;
        }
        for spec in selection.included() {
            let is_found = found.iter().any(|path| spec.covers(path));
            match spec.pattern_text() {
                Some(text) if !is_found => return Err(no_match(text)),
                Some(_) => {}
                // The caller reports paths that do not exist.
                None => found.extend((!is_found).then(|| spec.start().to_owned())),
            }
        }
        if found.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, "all selected paths are excluded").hint("undo status"));
        }
        Ok(PathSet::topmost(found).into_paths())
    }

    /// The paths that a selection selects in a commit, without those below another one. [`ErrorKind::NotFound`] if a path does
    /// not exist, or a pattern matches nothing.
    pub(super) fn paths_in(&self, commit: CommitId, selection: &PathSelection) -> Result<Vec<RepoPathBuf>> {
        let store = self.repository.store();
        let mut found = Vec::new();
        collect(store, &store.commit(commit)?.root, selection, &mut found)?;
        for spec in selection.included().iter().filter(|spec| !found.iter().any(|path| spec.covers(path))) {
            match spec.pattern_text() {
                Some(text) => return Err(no_match(text)),
                None => drop(history::recorded(store, commit, spec.start())?),
            }
        }
        Ok(PathSet::topmost(found).into_paths())
    }
}

/// The error for a pattern that matches no path.
pub(crate) fn no_match(pattern: &[u8]) -> Error {
    let text = String::from_utf8_lossy(pattern);
    Error::new(ErrorKind::NotFound, format!("no path matches `{}`", text.escape_debug()))
        .hint("to list paths: undo ls -R")
}

/// Adds the selected paths of a tree; a directory stands for everything below it.
fn collect(objects: &dyn Objects, root: &Entry, selection: &PathSelection, found: &mut Vec<RepoPathBuf>) -> Result<()> {
    // A list instead of recursion, because directories may be deeper than the stack.
    let mut pending = vec![(RepoPathBuf::default(), root.tree())];
    while let Some((directory, tree)) = pending.pop() {
        let mut entries = TreeCursor::new(tree);
        while let Some(entry) = entries.next(objects)? {
            let path = directory.join(&entry.name);
            match entry.tree() {
                _ if selection.selects_whole(&path) => found.push(path),
                None if selection.selects(&path) => found.push(path),
                Some(tree) if selection.may_select_below(&path) => pending.push((path, Some(tree))),
                _ => {}
            }
        }
    }
    Ok(())
}
