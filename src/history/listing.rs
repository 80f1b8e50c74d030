//! Lists the entries of a tree, all of them or those that paths select.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::error::{Error, ErrorKind, Result};
use crate::id::TreeId;
use crate::object::tree_cursor::TreeCursor;
use crate::object::{Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};

/// Selects the entries to list.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// List the content of directories instead of the directories.
    pub recursive: bool,
    /// List directories whose content is listed, too, and those above a selected path.
    pub with_trees: bool,
    /// List directories only.
    pub only_trees: bool,
    /// Paths to list. Empty means all.
    pub paths: SelectedPaths,
}

/// Paths from the root of the tree.
#[derive(Clone, Debug, Default)]
pub struct SelectedPaths {
    /// `PATH`: the entry itself.
    named: BTreeSet<RepoPathBuf>,
    /// `PATH/`: the content of the directory.
    opened: BTreeSet<RepoPathBuf>,
}

impl SelectedPaths {
    /// Adds a path as the user wrote it. [`ErrorKind::Usage`] if it is not valid.
    pub fn add(&mut self, text: &[u8]) -> Result<()> {
        let (bytes, paths) = match text.strip_suffix(b"/") {
            Some(bytes) => (bytes, &mut self.opened),
            None => (text, &mut self.named),
        };
        let path = RepoPathBuf::new(bytes.to_vec()).filter(|path| !path.is_root()).ok_or_else(|| {
            let text = String::from_utf8_lossy(text);
            Error::new(ErrorKind::Usage, format!("`{}` is not a valid path in a tree", text.escape_debug()))
                .hint("paths begin at the root of the tree: `data/a.csv`, or `data/` for what is in it")
        })?;
        paths.insert(path);
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.named.is_empty() && self.opened.is_empty()
    }

    /// Whether the path is selected, or directly in an opened directory.
    fn names(&self, path: &RepoPath) -> bool {
        self.named.contains(path) || path.parent().is_some_and(|parent| self.opened.contains(parent))
    }

    /// Whether the path or one of its ancestors is selected.
    fn covers(&self, path: &RepoPath) -> bool {
        let is_selected = |path: &RepoPath| self.named.contains(path) || self.opened.contains(path);
        self.named.contains(path) || path.ancestors().any(is_selected)
    }

    /// Whether a selected path is in the directory.
    fn has_below(&self, path: &RepoPath) -> bool {
        let has_next = |paths: &BTreeSet<RepoPathBuf>, from| {
            let mut paths = paths.range::<RepoPath, _>((from, Bound::Unbounded));
            paths.next().is_some_and(|next| next.is_within(path))
        };
        has_next(&self.named, Bound::Excluded(path)) || has_next(&self.opened, Bound::Included(path))
    }
}

impl ListOptions {
    fn lists(&self, path: &RepoPath) -> bool {
        match (self.paths.is_empty(), self.recursive) {
            (true, _) => true,
            (false, true) => self.paths.covers(path),
            (false, false) => self.paths.names(path),
        }
    }

    /// Whether to list a directory, and whether to enter it.
    fn list_and_enter(&self, path: &RepoPath) -> (bool, bool) {
        let is_listed = self.lists(path);
        let has_below = self.paths.has_below(path);
        let enters = has_below || self.recursive && is_listed;
        let with_trees = self.with_trees || self.recursive && self.only_trees;
        // Without `recursive`, naming a directory lists the directory itself, even if paths in it are named too.
        let lists = if with_trees { is_listed || has_below } else { is_listed && !(enters && self.recursive) };
        (lists, enters)
    }
}

/// Lists the entries in path order, each with its path.
pub fn list<'o>(objects: &'o dyn Objects, tree: TreeId, options: ListOptions) -> Listing<'o> {
    Listing { objects, options, path: RepoPathBuf::default(), levels: vec![TreeCursor::new(Some(tree))] }
}

/// Iterates over the selected entries.
pub struct Listing<'o> {
    objects: &'o dyn Objects,
    options: ListOptions,
    /// Path of the innermost level.
    path: RepoPathBuf,
    /// From the root down. A list instead of recursion, because directories may be deeper than the stack.
    levels: Vec<TreeCursor>,
}

impl Listing<'_> {
    fn find(&mut self) -> Result<Option<(RepoPathBuf, Entry)>> {
        while let Some(level) = self.levels.last_mut() {
            let Some(entry) = level.next(self.objects)? else {
                self.levels.pop();
                self.path.pop();
                continue;
            };
            let path = self.path.join(&entry.name);
            let is_listed = match entry.tree() {
                None => self.options.lists(&path) && !self.options.only_trees,
                Some(tree) => {
                    let (lists, enters) = self.options.list_and_enter(&path);
                    if enters {
                        self.path.push(&entry.name);
                        self.levels.push(TreeCursor::new(Some(tree)));
                    }
                    lists
                }
            };
            if is_listed {
                return Ok(Some((path, entry)));
            }
        }
        Ok(None)
    }
}

impl Iterator for Listing<'_> {
    type Item = Result<(RepoPathBuf, Entry)>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.find();
        if found.is_err() {
            self.levels.clear();
        }
        found.transpose()
    }
}
