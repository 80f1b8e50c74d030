//! Keeps the directories open that paths in path order are in.

use crate::fs::{Dir, Stat};
use crate::path::{RepoPath, RepoPathBuf};

/// Maximum number of directories that stay open.
const MOST_OPEN: usize = 8;

/// The innermost directories of the path asked for last.
pub(super) struct OpenDirectories<'d> {
    pub root: &'d Dir,
    /// Each is in the previous one. `None` if it is gone or not accessible.
    open: Vec<(RepoPathBuf, Option<Dir>)>,
}

impl OpenDirectories<'_> {
    pub(super) fn new(root: &Dir) -> OpenDirectories<'_> {
        OpenDirectories { root, open: Vec::new() }
    }

    /// The directory that a path is in. `None` if it cannot be opened.
    pub(super) fn parent(&mut self, path: &RepoPath) -> Option<&Dir> {
        let parent = path.parent().unwrap_or(RepoPath::root());
        while self.open.last().is_some_and(|(known, _)| !parent.is_within(known)) {
            self.open.pop();
        }
        if self.open.last().is_none_or(|(known, _)| **known != *parent) {
            if self.open.len() == MOST_OPEN {
                self.open.remove(0);
            }
            self.open.push((parent.to_owned(), self.root.open_below(parent).ok()));
        }
        self.open.last()?.1.as_ref()
    }

    /// The stat of a path. `None` if it does not exist or is not accessible.
    pub(super) fn stat(&mut self, path: &RepoPath) -> Option<Stat> {
        self.parent(path)?.stat(path.name().unwrap_or(b".")).ok().flatten()
    }
}
