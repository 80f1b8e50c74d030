//! The ignore rules of a recorded tree.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::error::Result;
use crate::id::{BlobId, TreeId};
use crate::object::{Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};

use super::{FILE, LONGEST, Rules, RulesFile};

/// The rules of a recorded tree, read on demand. Keeps the rules of the parent directories of the last path, so looking
/// up paths in path order is cheapest.
pub struct TreeRules<'o> {
    objects: &'o dyn Objects,
    root: &'o Entry,
    blob: &'o dyn Fn(&RepoPath, BlobId) -> Result<Vec<u8>>,
    entered: RefCell<Entered>,
}

/// The parent directories of the last path.
#[derive(Default)]
struct Entered {
    /// Path of the deepest one.
    path: RepoPathBuf,
    /// From the root down. A list instead of recursion, because directories may be nested deeper than the stack allows.
    levels: Vec<TreeLevel>,
}

/// One directory of a recorded tree.
struct TreeLevel {
    rules: Rules,
    ignored: bool,
    directories: HashMap<Vec<u8>, TreeId>,
}

impl<'o> TreeRules<'o> {
    /// Creates the rules of the tree of a root entry. `blob` reads the rules file of a directory.
    pub fn new(
        objects: &'o dyn Objects,
        root: &'o Entry,
        blob: &'o dyn Fn(&RepoPath, BlobId) -> Result<Vec<u8>>,
    ) -> TreeRules<'o> {
        TreeRules { objects, root, blob, entered: RefCell::default() }
    }

    /// Whether the rules ignore a path or one of its parent directories.
    pub fn ignores(&self, path: &RepoPath, is_directory: bool) -> Result<bool> {
        let Some(parent) = path.parent() else { return Ok(false) };
        let mut entered = self.entered.borrow_mut();
        self.enter(&mut entered, parent)?;
        Ok(entered.levels.last().is_some_and(|level| level.ignored || level.rules.ignores(path, is_directory)))
    }

    /// Makes a directory the deepest level.
    fn enter(&self, entered: &mut Entered, directory: &RepoPath) -> Result<()> {
        if entered.levels.is_empty() {
            let root = self.read(RepoPath::root(), self.root.tree(), &Rules::default(), false)?;
            entered.levels.push(root);
        }
        while !directory.is_within(&entered.path) {
            entered.path.pop();
            entered.levels.pop();
        }
        while let Some(above) = entered.levels.last()
            && let Some(name) = directory.below(&entered.path).and_then(|rest| rest.names().next())
        {
            let path = entered.path.join(name);
            let tree = above.directories.get(name).copied();
            let ignored = above.ignored || above.rules.ignores(&path, true);
            let level = self.read(&path, tree, &above.rules, ignored)?;
            entered.levels.push(level);
            entered.path = path;
        }
        Ok(())
    }

    fn read(&self, path: &RepoPath, tree: Option<TreeId>, above: &Rules, ignored: bool) -> Result<TreeLevel> {
        let tree = match tree {
            Some(tree) => self.objects.tree(tree)?,
            None => return Ok(TreeLevel { rules: above.clone(), ignored, directories: HashMap::new() }),
        };
        let file = tree.find(FILE).filter(|entry| entry.size() <= LONGEST).and_then(Entry::blob);
        let file = match file {
            Some(blob) => RulesFile::Content((self.blob)(path, blob)?),
            None => RulesFile::Absent,
        };
        let rules = above.enter(path, &file, &mut |_| {});
        let directories = tree
            .entries
            .into_iter()
            .filter_map(|entry| Some((entry.tree()?, entry.name)))
            .map(|(tree, name)| (name, tree));
        Ok(TreeLevel { rules, ignored, directories: directories.collect() })
    }
}
