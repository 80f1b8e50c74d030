//! Resolves paths, patterns and exclusions, and finds the paths that they select.

use std::collections::HashSet;
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
        let mut found = Found::default();
        found.collect(&overlay, &scan.root, selection)?;
        for commit in commits {
            found.collect(store, &store.commit(*commit)?.root, selection)?;
        }
        let mut found = found.into_paths();
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
        let mut found = Found::default();
        found.collect(store, &store.commit(commit)?.root, selection)?;
        let found = found.into_paths();
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

/// Selected paths of one or more trees.
#[derive(Default)]
struct Found {
    /// Selected paths; a directory stands for everything below it.
    paths: Vec<RepoPathBuf>,
    /// Selected directories, below which something may be excluded.
    directories: Vec<RepoPathBuf>,
    /// Directories of paths that are not selected.
    incomplete: HashSet<RepoPathBuf>,
}

impl Found {
    /// Adds the selected paths of a tree.
    fn collect(&mut self, objects: &dyn Objects, root: &Entry, selection: &PathSelection) -> Result<()> {
        // A list instead of recursion, because directories may be deeper than the stack.
        let mut pending = vec![(RepoPathBuf::default(), root.tree())];
        while let Some((directory, tree)) = pending.pop() {
            let mut entries = TreeCursor::new(tree);
            while let Some(entry) = entries.next(objects)? {
                let path = directory.join(&entry.name);
                if selection.selects_whole(&path) {
                    self.paths.push(path);
                    continue;
                }
                let is_selected = selection.selects(&path);
                if !is_selected {
                    self.note_unselected(&path);
                }
                match entry.tree() {
                    Some(tree) if is_selected || selection.may_select_below(&path) => {
                        self.directories.extend(is_selected.then(|| path.clone()));
                        pending.push((path, Some(tree)));
                    }
                    None if is_selected => self.paths.push(path),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Marks all directories above a path.
    fn note_unselected(&mut self, path: &RepoPath) {
        let mut parent = path.parent();
        while let Some(directory) = parent.filter(|directory| !self.incomplete.contains(*directory)) {
            self.incomplete.insert(directory.to_owned());
            parent = directory.parent();
        }
    }

    /// All paths. A directory without anything that is not selected is selected whole, so that empty directories and modes of
    /// directories are restored.
    fn into_paths(self) -> Vec<RepoPathBuf> {
        let Found { mut paths, directories, incomplete } = self;
        paths.extend(directories.into_iter().filter(|directory| !incomplete.contains(directory)));
        paths
    }
}
