//! Trees: a directory as a sorted list of entries, split into nodes if it is long.

use super::entry::{Content, Entry};
use super::nodes;
use crate::error::{Error, ErrorKind, Result};
use crate::id::TreeId;
use crate::path::is_name;

/// Entries of a directory, sorted by name, without duplicates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Sorted by the bytes of their names.
    pub entries: Vec<Entry>,
}

/// Content of a tree object. Decoding rejects names that could lead outside the worktree.
pub type Node = nodes::Node<Entry>;

/// A reference to a node of a directory.
pub type Child = nodes::Child<TreeId>;

impl Tree {
    /// Finds an entry by name.
    pub fn find(&self, name: &[u8]) -> Option<&Entry> {
        let at = self.entries.binary_search_by(|entry| entry.name.as_slice().cmp(name)).ok()?;
        Some(&self.entries[at])
    }

    /// Number of entries at every depth, and size of the files among them in bytes.
    pub fn totals(&self) -> Result<(u64, u64)> {
        let add = |total: (u64, u64), entry: &Entry| {
            let below = match entry.content {
                Content::Directory { entries, .. } => entries,
                _ => 0,
            };
            Some((total.0.checked_add(1)?.checked_add(below)?, total.1.checked_add(entry.size())?))
        };
        let total = self.entries.iter().try_fold((0, 0), add);
        total.ok_or_else(|| Error::new(ErrorKind::Usage, "the total size of a directory exceeds the maximum"))
    }

    /// Encodes the directory, as several nodes if it is long. Each node goes to `put`, leaves first. Equal entries
    /// yield equal nodes and ids.
    pub fn save(&self, put: impl FnMut(TreeId, Vec<u8>) -> Result<()>) -> Result<TreeId> {
        if let Some(entry) = self.entries.iter().find(|entry| !is_name(&entry.name)) {
            let name = entry.name.escape_ascii();
            return Err(Error::new(ErrorKind::Internal, format!("cannot encode a tree: `{name}` is not a valid name")));
        }
        nodes::save(&self.entries, put)
    }

    /// Decodes the whole directory.
    pub fn load(id: TreeId, node: impl Fn(TreeId) -> Result<Node>) -> Result<Tree> {
        Ok(Tree { entries: nodes::load(node(id)?, node)? })
    }
}
