//! Adds up the totals of trees, leaves first, and compares them with what entries and commits state.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::error::{Error, Result};
use crate::history::bytes;
use crate::id::{BlobId, IdHasher, TreeId};
use crate::object::commit::Totals;
use crate::object::nodes::Node;
use crate::object::{Commit, Content, Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::store::Store;

/// Totals of a directory, or of a node of a large one.
#[derive(Clone, Copy)]
struct NodeTotals {
    totals: Totals,
    /// Whether this is an inner node and its nodes have not been checked to form one directory.
    needs_check: bool,
}

/// TreeTotals by tree.
pub(super) struct TreeTotals<'s> {
    store: &'s Store,
    known: HashMap<TreeId, NodeTotals, BuildHasherDefault<IdHasher>>,
}

/// A path, and what is wrong there.
pub(super) type Problem = (RepoPathBuf, Error);

impl<'s> TreeTotals<'s> {
    pub(super) fn new(store: &'s Store) -> TreeTotals<'s> {
        TreeTotals { store, known: HashMap::default() }
    }

    /// Adds up a node at a path. The nodes below must have been added before.
    pub(super) fn add(&mut self, id: TreeId, path: &RepoPath, problems: &mut Vec<Problem>) -> Result<()> {
        let mut totals = Some(Totals::default());
        let node = self.store.tree_node(id)?;
        match &node {
            Node::Leaf(entries) => {
                for entry in entries {
                    let below = self.entry(entry, path, problems);
                    totals = totals.zip(below).and_then(|(sum, below)| plus(sum, below));
                }
            }
            Node::Inner(children) => {
                for child in children {
                    let below = self.known.get(&child.node).map(|sum| sum.totals);
                    totals = totals.zip(below).and_then(|(sum, below)| plus(sum, below));
                }
            }
        }
        if let Some(totals) = totals {
            self.known.insert(id, NodeTotals { totals, needs_check: matches!(node, Node::Inner(_)) });
        }
        Ok(())
    }

    /// Compares a commit with its root tree.
    pub(super) fn commit(&mut self, commit: &Commit, problems: &mut Vec<Problem>) {
        let root = self.entry(&commit.root, RepoPath::root(), problems);
        let below = root.map(|sum| Totals { directories: sum.directories - 1, ..sum });
        if below.is_some_and(|below| below != commit.totals) {
            problems.push((
                RepoPathBuf::default(),
                Error::damaged("the totals of the commit differ from those of its tree"),
            ));
        }
    }

    /// The totals of an entry. Compares what the entry states with its content.
    fn entry(&mut self, entry: &Entry, directory: &RepoPath, problems: &mut Vec<Problem>) -> Option<Totals> {
        let result = match entry.content {
            Content::File { blob, size } => self.file(blob, size).map(Some),
            Content::Directory { tree, entries, size } => self.directory(tree, (entries, size)),
            _ => Ok(Some(Totals { others: 1, ..Totals::default() })),
        };
        result.unwrap_or_else(|error| {
            let path = if entry.name.is_empty() { directory.to_owned() } else { directory.join(&entry.name) };
            problems.push((path, error));
            None
        })
    }

    fn file(&self, blob: BlobId, size: u64) -> Result<Totals> {
        // `reachable` reports missing and unreadable blobs.
        match bytes::blob_size(self.store, blob).ok().flatten() {
            Some(length) if length != size => {
                Err(Error::damaged(format!("blob `{blob}` has {length} bytes, but its entry states {size}")))
            }
            _ => Ok(Totals { files: 1, bytes: size, ..Totals::default() }),
        }
    }

    fn directory(&mut self, tree: TreeId, (entries, size): (u64, u64)) -> Result<Option<Totals>> {
        let Some(sum) = self.known.get_mut(&tree) else { return Ok(None) };
        let totals = sum.totals;
        if std::mem::take(&mut sum.needs_check) {
            self.store.tree(tree)?;
        }
        let counted = totals.files + totals.directories + totals.others;
        if (counted, totals.bytes) != (entries, size) {
            let message = format!(
                "tree `{tree}` has {counted} entries of {} bytes, but its entry states {entries} of {size}",
                totals.bytes
            );
            return Err(Error::damaged(message));
        }
        Ok(plus(totals, Totals { directories: 1, ..Totals::default() }))
    }
}

fn plus(a: Totals, b: Totals) -> Option<Totals> {
    Some(Totals {
        files: a.files.checked_add(b.files)?,
        directories: a.directories.checked_add(b.directories)?,
        others: a.others.checked_add(b.others)?,
        bytes: a.bytes.checked_add(b.bytes)?,
    })
}
