//! Hard links: which paths of a root tree are names of one file. Kept beside the tree, so that trees stay canonical.

use std::sync::Arc;

use crate::error::Result;
use crate::id::LinksId;
use crate::path::RepoPathBuf;

/// Groups of paths, each naming one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Groups of two or more paths; sorted inside, and among each other by their first path.
    pub groups: Vec<Vec<RepoPathBuf>>,
}

impl Links {
    /// Encodes the table, cut into nodes where it is long; each node goes to `put`, leaves first.
    pub fn save(&self, put: impl FnMut(LinksId, Vec<u8>) -> Result<()>) -> Result<LinksId> {
        let _ = put;
        todo!()
    }

    /// Reads the whole table.
    pub fn load(id: LinksId, node: impl Fn(LinksId) -> Result<Arc<[u8]>>) -> Result<Links> {
        let _ = (id, node);
        todo!()
    }
}
