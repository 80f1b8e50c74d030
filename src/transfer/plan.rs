//! Selects the objects to send: what commits need and a target lacks.
//!
//! A commit is compared with one whose objects the target has or gets. What both trees share is skipped: only a tree of a commit
//! that the target keeps proves that everything below it is there. Everything else is looked up.

use std::collections::{BTreeSet, HashSet};

use crate::error::{Error, ErrorKind, Result};
use crate::history::entry_in;
use crate::id::{BlobId, CommitId, ObjectId, TreeId};
use crate::object::lazy_node::{LazyNode, Leaf};
use crate::object::nodes::MAXIMUM;
use crate::object::references::{Reference, has_references, references};
use crate::object::{Commit, Content, ObjectKind, Objects};
use crate::progress::Task;
use crate::seal::ObjectName;
use crate::store::{Location, ObjectSet, Store};
use crate::target::Target;

/// Number of objects that are looked up together: 14 MiB.
const BATCH: usize = 1 << 18;

/// Objects of a store to send.
pub struct Planner<'s> {
    store: &'s Store,
    purged: &'s BTreeSet<BlobId>,
    /// Everything that the commits need and that no tree proves to be there.
    needed: ObjectSet,
    /// Number of needed objects.
    count: u64,
}

impl<'s> Planner<'s> {
    /// A plan that sends nothing. Trees may refer to `purged` content, which is not sent.
    pub fn new(store: &'s Store, purged: &'s BTreeSet<BlobId>) -> Planner<'s> {
        Planner { store, purged, needed: store.empty_set(), count: 0 }
    }

    /// Adds what a commit needs, except what `base` needs too. Fails with [`ErrorKind::Damaged`] if an object is missing.
    pub fn add_commit(&mut self, id: CommitId, base: Option<CommitId>) -> Result<()> {
        let commit = self.store.commit(id)?;
        let base = base.map(|base| self.store.commit(base)).transpose()?;
        self.add(ObjectKind::Commit, id.object_id())?;
        let links = |commit: &Commit| commit.links;
        if let Some(id) = commit.links.filter(|id| base.as_ref().and_then(links) != Some(*id)) {
            self.add_with_references(ObjectKind::Links, id.object_id())?;
        }
        if let Some(attributes) = commit.root.attributes {
            self.add(ObjectKind::Attributes, attributes.object_id())?;
        }
        let Some(tree) = commit.root.tree() else { return Ok(()) };
        let mut directories = vec![(tree, base.and_then(|base| base.root.tree()))];
        while let Some((new, old)) = directories.pop() {
            self.add_directory(new, old, &mut directories)?;
        }
        Ok(())
    }

    /// Adds the nodes of a directory that its old version does not have, and what their entries need. Subdirectories to compare
    /// go to `directories`, with their old versions.
    fn add_directory(
        &mut self,
        new: TreeId,
        old: Option<TreeId>,
        directories: &mut Vec<(TreeId, Option<TreeId>)>,
    ) -> Result<()> {
        let known = old.map(|old| self.nodes_of(old)).transpose()?.unwrap_or_default();
        let mut nodes = vec![new];
        while let Some(node) = nodes.pop() {
            if known.contains(&node) || !self.add(ObjectKind::Tree, node.object_id())? {
                continue;
            }
            match self.store.open_tree(node)? {
                LazyNode::Inner(children) => nodes.extend(children.iter().map(|child| child.node)),
                LazyNode::Leaf(leaf) => self.add_entries(&leaf, old, directories)?,
            }
        }
        Ok(())
    }

    fn add_entries(
        &mut self,
        leaf: &Leaf,
        old: Option<TreeId>,
        directories: &mut Vec<(TreeId, Option<TreeId>)>,
    ) -> Result<()> {
        for n in 0..leaf.count() {
            let entry = leaf.entry(n)?;
            let before = old.map(|old| entry_in(self.store, old, leaf.name(n))).transpose()?.flatten();
            let attributes = entry.attributes.filter(|id| before.as_ref().and_then(|old| old.attributes) != Some(*id));
            if let Some(id) = attributes {
                self.add(ObjectKind::Attributes, id.object_id())?;
            }
            let before = before.map(|before| before.content);
            match (entry.content, before) {
                (Content::File { blob, .. }, Some(Content::File { blob: old, .. })) if blob == old => {}
                (Content::File { blob, .. }, _) => self.add_blob(blob)?,
                (Content::Directory { tree, .. }, Some(Content::Directory { tree: old, .. })) if tree == old => {}
                (Content::Directory { tree, .. }, Some(Content::Directory { tree: old, .. })) => {
                    directories.push((tree, Some(old)));
                }
                (Content::Directory { tree, .. }, _) => directories.push((tree, None)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The nodes of a directory. Does not read the leaves.
    fn nodes_of(&self, tree: TreeId) -> Result<HashSet<TreeId>> {
        let mut known = HashSet::from([tree]);
        let mut unread = vec![tree];
        while let Some(node) = unread.pop() {
            if let LazyNode::Inner(children) = self.store.open_tree(node)? {
                known.extend(children.iter().map(|child| child.node));
                // A node with more entries than a leaf can have is not a leaf.
                unread.extend(children.iter().filter(|child| child.count > MAXIMUM as u64).map(|child| child.node));
            }
        }
        Ok(known)
    }

    /// Adds the content of a file.
    pub fn add_blob(&mut self, blob: BlobId) -> Result<()> {
        if self.purged.contains(&blob) {
            return Ok(());
        }
        let id = blob.object_id();
        if self.store.locate(ObjectKind::Layout, id).is_some() && self.store.locate(ObjectKind::Data, id).is_none() {
            return self.add_with_references(ObjectKind::Layout, id);
        }
        self.add(ObjectKind::Data, id).map(drop)
    }

    fn add_with_references(&mut self, kind: ObjectKind, id: ObjectId) -> Result<()> {
        let mut pending = vec![(kind, id)];
        while let Some((kind, id)) = pending.pop() {
            if self.add(kind, id)? && has_references(kind) {
                let bytes = self.store.object(kind, id)?;
                references(kind, id, &bytes, &mut |reference| {
                    if let Reference::Object(kind, id) = reference {
                        pending.push((kind, id));
                    }
                })?;
            }
        }
        Ok(())
    }

    /// Adds an object. Returns whether it is new.
    fn add(&mut self, kind: ObjectKind, id: ObjectId) -> Result<bool> {
        let Some(location) = self.store.locate(kind, id) else {
            // The empty content is in every store and in none.
            return match self.store.contains(kind, id) {
                true => Ok(false),
                false => Err(Error::new(ErrorKind::Damaged, format!("{} `{id}` is missing", kind.word()))
                    .hint("to see what is damaged: undo verify")),
            };
        };
        let is_new = self.needed.insert(location);
        self.count += u64::from(is_new);
        Ok(is_new)
    }

    /// The needed objects that the target lacks. `task` counts objects that were looked up.
    pub fn select(mut self, target: &Target, task: &dyn Task) -> Result<ObjectSet> {
        task.set_total(self.count);
        if target.state().has_objects() {
            target.cache_indexes()?;
            let mut batch = Vec::new();
            let mut present = Vec::new();
            for (kind, id, location) in self.store.selected(&self.needed) {
                batch.push((target.keyring().name(kind, id), location));
                if batch.len() == BATCH {
                    look_up(target, &mut batch, &mut present, task)?;
                }
            }
            look_up(target, &mut batch, &mut present, task)?;
            present.into_iter().for_each(|location| self.needed.remove(location));
        }
        Ok(self.needed)
    }
}

/// Looks names up in their order, in which indexes have them.
fn look_up(
    target: &Target,
    batch: &mut Vec<(ObjectName, Location)>,
    present: &mut Vec<Location>,
    task: &dyn Task,
) -> Result<()> {
    batch.sort_unstable_by_key(|(name, _)| *name);
    task.add(batch.len() as u64)?;
    for (name, location) in batch.drain(..) {
        if target.find(name)?.is_some() {
            present.push(location);
        }
    }
    Ok(())
}
