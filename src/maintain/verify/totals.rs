//! What trees hold at every depth, added up from below and compared with what their entries say.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::error::{Error, Result};
use crate::id::{BlobId, IdHasher, TreeId};
use crate::object::commit::Totals;
use crate::object::nodes::Node;
use crate::object::{Commit, Content, Entry, ObjectKind, Objects, layout};
use crate::path::{RepoPath, RepoPathBuf};
use crate::store::Store;

/// What is known of a directory, or of a node of a long one. Of what cannot be read nothing is.
#[derive(Clone, Copy)]
struct Sum {
    totals: Totals,
    /// It lists other nodes, and nobody has looked yet whether they fit together as a whole directory.
    is_long: bool,
}

/// Sums by tree.
pub(super) struct Sums<'s> {
    store: &'s Store,
    known: HashMap<TreeId, Sum, BuildHasherDefault<IdHasher>>,
}

/// A path, and what is wrong there.
pub(super) type Wrong = (RepoPathBuf, Error);

impl<'s> Sums<'s> {
    pub(super) fn new(store: &'s Store) -> Sums<'s> {
        Sums { store, known: HashMap::default() }
    }

    /// Adds up a node at a path. The nodes below it must have been added before.
    pub(super) fn add(&mut self, id: TreeId, path: &RepoPath, wrong: &mut Vec<Wrong>) -> Result<()> {
        let mut totals = Some(Totals::default());
        let node = self.store.tree_node(id)?;
        match &node {
            Node::Leaf(entries) => {
                for entry in entries {
                    let below = self.entry(entry, path, wrong);
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
            self.known.insert(id, Sum { totals, is_long: matches!(node, Node::Inner(_)) });
        }
        Ok(())
    }

    /// Compares a commit with its root tree.
    pub(super) fn commit(&mut self, commit: &Commit, wrong: &mut Vec<Wrong>) {
        let root = self.entry(&commit.root, RepoPath::root(), wrong);
        let below = root.map(|sum| Totals { directories: sum.directories - 1, ..sum });
        if below.is_some_and(|below| below != commit.totals) {
            wrong.push((RepoPathBuf::default(), Error::damaged("its totals are not those of its tree")));
        }
    }

    /// What an entry counts for; compares what it says of its content with what is there.
    fn entry(&mut self, entry: &Entry, directory: &RepoPath, wrong: &mut Vec<Wrong>) -> Option<Totals> {
        let result = match entry.content {
            Content::File { blob, size } => self.file(blob, size).map(Some),
            Content::Directory { tree, entries, size } => self.directory(tree, (entries, size)),
            _ => Ok(Some(Totals { others: 1, ..Totals::default() })),
        };
        result.unwrap_or_else(|error| {
            let path = if entry.name.is_empty() { directory.to_owned() } else { directory.join(&entry.name) };
            wrong.push((path, error));
            None
        })
    }

    fn file(&self, blob: BlobId, size: u64) -> Result<Totals> {
        match length(self.store, blob)? {
            Some(length) if length != size => {
                Err(Error::damaged(format!("blob `{blob}` has {length} bytes, and its entry says {size}")))
            }
            _ => Ok(Totals { files: 1, bytes: size, ..Totals::default() }),
        }
    }

    fn directory(&mut self, tree: TreeId, (entries, size): (u64, u64)) -> Result<Option<Totals>> {
        let Some(sum) = self.known.get_mut(&tree) else { return Ok(None) };
        let totals = sum.totals;
        if std::mem::take(&mut sum.is_long) {
            self.store.tree(tree)?;
        }
        let counted = totals.files + totals.directories + totals.others;
        if (counted, totals.bytes) != (entries, size) {
            let message = format!(
                "tree `{tree}` has {counted} entries of {} bytes, and its entry says {entries} of {size}",
                totals.bytes
            );
            return Err(Error::damaged(message));
        }
        Ok(plus(totals, Totals { directories: 1, ..Totals::default() }))
    }
}

/// The bytes of a blob, by what the store says of it; `None` if it is not there.
fn length(store: &Store, blob: BlobId) -> Result<Option<u64>> {
    let id = blob.object_id();
    if let Some(location) = store.locate(ObjectKind::Data, id) {
        return Ok(Some(location.length.into()));
    }
    if store.contains(ObjectKind::Data, id) {
        // The empty blob lies nowhere.
        return Ok(Some(0));
    }
    if store.locate(ObjectKind::Layout, id).is_none() {
        return Ok(None);
    }
    // One that cannot be read is told where all objects are looked at.
    let root = store.object(ObjectKind::Layout, id).and_then(|bytes| layout::Root::decode(blob, &bytes));
    Ok(root.ok().map(|root| root.size))
}

fn plus(a: Totals, b: Totals) -> Option<Totals> {
    Some(Totals {
        files: a.files.checked_add(b.files)?,
        directories: a.directories.checked_add(b.directories)?,
        others: a.others.checked_add(b.others)?,
        bytes: a.bytes.checked_add(b.bytes)?,
    })
}
