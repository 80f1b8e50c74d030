//! Reaching: everything that commits lead to, each object once.
//!
//! It streams. What is remembered is the ids of the objects that were met, and of the directories on the way the entries
//! that are still to come; what commits share is looked at once. What is missing or damaged is told like all else, and
//! what does not hang on it follows.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;

use crate::error::{Error, Result};
use crate::history::objects::Type;
use crate::history::walk::{self, walk};
use crate::id::{CommitId, IdHasher, ObjectId};
use crate::object::layout::{self, Piece};
use crate::object::nodes::{Item, Node};
use crate::object::{Commit, Entry, ObjectKind, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::Repository;
use crate::store::Store;

/// An object that a commit leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Its id.
    pub id: ObjectId,
    /// What it is.
    pub is: Type,
    /// Where in the tree it was first met: the path of the entry that it belongs to. Commits and hard links have none.
    pub path: Option<RepoPathBuf>,
}

/// Something that commits lead to and that cannot be read.
#[derive(Debug)]
pub struct Lost {
    /// What it is; `None` if the commits that follow cannot be told.
    pub object: Option<Object>,
    /// Why.
    pub error: Error,
}

/// A commit to begin with, or one that cannot be read.
pub type Given = Result<(CommitId, Commit), Lost>;

/// The commits that the options ask for, newest first.
pub fn walked(repository: &Repository, options: walk::Options) -> Result<impl Iterator<Item = Given>> {
    let mut walk = walk(repository, options)?;
    let lost = |(id, error): (Option<CommitId>, Error)| Lost { object: id.map(Object::commit), error };
    Ok(std::iter::from_fn(move || {
        walk.next_or_lost().map(|item| item.map(|item| (item.id, item.commit)).map_err(lost))
    }))
}

/// These commits, in this order.
pub fn read(store: &Store, ids: impl IntoIterator<Item = CommitId>) -> impl Iterator<Item = Given> {
    ids.into_iter().map(|id| match store.commit(id) {
        Ok(commit) => Ok((id, commit)),
        Err(error) => Err(Lost { object: Some(Object::commit(id)), error }),
    })
}

/// Objects: each commit, and then what it leads to besides its parents and what was told before. A directory comes before
/// what is in it, and everything before its next sibling.
pub struct Reach<'r> {
    store: &'r Store,
    /// Commits whose objects are not told.
    without: Box<dyn Iterator<Item = Given> + 'r>,
    commits: Box<dyn Iterator<Item = Given> + 'r>,
    /// What is left out is at hand.
    is_hiding: bool,
    seen: HashSet<(Type, ObjectId), BuildHasherDefault<IdHasher>>,
    /// What the commit at hand leads to, the next one last.
    coming: Vec<Object>,
}

impl Object {
    /// A commit.
    pub fn commit(id: CommitId) -> Object {
        Object { id: id.object_id(), is: Type::Commit, path: None }
    }
}

