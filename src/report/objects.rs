//! Objects with all their fields, as `cat-file -p` shows them.

use serde::Serialize;

use crate::id::{AttributesId, BlobId, ChunkId, CommitId, LinksId, ObjectId, OperationId, PackId};
use crate::object::layout::Piece;
use crate::object::nodes::{Child, Item, Node};
use crate::object::operation::{Operation, UndoPosition};
use crate::object::{Attributes, Commit, Extras, tree};
use crate::path::{RepoPath, RepoPathBuf};
use crate::report::commits::{CommitRecord, Names};
use crate::report::entries::FullEntry;
use crate::report::operations::{OperationRecord, OperationState};
use crate::report::values::{base64, lossy, octal};
use crate::serialize::or_empty;
use crate::time::Timestamp;

/// A node below an inner one.
#[derive(Serialize)]
struct NodeRecord {
    id: ObjectId,
    count: u64,
}

/// The items of a leaf, or the nodes below an inner node.
fn items<T: Item, J>(node: &Node<T>, record: impl Fn(&T) -> J) -> (Vec<J>, Vec<NodeRecord>) {
    let child = |child: &Child<T::Id>| NodeRecord { id: child.node.into(), count: child.count };
    match node {
        Node::Leaf(items) => (items.iter().map(record).collect(), Vec::new()),
        Node::Inner(children) => (Vec::new(), children.iter().map(child).collect()),
    }
}

/// A node of a directory.
#[derive(Serialize)]
#[serde(tag = "type", rename = "tree")]
pub struct TreeFields {
    id: ObjectId,
    entries: Vec<FullEntry>,
    nodes: Vec<NodeRecord>,
    /// For the text.
    #[serde(skip)]
    pub node: tree::Node,
}

impl TreeFields {
    /// A tree and its id.
    pub fn new(id: ObjectId, node: tree::Node) -> TreeFields {
        let (entries, nodes) = items(&node, |entry| FullEntry::new(&RepoPath::root().join(&entry.name), entry));
        TreeFields { id, entries, nodes, node }
    }
}

/// A node of a table of hard links.
#[derive(Serialize)]
#[serde(tag = "type", rename = "links")]
pub struct LinksFields {
    id: ObjectId,
    groups: Vec<Vec<RepoPathBuf>>,
    nodes: Vec<NodeRecord>,
    /// For the text.
    #[serde(skip)]
    pub node: Node<Vec<RepoPathBuf>>,
}

impl LinksFields {
    /// A links object and its id.
    pub fn new(id: ObjectId, node: Node<Vec<RepoPathBuf>>) -> LinksFields {
        let (groups, nodes) = items(&node, Vec::clone);
        LinksFields { id, groups, nodes, node }
    }
}

/// A node of the pieces of a large blob.
#[derive(Serialize)]
#[serde(tag = "type", rename = "layout-node")]
pub struct LayoutFields {
    id: ObjectId,
    pieces: Vec<PieceRecord>,
    nodes: Vec<NodeRecord>,
    /// For the text.
    #[serde(skip)]
    pub node: Node<Piece>,
}

#[derive(Serialize)]
struct PieceRecord {
    /// Empty for zeros.
    #[serde(serialize_with = "or_empty")]
    id: Option<ObjectId>,
    length: u64,
}

impl LayoutFields {
    /// A layout node and its id.
    pub fn new(id: ObjectId, node: Node<Piece>) -> LayoutFields {
        let (pieces, nodes) = items(&node, |piece| {
            let id = piece.chunk().map(ChunkId::object_id);
            PieceRecord { id, length: piece.length() }
        });
        LayoutFields { id, pieces, nodes, node }
    }
}

/// Extended attributes and holes.
#[derive(Serialize)]
#[serde(tag = "type", rename = "attributes")]
pub struct AttributesFields {
    id: ObjectId,
    xattrs: Vec<XattrRecord>,
    holes: Vec<HoleRecord>,
    /// For the text.
    #[serde(skip)]
    pub attributes: Attributes,
}

#[derive(Serialize)]
struct XattrRecord {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_bytes: Option<String>,
    #[serde(serialize_with = "base64")]
    value: Vec<u8>,
}

