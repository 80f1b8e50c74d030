//! Finds every object that commits refer to, each object once.
//!
//! The search streams. Its memory is a bit for each object of the store, and the entries still to visit of the directories
//! on the path. Missing and damaged objects are reported like others, and the search continues without what they refer to.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::history::objects::ObjectType;
use crate::history::walk::{WalkOptions, WalkedCommit, walk};
use crate::id::{CommitId, ObjectId};
use crate::object::layout::{self, Piece};
use crate::object::nodes::{Item, Node};
use crate::object::{Commit, Entry, ObjectKind, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::Repository;
use crate::store::{Location, ObjectSet, Store};

/// An object that a commit refers to, directly or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachableObject {
    /// Id of the object.
    pub id: ObjectId,
    /// Type of the object.
    pub object_type: ObjectType,
    /// Path of the first entry found that uses the object. Commits and hard links have none.
    pub path: Option<RepoPathBuf>,
}

/// An object that cannot be read.
#[derive(Debug)]
pub struct UnreadableObject {
    /// The object; `None` if the walk through history failed.
    pub object: Option<ReachableObject>,
    /// Why the object cannot be read.
    pub error: Error,
}

/// A commit to start from, or one that cannot be read.
pub type ReadCommit = Result<(CommitId, Commit), UnreadableObject>;

/// Reads the commits that the options select, newest first.
pub fn walked(repository: &Repository, options: WalkOptions) -> Result<impl Iterator<Item = ReadCommit>> {
    let mut walk = walk(repository, options)?;
    Ok(std::iter::from_fn(move || {
        Some(match walk.next_or_unreadable()? {
            Ok(WalkedCommit { id, commit, .. }) => Ok((id, commit)),
            Err((id, error)) => Err(UnreadableObject { object: id.map(ReachableObject::commit), error }),
        })
    }))
}

/// Reads these commits, in this order.
pub fn read(store: &Store, ids: impl IntoIterator<Item = CommitId>) -> impl Iterator<Item = ReadCommit> {
    ids.into_iter().map(|id| match store.commit(id) {
        Ok(commit) => Ok((id, commit)),
        Err(error) => Err(UnreadableObject { object: Some(ReachableObject::commit(id)), error }),
    })
}

/// Iterates over each commit, followed by the objects that it refers to, except its parents and objects already returned.
/// Of purged blobs, only the id is returned. A
/// directory comes before its content, and its content before its next sibling.
pub struct ReachableObjects<'r> {
    store: &'r Store,
    /// Commits whose objects are left out.
    without: Box<dyn Iterator<Item = ReadCommit> + 'r>,
    commits: Box<dyn Iterator<Item = ReadCommit> + 'r>,
    /// Whether the search still goes through `without`.
    is_hiding: bool,
    seen: Seen<'r>,
    /// Objects of the current commit still to visit, the next one last.
    pending: Vec<ReachableObject>,
}

impl ReachableObject {
    /// A commit as a reachable object.
    pub fn commit(id: CommitId) -> ReachableObject {
        ReachableObject { id: id.object_id(), object_type: ObjectType::Commit, path: None }
    }
}

