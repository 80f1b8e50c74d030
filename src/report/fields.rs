//! Objects with all their fields, for programs: text as `object::text` has it, and JSON.

use std::io;

use serde::Serialize;

use crate::id::ObjectId;
use crate::object::layout::Piece;
use crate::object::nodes::{Child, Item, Node};
use crate::object::operation::Operation;
use crate::object::text::{self, Line};
use crate::object::{Attributes, Commit, Extras, tree};
use crate::path::{RepoPath, RepoPathBuf};
use crate::report::base64;
use crate::report::commits::{CommitRecord, Names};
use crate::report::entries::FullEntry;
use crate::report::operations::{OperationRecord, Standing};
use crate::report::{JsonPath, Report, json_id, json_paths};
use crate::terminal::Page;

/// A node below an inner one.
#[derive(Serialize)]
struct JsonNode {
    id: String,
    count: u64,
}

fn json_nodes<T: Item>(children: &[Child<T::Id>]) -> Vec<JsonNode> {
    let node = |child: &Child<T::Id>| JsonNode { id: T::object_id(child.node).to_string(), count: child.count };
    children.iter().map(node).collect()
}

/// The items of a leaf, or the nodes below an inner node.
fn items<T: Item, J>(node: &Node<T>, json: impl Fn(&T) -> J) -> (Vec<J>, Vec<JsonNode>) {
    match node {
        Node::Leaf(items) => (items.iter().map(json).collect(), Vec::new()),
        Node::Inner(children) => (Vec::new(), json_nodes::<T>(children)),
    }
}

/// A node of a directory.
#[derive(Serialize)]
pub struct TreeFields {
    id: String,
    entries: Vec<FullEntry>,
    nodes: Vec<JsonNode>,
    #[serde(skip)]
    lines: Vec<Line>,
}

impl TreeFields {
    /// Those of a tree.
    pub fn new(id: ObjectId, node: &tree::Node) -> TreeFields {
        let (entries, nodes) = items(node, |entry| FullEntry::new(&RepoPath::root().join(&entry.name), entry));
        TreeFields { id: id.to_string(), entries, nodes, lines: text::tree(node) }
    }
}

/// A node of a table of hard links.
#[derive(Serialize)]
pub struct LinksFields {
    id: String,
    groups: Vec<Vec<JsonPath>>,
    nodes: Vec<JsonNode>,
    #[serde(skip)]
    lines: Vec<Line>,
}

impl LinksFields {
    /// Those of a links object.
    pub fn new(id: ObjectId, node: &Node<Vec<RepoPathBuf>>) -> LinksFields {
        let (groups, nodes) = items(node, |group| json_paths::<&RepoPathBuf>(group));
        LinksFields { id: id.to_string(), groups, nodes, lines: text::links(node) }
    }
}

/// A node of the pieces of a large blob.
#[derive(Serialize)]
pub struct LayoutFields {
    id: String,
    pieces: Vec<JsonPiece>,
    nodes: Vec<JsonNode>,
    #[serde(skip)]
    lines: Vec<Line>,
}

/// `id` is empty for zeros.
#[derive(Serialize)]
struct JsonPiece {
    id: String,
    length: u64,
}

impl LayoutFields {
    /// Those of a layout node.
    pub fn new(id: ObjectId, node: &Node<Piece>) -> LayoutFields {
        let (pieces, nodes) = items(node, |piece| {
            let id = match piece {
                Piece::Chunk { id, .. } => Some(id),
                Piece::Zeros { .. } => None,
            };
            JsonPiece { id: json_id(id), length: piece.length() }
        });
        LayoutFields { id: id.to_string(), pieces, nodes, lines: text::layout(node) }
    }
}

/// Extended attributes and holes.
#[derive(Serialize)]
pub struct AttributesFields {
    id: String,
    xattrs: Vec<JsonXattr>,
    holes: Vec<JsonHole>,
    #[serde(skip)]
    lines: Vec<Line>,
}

