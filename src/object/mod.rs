//! Objects: bytes ↔ values. Pure functions, so they are tested and fuzzed without a disk (`docs/format.md`).

pub mod attributes;
pub mod commit;
pub mod layout;
pub mod links;
pub mod nodes;
pub mod operation;
pub mod tree;

use std::sync::Arc;

use crate::error::Result;
use crate::id::{AttributesId, CommitId, LinksId, ObjectId, TreeId};

pub use attributes::Attributes;
pub use commit::Commit;
pub use layout::Layout;
pub use links::Links;
pub use operation::Operation;
pub use tree::{Content, Entry, Tree};

/// What an object in a pack is. The number is the byte in pack tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    /// The bytes of a blob that is kept in one piece, or of a chunk; named by their plain hash.
    Data = 1,
    /// How a large blob is put together; named by the blob's id.
    Layout = 2,
    /// A node of a long chunk list.
    LayoutNode = 3,
    /// A directory, or a node of a long one.
    Tree = 4,
    /// Extended attributes and holes.
    Attributes = 5,
    /// Hard-link groups, or a node of a long list of them.
    Links = 6,
    /// A commit.
    Commit = 7,
}

/// Where encoded objects come from: the store, or what a scan holds in memory before it.
pub trait Objects: Sync {
    /// The verified bytes of an object; [`crate::error::ErrorKind::Damaged`] if it is missing or not what it should be.
    fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>>;

    /// One node of a directory.
    fn tree_node(&self, id: TreeId) -> Result<tree::Node> {
        tree::Node::decode(&self.object(ObjectKind::Tree, id.object_id())?)
    }

    /// A whole directory, however many nodes it has.
    fn tree(&self, id: TreeId) -> Result<Tree> {
        Tree::load(id, |node| self.tree_node(node))
    }

    /// A commit.
    fn commit(&self, id: CommitId) -> Result<Commit> {
        Commit::decode(&self.object(ObjectKind::Commit, id.object_id())?)
    }

    /// Attributes.
    fn attributes(&self, id: AttributesId) -> Result<Attributes> {
        Attributes::decode(&self.object(ObjectKind::Attributes, id.object_id())?)
    }

    /// A whole table of hard links, however many nodes it has.
    fn links(&self, id: LinksId) -> Result<Links> {
        Links::load(id, |node| self.object(ObjectKind::Links, node.object_id()))
    }
}

/// The id of an object: BLAKE3 of its bytes, plain for [`ObjectKind::Data`], keyed by its kind for the others.
/// A layout has no id of its own: it stands under the id of its blob.
pub fn id_of(kind: ObjectKind, bytes: &[u8]) -> ObjectId {
    let _ = (kind, bytes);
    todo!()
}
