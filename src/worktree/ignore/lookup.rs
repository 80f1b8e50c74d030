//! Looks up the ignore rules of single paths: in the worktree, or in a recorded tree.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::error::Result;
use crate::fs::Dir;
use crate::id::{BlobId, TreeId};
use crate::metadata::Kind;
use crate::object::{Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};

use super::{FILE, IgnoreWarning, LONGEST, Rule, Rules, RulesFile, read_file};

/// The parent directories of the last path, kept because the next path in path order shares most of them. A list instead of
/// recursion, because directories may be nested deeper than the stack allows.
struct Parents<D> {
    /// Path of the deepest one.
    path: RepoPathBuf,
    /// From the root down.
    levels: Vec<Level<D>>,
}

struct Level<D> {
    rules: Rules,
    /// The rule that ignores the directory or one of its parents, and therefore everything in it.
    ignored: Option<Rule>,
    data: D,
}

impl<D> Parents<D> {
    fn new() -> Parents<D> {
        Parents { path: RepoPathBuf::default(), levels: Vec::new() }
    }

    /// Makes a directory the deepest one. `read` opens a directory, given its parent's data, its path, and whether it is
    /// ignored.
    fn enter(
        &mut self,
        directory: &RepoPath,
        mut read: impl FnMut(Option<&mut D>, &RepoPath, bool) -> Result<(RulesFile, D)>,
        warn: &mut dyn FnMut(IgnoreWarning),
    ) -> Result<&mut Level<D>> {
        if self.levels.is_empty() {
            let (file, data) = read(None, RepoPath::root(), false)?;
            let rules = Rules::default().enter(RepoPath::root(), &file, warn);
            self.levels.push(Level { rules, ignored: None, data });
        }
        while !directory.is_within(&self.path) {
            self.path.pop();
            self.levels.pop();
        }
        while let Some(parent) = self.levels.last_mut()
            && let Some(name) = directory.below(&self.path).and_then(|rest| rest.names().next())
        {
            let path = self.path.join(name);
            let ignoring = || parent.rules.deciding(&path, true).filter(|rule| rule.ignores);
            let ignored = parent.ignored.clone().or_else(ignoring);
            let (file, data) = read(Some(&mut parent.data), &path, ignored.is_some())?;
            let rules = parent.rules.enter(&path, &file, warn);
            self.levels.push(Level { rules, ignored, data });
            self.path = path;
        }
        Ok(self.levels.last_mut().expect("the root is a level"))
    }
}

/// The rules of the worktree, read on demand.
pub struct WorktreeRules<'w> {
    root: &'w Dir,
    /// With a handle of the deepest directory. `None` if it is not open, does not exist, or is not a directory.
    parents: Parents<Option<Dir>>,
    /// Rules without effect in the directories that were read.
    pub ignore_warnings: Vec<IgnoreWarning>,
}

impl<'w> WorktreeRules<'w> {
    /// Creates the rules of the worktree at an open root.
    pub fn new(root: &'w Dir) -> WorktreeRules<'w> {
        WorktreeRules { root, parents: Parents::new(), ignore_warnings: Vec::new() }
    }

    /// The rule that decides about a path: about itself, or about its first ignored parent directory. A path that does not
    /// exist counts as a directory only if `is_directory` is set.
    pub fn rule(&mut self, path: &RepoPath, is_directory: bool) -> Result<Option<Rule>> {
        let Some(parent) = path.parent() else { return Ok(None) };
        let (root, warnings) = (self.root, &mut self.ignore_warnings);
        let read = |parent: Option<&mut Option<Dir>>, path: &RepoPath, is_ignored: bool| {
            let dir = match parent.and_then(Option::take) {
                _ if is_ignored => None,
                Some(dir) => path.name().and_then(|name| dir.open_dir(name).ok()),
                None if path.is_root() => Some(root.open_below(path)?),
                None => root.open_below(path).ok(),
            };
            Ok((dir.as_ref().map_or(Ok(RulesFile::Absent), read_file)?, dir))
        };
        let mut warn = |warning| {
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
        };
        let level = self.parents.enter(parent, read, &mut warn)?;
        if level.ignored.is_some() {
            return Ok(level.ignored.clone());
        }
        // Closed if a directory in it was opened.
        let dir = level.data.take().or_else(|| root.open_below(parent).ok());
        let stat = path.name().and_then(|name| dir.as_ref()?.stat(name).ok().flatten());
        level.data = dir;
        Ok(level.rules.deciding(path, is_directory || stat.is_some_and(|stat| stat.kind == Kind::Directory)))
    }
}

/// The rules of a recorded tree, read on demand.
pub struct TreeRules<'o> {
    objects: &'o dyn Objects,
    root: &'o Entry,
    blob: &'o dyn Fn(&RepoPath, BlobId) -> Result<Vec<u8>>,
    /// With the subdirectories.
    parents: RefCell<Parents<HashMap<Vec<u8>, TreeId>>>,
}

impl<'o> TreeRules<'o> {
    /// Creates the rules of the tree of a root entry. `blob` reads the rules file of a directory.
    pub fn new(
        objects: &'o dyn Objects,
        root: &'o Entry,
        blob: &'o dyn Fn(&RepoPath, BlobId) -> Result<Vec<u8>>,
    ) -> TreeRules<'o> {
        TreeRules { objects, root, blob, parents: RefCell::new(Parents::new()) }
    }

    /// Whether the rules ignore a path or one of its parent directories.
    pub fn ignores(&self, path: &RepoPath, is_directory: bool) -> Result<bool> {
        let Some(parent) = path.parent() else { return Ok(false) };
        let read = |parent: Option<&mut HashMap<_, _>>, path: &RepoPath, _: bool| {
            let tree = match (parent, path.name()) {
                (Some(directories), Some(name)) => directories.get(name).copied(),
                _ => self.root.tree(),
            };
            self.read(path, tree)
        };
        let mut parents = self.parents.borrow_mut();
        let level = parents.enter(parent, read, &mut |_| {})?;
        Ok(level.ignored.is_some() || level.rules.ignores(path, is_directory))
    }

    fn read(&self, path: &RepoPath, tree: Option<TreeId>) -> Result<(RulesFile, HashMap<Vec<u8>, TreeId>)> {
        let Some(tree) = tree else { return Ok((RulesFile::Absent, HashMap::new())) };
        let tree = self.objects.tree(tree)?;
        let file = tree.find(FILE).filter(|entry| entry.size() <= LONGEST).and_then(Entry::blob);
        let file = file.map_or(Ok(RulesFile::Absent), |blob| (self.blob)(path, blob).map(RulesFile::Content))?;
        let directories = tree.entries.into_iter().filter_map(|entry| Some((entry.tree()?, entry.name)));
        Ok((file, directories.map(|(tree, name)| (name, tree)).collect()))
    }
}