impl<'r> ReachableObjects<'r> {
    /// Searches from these commits. Their parents are only included if they are given, too.
    pub fn new(store: &'r Store, commits: impl Iterator<Item = ReadCommit> + 'r) -> ReachableObjects<'r> {
        let (without, commits) = (Box::new(std::iter::empty()), Box::new(commits));
        ReachableObjects { store, without, commits, is_hiding: true, seen: Seen::new(store), pending: Vec::new() }
    }

    /// Leaves out the objects of these commits. Unreadable ones among them are reported.
    pub fn without(self, commits: impl Iterator<Item = ReadCommit> + 'r) -> ReachableObjects<'r> {
        ReachableObjects { without: Box::new(commits), ..self }
    }

    /// Starts with the next commit that has not been returned.
    fn next_commit(&mut self) -> Option<Result<ReachableObject, UnreadableObject>> {
        loop {
            let given = if self.is_hiding { self.without.next() } else { None };
            let given = given.or_else(|| {
                self.is_hiding = false;
                self.commits.next()
            })?;
            let (id, commit) = match given {
                Ok(given) => given,
                Err(unreadable) => return Some(Err(unreadable)),
            };
            if self.seen.insert(ObjectType::Commit, id.object_id()) {
                self.add(commit.links.into_iter().map(|id| (ObjectType::Links, id.object_id(), None)));
                self.add_entries(&[commit.root], RepoPath::root());
                return Some(Ok(ReachableObject::commit(id)));
            }
        }
    }

    /// Adds the objects that an object refers to. Fails if the object cannot be read.
    fn expand(&mut self, object: &ReachableObject) -> Result<()> {
        let (id, path) = (object.id, object.path.as_deref().unwrap_or_else(|| RepoPath::root()));
        match object.object_type {
            ObjectType::Tree => match self.store.tree_node(id.into())? {
                Node::Leaf(entries) => self.add_entries(&entries, path),
                Node::Inner(children) => {
                    let nodes = children.iter().map(|child| child.node.object_id());
                    self.add(nodes.map(|id| (ObjectType::Tree, id, Some(path))));
                }
            },
            ObjectType::Links => {
                if let Node::<Vec<RepoPathBuf>>::Inner(children) = self.node(ObjectKind::Links, id)? {
                    let nodes = children.iter().map(|child| child.node.object_id());
                    self.add(nodes.map(|id| (ObjectType::Links, id, None)));
                }
            }
            ObjectType::LayoutNode => {
                let node = self.node(ObjectKind::LayoutNode, id)?;
                self.add_pieces(&node, path);
            }
            ObjectType::Blob if self.store.is_purged(id.into()) => {}
            ObjectType::Blob if !self.store.contains(ObjectKind::Data, id) => {
                if !self.store.contains(ObjectKind::Layout, id) {
                    return self.store.layout(id.into()).map(drop);
                }
                let root = layout::Root::decode(id.into(), &self.store.object(ObjectKind::Layout, id)?)?;
                self.add_pieces(&root.node, path);
            }
            ObjectType::Attributes if !self.store.contains(ObjectKind::Attributes, id) => {
                self.store.attributes(id.into())?;
            }
            ObjectType::Blob | ObjectType::Attributes | ObjectType::Commit | ObjectType::Operation => {}
        }
        Ok(())
    }

    /// Adds the contents and attributes of the entries of a directory.
    fn add_entries(&mut self, entries: &[Entry], directory: &RepoPath) {
        for entry in entries.iter().rev() {
            let attributes = entry.attributes.map(|id| (ObjectType::Attributes, id.object_id()));
            let content = entry.blob().map(|id| (ObjectType::Blob, id.object_id()));
            let tree = entry.tree().map(|id| (ObjectType::Tree, id.object_id()));
            for (object_type, id) in [attributes, content, tree].into_iter().flatten() {
                // Most entries are unchanged since the previous commit, so their paths are not built.
                if !self.seen.contains(object_type, id) {
                    let path = if entry.name.is_empty() { directory.to_owned() } else { directory.join(&entry.name) };
                    self.pending.push(ReachableObject { id, object_type, path: Some(path) });
                }
            }
        }
    }

    /// Adds the chunks of a large blob, and the nodes that list more of them.
    fn add_pieces(&mut self, node: &Node<Piece>, path: &RepoPath) {
        match node {
            Node::Leaf(pieces) => {
                let chunks = pieces.iter().filter_map(Piece::chunk);
                self.add(chunks.map(|id| (ObjectType::Blob, id.object_id(), Some(path))));
            }
            Node::Inner(children) => {
                let nodes = children.iter().map(|child| child.node.object_id());
                self.add(nodes.map(|id| (ObjectType::LayoutNode, id, Some(path))));
            }
        }
    }

    fn add<'p>(&mut self, objects: impl DoubleEndedIterator<Item = (ObjectType, ObjectId, Option<&'p RepoPath>)>) {
        let ReachableObjects { seen, pending, .. } = self;
        let new = objects.rev().filter(|&(object_type, id, _)| !seen.contains(object_type, id));
        pending.extend(new.map(|(object_type, id, path)| ReachableObject {
            id,
            object_type,
            path: path.map(RepoPath::to_owned),
        }));
    }

    fn node<T: Item>(&self, kind: ObjectKind, id: ObjectId) -> Result<Node<T>> {
        Node::decode(&self.store.object(kind, id)?)
    }
}

/// Objects that were found.
struct Seen<'r> {
    store: &'r Store,
    stored: ObjectSet,
    /// Objects that the store does not have: missing ones, purged ones, and the empty content.
    others: HashSet<(ObjectType, ObjectId)>,
}

impl<'r> Seen<'r> {
    fn new(store: &'r Store) -> Seen<'r> {
        Seen { store, stored: store.empty_set(), others: HashSet::new() }
    }

    fn location(&self, object_type: ObjectType, id: ObjectId) -> Option<Location> {
        object_type.kinds().iter().find_map(|&kind| self.store.locate(kind, id))
    }

    fn contains(&self, object_type: ObjectType, id: ObjectId) -> bool {
        match self.location(object_type, id) {
            Some(location) => self.stored.contains(location),
            None => self.others.contains(&(object_type, id)),
        }
    }

    /// Returns whether the object is new.
    fn insert(&mut self, object_type: ObjectType, id: ObjectId) -> bool {
        match self.location(object_type, id) {
            Some(location) => self.stored.insert(location),
            None => self.others.insert((object_type, id)),
        }
    }
}

impl Iterator for ReachableObjects<'_> {
    type Item = Result<ReachableObject, UnreadableObject>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = match self.pending.pop() {
                Some(object) if !self.seen.insert(object.object_type, object.id) => continue,
                Some(object) => match self.expand(&object) {
                    Ok(()) => Ok(object),
                    Err(error) => Err(UnreadableObject { object: Some(object), error }),
                },
                None => self.next_commit()?,
            };
            if found.is_err() || !self.is_hiding {
                return Some(found);
            }
        }
    }
}
