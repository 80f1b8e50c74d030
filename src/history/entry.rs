//! Finds an entry of a recorded tree by its path, reading only the nodes on the way.

use crate::error::{Error, ErrorKind, Result};
use crate::id::{CommitId, TreeId};
use crate::message::Message;
use crate::object::commit::{Reason, Uncovered};
use crate::object::lazy_node::LazyNode;
use crate::object::{Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};

/// The recorded paths that a mount now hides. Their entries can be neither compared nor restored.
pub fn mounted_over(objects: &dyn Objects, root: &Entry, uncovered: &[Uncovered]) -> Result<Vec<RepoPathBuf>> {
    let mut paths = Vec::new();
    for mount in uncovered.iter().filter(|uncovered| uncovered.reason == Reason::Mount) {
        if entry_at(objects, root, &mount.path)?.is_some() {
            paths.push(mount.path.clone());
        }
    }
    Ok(paths)
}

/// The entry at a path below a root entry; the root itself for the empty path.
pub fn entry_at(objects: &dyn Objects, root: &Entry, path: &RepoPath) -> Result<Option<Entry>> {
    let mut entry = root.clone();
    for name in path.names() {
        let Some(tree) = entry.tree() else { return Ok(None) };
        match entry_in(objects, tree, name)? {
            Some(found) => entry = found,
            None => return Ok(None),
        }
    }
    Ok(Some(entry))
}

/// The entry at a path of a commit. [`ErrorKind::NotFound`] if the commit has no such path.
pub fn recorded(objects: &dyn Objects, id: CommitId, path: &RepoPath) -> Result<Entry> {
    let commit = objects.commit(id)?;
    entry_at(objects, &commit.root, path)?.ok_or_else(|| {
        let message = Message::path(path) + format!(" does not exist in commit {}", id.short());
        let error = Error::new(ErrorKind::NotFound, message).hint(format!("undo ls {}", id.short()));
        error.paths(vec![path.to_owned()])
    })
}

/// The entry of a name in a directory.
pub fn entry_in(objects: &dyn Objects, tree: TreeId, name: &[u8]) -> Result<Option<Entry>> {
    let mut node = tree;
    loop {
        match objects.open_tree(node)? {
            LazyNode::Leaf(leaf) => return leaf.find(name),
            LazyNode::Inner(children) => {
                let after = children.partition_point(|child| child.first.as_slice() <= name);
                let Some(child) = after.checked_sub(1).map(|at| &children[at]) else { return Ok(None) };
                node = child.node;
            }
        }
    }
}