impl<'r> Reach<'r> {
    /// All that these commits lead to, besides their parents, which are told if they are given.
    pub fn new(store: &'r Store, commits: impl Iterator<Item = Given> + 'r) -> Reach<'r> {
        let (without, commits) = (Box::new(std::iter::empty()), Box::new(commits));
        Reach { store, without, commits, is_hiding: true, seen: HashSet::default(), coming: Vec::new() }
    }

    /// But not what these commits lead to: of that only what cannot be read is told.
    pub fn without(self, commits: impl Iterator<Item = Given> + 'r) -> Reach<'r> {
        Reach { without: Box::new(commits), ..self }
    }

    /// Begins with the next commit that was not told.
    fn begin(&mut self) -> Option<Result<Object, Lost>> {
        loop {
            let given = if self.is_hiding { self.without.next() } else { None };
            let given = given.or_else(|| {
                self.is_hiding = false;
                self.commits.next()
            })?;
            let (id, commit) = match given {
                Ok(given) => given,
                Err(lost) => return Some(Err(lost)),
            };
            if self.seen.insert((Type::Commit, id.object_id())) {
                self.come(commit.links.into_iter().map(|id| (Type::Links, id.object_id(), None)));
                self.meet(&[commit.root], RepoPath::root());
                return Some(Ok(Object::commit(id)));
            }
        }
    }

    /// Puts what an object leads to on the list. Fails if the object cannot be read.
    fn open(&mut self, object: &Object) -> Result<()> {
        let (id, path) = (object.id, object.path.as_deref().unwrap_or_else(|| RepoPath::root()));
        match object.is {
            Type::Tree => match self.store.tree_node(id.into())? {
                Node::Leaf(entries) => self.meet(&entries, path),
                Node::Inner(children) => {
                    let nodes = children.iter().map(|child| child.node.object_id());
                    self.come(nodes.map(|id| (Type::Tree, id, Some(path))));
                }
            },
            Type::Links => {
                if let Node::<Vec<RepoPathBuf>>::Inner(children) = self.node(ObjectKind::Links, id)? {
                    let nodes = children.iter().map(|child| child.node.object_id());
                    self.come(nodes.map(|id| (Type::Links, id, None)));
                }
            }
            Type::LayoutNode => {
                let node = self.node(ObjectKind::LayoutNode, id)?;
                self.pieces(&node, path);
            }
            Type::Blob if !self.store.contains(ObjectKind::Data, id) => {
                if !self.store.contains(ObjectKind::Layout, id) {
                    return self.store.layout(id.into()).map(drop);
                }
                let root = layout::Root::decode(id.into(), &self.store.object(ObjectKind::Layout, id)?)?;
                self.pieces(&root.node, path);
            }
            Type::Attributes if !self.store.contains(ObjectKind::Attributes, id) => {
                self.store.attributes(id.into())?;
            }
            Type::Blob | Type::Attributes | Type::Commit | Type::Operation => {}
        }
        Ok(())
    }

    /// Entries of a directory: what they hold, and their attributes.
    fn meet(&mut self, entries: &[Entry], directory: &RepoPath) {
        for entry in entries.iter().rev() {
            let attributes = entry.attributes.map(|id| (Type::Attributes, id.object_id()));
            let content = entry.blob().map(|id| (Type::Blob, id.object_id()));
            let tree = entry.tree().map(|id| (Type::Tree, id.object_id()));
            for (is, id) in [attributes, content, tree].into_iter().flatten() {
                // Most of a directory is as it was in the commit before: no path is made for that.
                if !self.seen.contains(&(is, id)) {
                    let path = if entry.name.is_empty() { directory.to_owned() } else { directory.join(&entry.name) };
                    self.coming.push(Object { id, is, path: Some(path) });
                }
            }
        }
    }

    /// The chunks of a large blob, and the nodes that list more of them.
    fn pieces(&mut self, node: &Node<Piece>, path: &RepoPath) {
        match node {
            Node::Leaf(pieces) => {
                let chunks = pieces.iter().filter_map(|piece| match piece {
                    Piece::Chunk { id, .. } => Some(id.object_id()),
                    Piece::Zeros { .. } => None,
                });
                self.come(chunks.collect::<Vec<_>>().into_iter().map(|id| (Type::Blob, id, Some(path))));
            }
            Node::Inner(children) => {
                let nodes = children.iter().map(|child| child.node.object_id());
                self.come(nodes.map(|id| (Type::LayoutNode, id, Some(path))));
            }
        }
    }

    fn come<'p>(&mut self, objects: impl DoubleEndedIterator<Item = (Type, ObjectId, Option<&'p RepoPath>)>) {
        let Reach { seen, coming, .. } = self;
        let new = objects.rev().filter(|&(is, id, _)| !seen.contains(&(is, id)));
        coming.extend(new.map(|(is, id, path)| Object { id, is, path: path.map(RepoPath::to_owned) }));
    }

    fn node<T: Item>(&self, kind: ObjectKind, id: ObjectId) -> Result<Node<T>> {
        Node::decode(&self.store.object(kind, id)?)
    }
}

impl Iterator for Reach<'_> {
    type Item = Result<Object, Lost>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let found = match self.coming.pop() {
                Some(object) if !self.seen.insert((object.is, object.id)) => continue,
                Some(object) => match self.open(&object) {
                    Ok(()) => Ok(object),
                    Err(error) => Err(Lost { object: Some(object), error }),
                },
                None => self.begin()?,
            };
            if found.is_err() || !self.is_hiding {
                return Some(found);
            }
        }
    }
}
