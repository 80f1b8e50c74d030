//! Trees: a directory as a sorted list of entries, cut into nodes when it is long.

use crate::error::Result;
use crate::id::{AttributesId, BlobId, TreeId};
use crate::metadata::{Kind, Metadata};

/// One name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name (`path::is_name`). Empty for the root of a worktree, which a commit keeps as an entry.
    pub name: Vec<u8>,
    /// Mode, owner and time.
    pub metadata: Metadata,
    /// Extended attributes and holes, if it has any.
    pub attributes: Option<AttributesId>,
    /// What it is.
    pub content: Content,
}

/// What an entry is, by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A file: bytes, and how many.
    File {
        /// Its content.
        blob: BlobId,
        /// Bytes, holes included.
        size: u64,
    },
    /// A directory, and what is below it at every depth.
    Directory {
        /// Its entries.
        tree: TreeId,
        /// Entries below it at every depth.
        entries: u64,
        /// Bytes of the files below it.
        size: u64,
    },
    /// A symbolic link.
    Symlink {
        /// Where it points, byte for byte.
        target: Vec<u8>,
    },
    /// A named pipe.
    Fifo,
    /// A character device.
    CharDevice {
        /// Device number as `st_rdev` gives it.
        rdev: u64,
    },
    /// A block device.
    BlockDevice {
        /// Device number as `st_rdev` gives it.
        rdev: u64,
    },
}

impl Entry {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self.content {
            Content::File { .. } => Kind::File,
            Content::Directory { .. } => Kind::Directory,
            Content::Symlink { .. } => Kind::Symlink,
            Content::Fifo => Kind::Fifo,
            Content::CharDevice { .. } => Kind::CharDevice,
            Content::BlockDevice { .. } => Kind::BlockDevice,
        }
    }

    /// Bytes of content: of a file, or of all files below a directory; 0 for the rest.
    pub fn size(&self) -> u64 {
        match self.content {
            Content::File { size, .. } | Content::Directory { size, .. } => size,
            _ => 0,
        }
    }

    /// The tree of a directory.
    pub fn tree(&self) -> Option<TreeId> {
        match self.content {
            Content::Directory { tree, .. } => Some(tree),
            _ => None,
        }
    }

    /// The blob of a file.
    pub fn blob(&self) -> Option<BlobId> {
        match self.content {
            Content::File { blob, .. } => Some(blob),
            _ => None,
        }
    }
}

/// A directory's entries, sorted by name, no name twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Sorted by the bytes of their names.
    pub entries: Vec<Entry>,
}

/// What one tree object holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Entries of the directory.
    Leaf(Vec<Entry>),
    /// Nodes below, in order.
    Inner(Vec<Child>),
}

/// A reference from an inner node to a node below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// The first name in the node.
    pub first: Vec<u8>,
    /// The node.
    pub node: TreeId,
    /// Entries of this directory in the node.
    pub count: u64,
}

impl Node {
    /// Decodes one tree object; names that could lead outside the worktree are refused.
    pub fn decode(bytes: &[u8]) -> Result<Node> {
        let _ = bytes;
        todo!()
    }

    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }
}

impl Tree {
    /// The entry of this name.
    pub fn find(&self, name: &[u8]) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).ok()?;
        Some(&self.entries[at])
    }

    /// Encodes the directory as one node, or as several where it is long; each new node goes to `put`, leaves first.
    /// Equal entries give equal nodes and ids, whatever the directory looked like before.
    pub fn save(&self, put: impl FnMut(TreeId, Vec<u8>) -> Result<()>) -> Result<TreeId> {
        let _ = put;
        todo!()
    }

    /// Reads the whole directory, however many nodes it has.
    pub fn load(id: TreeId, node: impl Fn(TreeId) -> Result<Node>) -> Result<Tree> {
        let _ = (id, node);
        todo!()
    }
}
