//! Objects: encoding and decoding of the formats in `docs/format.md`. Pure functions, which are tested and fuzzed
//! without I/O.
//!
//! Encoding is canonical: every value has exactly one encoding, and decoding rejects all other bytes.

pub mod alarm_marks;
pub mod attributes;
pub mod automatic_mark;
pub mod commit;
pub mod entry;
pub mod entry_line;
mod extras;
pub mod fields;
pub mod groups;
pub mod kind;
pub mod layout;
pub mod lazy_node;
pub mod links;
pub mod nodes;
pub mod operation;
pub mod order;
pub mod references;
pub mod run_info;
#[cfg(test)]
pub(crate) mod tests;
pub mod tree;
pub(crate) mod tree_cursor;

use std::sync::Arc;

use crate::error::Result;
use crate::id::{AttributesId, CommitId, LinksId, ObjectId, TreeId};

pub use alarm_marks::Mark;
pub use attributes::Attributes;
pub use commit::Commit;
pub use entry::{Content, Entry};
pub use extras::Extras;
pub use groups::Groups;
pub use kind::{ObjectKind, id_of, keyed};
pub use layout::Layout;
pub use links::Links;
pub use operation::{Intent, Operation};
pub use run_info::RunInfo;
pub use tree::Tree;

/// A source of encoded objects: the store, or a scan that holds new objects in memory.
pub trait Objects: Sync {
    /// The verified bytes of an object. [`crate::error::ErrorKind::Damaged`] if the object is missing or damaged.
    fn object(&self, kind: ObjectKind, id: ObjectId) -> Result<Arc<[u8]>>;

    /// A node of a directory.
    fn tree_node(&self, id: TreeId) -> Result<tree::Node> {
        tree::Node::decode(&self.object(ObjectKind::Tree, id.object_id())?)
    }

    /// A node of a directory whose entries are decoded on demand.
    fn open_tree(&self, id: TreeId) -> Result<lazy_node::LazyNode> {
        lazy_node::LazyNode::decode(self.object(ObjectKind::Tree, id.object_id())?)
    }

    /// A whole directory.
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

    /// A whole table of hard links.
    fn links(&self, id: LinksId) -> Result<Links> {
        Links::load(id, |node| self.object(ObjectKind::Links, node.object_id()))
    }
}