#[derive(Serialize)]
struct HoleRecord {
    offset: u64,
    length: u64,
}

impl AttributesFields {
    /// An attributes object and its id.
    pub fn new(id: ObjectId, attributes: Attributes) -> AttributesFields {
        let xattr = |(name, value): &(Vec<u8>, Vec<u8>)| {
            let (name, name_bytes) = lossy(name);
            XattrRecord { name, name_bytes, value: value.clone() }
        };
        let xattrs = attributes.xattrs.iter().map(xattr).collect();
        let holes = attributes.holes.iter().map(|&(offset, length)| HoleRecord { offset, length }).collect();
        AttributesFields { id, xattrs, holes, attributes }
    }
}

/// A commit with all its fields.
#[derive(Serialize)]
pub struct CommitFields {
    #[serde(flatten)]
    record: CommitRecord,
    tree: String,
    #[serde(serialize_with = "or_empty")]
    links: Option<LinksId>,
    #[serde(serialize_with = "octal")]
    mode: u16,
    uid: u32,
    gid: u32,
    mtime: Timestamp,
    #[serde(serialize_with = "or_empty")]
    attributes: Option<AttributesId>,
    /// Seconds ahead of UTC.
    offset: i32,
    directories: u64,
    others: u64,
    extras: Vec<ExtraRecord>,
    /// For the text.
    #[serde(skip)]
    pub commit: Commit,
}

#[derive(Serialize)]
struct ExtraRecord {
    key: String,
    #[serde(serialize_with = "base64")]
    value: Vec<u8>,
}

fn extras(extras: &Extras) -> Vec<ExtraRecord> {
    extras.iter().map(|(key, value)| ExtraRecord { key: key.to_owned(), value: value.to_vec() }).collect()
}

impl CommitFields {
    /// A commit and the refs at it.
    pub fn new(id: CommitId, commit: Commit, names: Names) -> CommitFields {
        let metadata = &commit.root.metadata;
        CommitFields {
            record: CommitRecord::new(id, &commit, names, None),
            tree: commit.root.object_name(),
            links: commit.links,
            mode: metadata.mode,
            uid: metadata.uid,
            gid: metadata.gid,
            mtime: metadata.mtime,
            attributes: commit.root.attributes,
            offset: commit.offset,
            directories: commit.totals.directories,
            others: commit.totals.others,
            extras: extras(&commit.extras),
            commit,
        }
    }
}

/// Position and tip of a step of `undo` or `redo`. Empty: the state before the first action.
#[derive(Serialize)]
struct UndoPositionRecord {
    #[serde(serialize_with = "or_empty")]
    position: Option<OperationId>,
    #[serde(serialize_with = "or_empty")]
    tip: Option<OperationId>,
}

/// An operation with all its fields.
#[derive(Serialize)]
pub struct OperationFields {
    #[serde(flatten)]
    record: OperationRecord,
    #[serde(serialize_with = "or_empty")]
    parent: Option<OperationId>,
    packs_added: Vec<PackId>,
    is_joined: bool,
    #[serde(serialize_with = "or_empty")]
    directory: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    undo_position: Option<UndoPositionRecord>,
    purged: Vec<BlobId>,
    unpurged: Vec<BlobId>,
    extras: Vec<ExtraRecord>,
    /// For the text.
    #[serde(skip)]
    pub operation: Operation,
}

impl OperationFields {
    /// The fields of one operation.
    pub fn new(operation: Operation, state: OperationState) -> OperationFields {
        let step = |UndoPosition { position, tip }| UndoPositionRecord { position, tip };
        OperationFields {
            record: OperationRecord::new(&operation, &[], state),
            parent: operation.parent,
            packs_added: operation.packs_added.clone(),
            is_joined: operation.is_joined,
            directory: operation.directory.map(|id| id.to_string()),
            undo_position: operation.undo_position.map(step),
            purged: operation.history.purges.iter().map(|blob| blob.id).collect(),
            unpurged: operation.history.unpurges.clone(),
            extras: extras(&operation.extras),
            operation,
        }
    }
}
