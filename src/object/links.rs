//! Hard links: the paths of a root tree that name the same file. Stored outside the tree, so that trees stay canonical.

use std::collections::HashSet;
use std::sync::Arc;

use super::kind::ObjectKind;
use super::nodes::{self, Item, Node};
use crate::error::{Error, ErrorKind, Result};
use crate::id::LinksId;
use crate::path::{RepoPath, RepoPathBuf};

/// Groups of paths; the paths of a group name the same file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Groups of two or more paths, sorted by their first path; each group is sorted.
    pub groups: Vec<Vec<RepoPathBuf>>,
}

impl Links {
    /// Encodes the table, as several nodes if it is long. Each node goes to `put`, leaves first.
    pub fn save(&self, put: impl FnMut(LinksId, Vec<u8>) -> Result<()>) -> Result<LinksId> {
        if !self.groups.iter().all(|group| is_group(group)) || !self.names_each_path_once() {
            return Err(Error::new(ErrorKind::Internal, "cannot encode links: a group that is none"));
        }
        nodes::save(&self.groups, put)
    }

    /// Decodes the whole table.
    pub fn load(id: LinksId, node: impl Fn(LinksId) -> Result<Arc<[u8]>>) -> Result<Links> {
        let node = |id| Node::decode(&node(id)?);
        let links = Links { groups: nodes::load(node(id)?, node)? };
        if links.names_each_path_once() {
            Ok(links)
        } else {
            Err(Error::damaged("invalid links: a path in two groups"))
        }
    }

    /// The hard links within a directory, with paths relative to it.
    pub fn below(self, path: &RepoPath) -> Links {
        let below = |group: Vec<RepoPathBuf>| -> Vec<RepoPathBuf> {
            group.iter().filter_map(|name| name.below(path).map(ToOwned::to_owned)).collect()
        };
        let mut groups: Vec<_> = self.groups.into_iter().map(below).filter(|group| group.len() > 1).collect();
        groups.sort();
        Links { groups }
    }

    fn names_each_path_once(&self) -> bool {
        let mut seen: HashSet<&RepoPath> = HashSet::new();
        self.groups.iter().flatten().all(|path| seen.insert(path))
    }
}

/// Whether these are two or more sorted paths.
fn is_group(paths: &[RepoPathBuf]) -> bool {
    paths.len() >= 2 && paths.is_sorted_by(|a, b| a < b)
}

/// The table is a long list of groups, with their first paths as keys.
impl Item for Vec<RepoPathBuf> {
    type Id = LinksId;
    const KIND: ObjectKind = ObjectKind::Links;

    fn key(&self) -> &[u8] {
        self.first().map_or(&[], |path| path.as_bytes())
    }

    fn weight(&self) -> u64 {
        1
    }

    fn follows(&self, previous: &Vec<RepoPathBuf>) -> bool {
        previous.first() < self.first()
    }

    fn check(&self) -> Result<(), &'static str> {
        if is_group(self) { Ok(()) } else { Err("invalid group of links") }
    }
}