/// The value is base64.
#[derive(Serialize)]
struct JsonXattr {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name_bytes: Option<String>,
    value: String,
}

#[derive(Serialize)]
struct JsonHole {
    offset: u64,
    length: u64,
}

impl AttributesFields {
    /// Those of an attributes object.
    pub fn new(id: ObjectId, attributes: &Attributes) -> AttributesFields {
        let xattr = |(name, value): &(Vec<u8>, Vec<u8>)| {
            let JsonPath { path, path_bytes } = JsonPath::from(&name[..]);
            JsonXattr { name: path, name_bytes: path_bytes, value: base64(value) }
        };
        let xattrs = attributes.xattrs.iter().map(xattr).collect();
        let holes = attributes.holes.iter().map(|&(offset, length)| JsonHole { offset, length }).collect();
        AttributesFields { id: id.to_string(), xattrs, holes, lines: text::attributes(attributes) }
    }
}

/// A commit: what `log` tells of it, and the rest.
#[derive(Serialize)]
pub struct CommitFields {
    #[serde(flatten)]
    record: CommitRecord,
    tree: String,
    links: String,
    mode: String,
    uid: u32,
    gid: u32,
    mtime: String,
    attributes: String,
    /// Seconds ahead of UTC.
    offset: i32,
    directories: u64,
    others: u64,
    extras: Vec<JsonExtra>,
    #[serde(skip)]
    lines: Vec<Line>,
}

/// The value is base64.
#[derive(Serialize)]
struct JsonExtra {
    key: String,
    value: String,
}

fn json_extras(extras: &Extras) -> Vec<JsonExtra> {
    extras.iter().map(|(key, value)| JsonExtra { key: key.to_owned(), value: base64(value) }).collect()
}

impl CommitFields {
    /// Those of a commit, with what points to it.
    pub fn new(id: ObjectId, commit: &Commit, names: Names) -> CommitFields {
        let metadata = &commit.root.metadata;
        CommitFields {
            record: CommitRecord::new(id.into(), commit, names, None),
            tree: commit.root.object_name(),
            links: json_id(commit.links),
            mode: format!("{:04o}", metadata.mode),
            uid: metadata.uid,
            gid: metadata.gid,
            mtime: metadata.mtime.to_rfc3339(),
            attributes: json_id(commit.root.attributes),
            offset: commit.offset,
            directories: commit.totals.directories,
            others: commit.totals.others,
            extras: json_extras(&commit.extras),
            lines: text::commit(commit),
        }
    }
}

/// An operation: what `op show` tells of it, and the rest.
#[derive(Serialize)]
pub struct OperationFields {
    #[serde(flatten)]
    record: Option<OperationRecord>,
    parent: String,
    packs_added: Vec<String>,
    packs_removed: Vec<String>,
    extras: Vec<JsonExtra>,
    #[serde(skip)]
    lines: Vec<Line>,
}

impl OperationFields {
    /// Those of an operation, as it stands.
    pub fn new(operation: &Operation, standing: Standing) -> OperationFields {
        OperationFields {
            record: OperationRecord::new(&[operation], standing, true),
            parent: json_id(operation.parent),
            packs_added: operation.packs_added.iter().map(ToString::to_string).collect(),
            packs_removed: operation.packs_removed.iter().map(ToString::to_string).collect(),
            extras: json_extras(&operation.extras),
            lines: text::operation(operation),
        }
    }
}

macro_rules! report {
    ($($fields:ty: $word:literal),+) => {$(
        impl Report for $fields {
            const TYPE: &'static str = $word;

            fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
                page.lines(&self.lines)
            }
        }
    )+};
}

report! {
    TreeFields: "tree", LinksFields: "links", LayoutFields: "layout-node", AttributesFields: "attributes",
    CommitFields: "commit", OperationFields: "operation"
}
