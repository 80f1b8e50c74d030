//! `.undoignore`: gitignore syntax, in any directory of the worktree, deeper files and later lines deciding.

use crate::error::Result;
use crate::object::{Entry, Objects};
use crate::path::RepoPath;

/// The name of the files that hold the rules.
pub const FILE: &[u8] = b".undoignore";

/// The rules in force in one directory: its own file's and those of the directories above it. Cheap to clone.
#[derive(Clone, Default)]
pub struct Rules {}

impl Rules {
    /// The rules inside the directory at `path`, whose `.undoignore` has this content (`None`: it has none).
    pub fn enter(&self, path: &RepoPath, content: Option<&[u8]>) -> Result<Rules> {
        let _ = (path, content);
        todo!()
    }

    /// Whether the rules ignore `path`, a direct child of the directory they are in force in.
    pub fn ignores(&self, path: &RepoPath, is_directory: bool) -> bool {
        let _ = (path, is_directory);
        todo!()
    }
}

/// The rules of a recorded tree, read from it as they are asked for.
pub struct TreeRules<'o> {
    _objects: &'o dyn Objects,
    _root: &'o Entry,
}

impl<'o> TreeRules<'o> {
    /// The rules of the tree of a root entry. `blob` reads a blob's bytes.
    pub fn new(objects: &'o dyn Objects, root: &'o Entry) -> TreeRules<'o> {
        TreeRules { _objects: objects, _root: root }
    }

    /// Whether they ignore a path, or a directory that it is in.
    pub fn ignores(&self, path: &RepoPath, is_directory: bool) -> Result<bool> {
        let _ = (path, is_directory);
        todo!()
    }
}
