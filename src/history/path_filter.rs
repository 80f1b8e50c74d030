//! Decides whether a commit changes one of some paths relative to its first parent.
//!
//! Trees with the same id have the same entries, so nothing below them is read. Lookups are cached, because the parent's
//! trees of one commit are the trees of the next commit.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use crate::error::Result;
use crate::id::TreeId;
use crate::object::lazy_node::LazyNode;
use crate::object::{Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};

/// Upper bound of the names whose lookups are cached: hundreds of commits for a few paths, and small enough that a long
/// history does not keep asking for new memory.
const CACHED_NAMES: usize = 1 << 10;

/// Filters commits by the paths that they change.
pub struct PathFilter {
    /// The paths as a trie; the first node is the root directory.
    nodes: Vec<PathNode>,
    cache: HashMap<LookupKey, Entries>,
    /// Names in `cache`.
    cached_names: usize,
}

#[derive(Default)]
struct PathNode {
    /// Whether this is one of the paths, and not only on the way to one.
    is_requested: bool,
    /// Names in this directory and the node of each, sorted by name.
    names: Vec<(Vec<u8>, usize)>,
}

/// A tree node, the directory it belongs to, and which of the directory's names were looked up in it.
type LookupKey = (TreeId, usize, Range<usize>);

/// The entry of each name, in order. Empty if the directory does not exist.
type Entries = Rc<[Option<Entry>]>;

impl PathFilter {
    pub fn new(paths: &[RepoPathBuf]) -> PathFilter {
        let mut filter = PathFilter { nodes: vec![PathNode::default()], cache: HashMap::new(), cached_names: 0 };
        paths.iter().for_each(|path| filter.add(path));
        filter
    }

    fn add(&mut self, path: &RepoPath) {
        let mut at = 0;
        for name in path.names() {
            let place = self.nodes[at].names.binary_search_by(|(other, _)| other.as_slice().cmp(name));
            at = match place {
                Ok(place) => self.nodes[at].names[place].1,
                Err(place) => {
                    let new = self.nodes.len();
                    self.nodes.push(PathNode::default());
                    self.nodes[at].names.insert(place, (name.to_owned(), new));
                    new
                }
            };
        }
        self.nodes[at].is_requested = true;
    }

    /// Whether one of the paths differs in more than its mtime between two root directories.
    pub fn differs(&mut self, objects: &dyn Objects, new: &Entry, old: Option<&Entry>) -> Result<bool> {
        if self.nodes[0].is_requested && !is_same(Some(new), old) {
            return Ok(true);
        }
        // A list instead of recursion, because paths may be deeper than the stack.
        let mut pending = vec![(0, new.tree(), old.and_then(Entry::tree))];
        while let Some((at, new, old)) = pending.pop() {
            if new == old || self.nodes[at].names.is_empty() {
                continue;
            }
            let (new, old) = (self.entries(objects, at, new)?, self.entries(objects, at, old)?);
            for (n, &(_, below)) in self.nodes[at].names.iter().enumerate() {
                let (new, old) = (entry(&new, n), entry(&old, n));
                if self.nodes[below].is_requested && !is_same(new, old) {
                    return Ok(true);
                }
                pending.push((below, new.and_then(Entry::tree), old.and_then(Entry::tree)));
            }
        }
        Ok(false)
    }

    /// The entries of all names of a directory.
    fn entries(&mut self, objects: &dyn Objects, at: usize, tree: Option<TreeId>) -> Result<Entries> {
        let Some(tree) = tree else { return Ok(Rc::new([])) };
        let all = 0..self.nodes[at].names.len();
        if let Some(entries) = self.cache.get(&(tree, at, all.clone())) {
            return Ok(Rc::clone(entries));
        }
        let mut entries = vec![None; all.len()];
        let mut pending = vec![(tree, all.clone())];
        while let Some((node, range)) = pending.pop() {
            if let Some(known) = self.cache.get(&(node, at, range.clone())) {
                entries[range].clone_from_slice(known);
                continue;
            }
            let names = &self.nodes[at].names;
            match objects.open_tree(node)? {
                LazyNode::Leaf(leaf) => {
                    for n in range.clone() {
                        entries[n] = leaf.find(&names[n].0)?;
                    }
                    self.remember((node, at, range.clone()), entries[range].into());
                }
                LazyNode::Inner(children) => {
                    let mut end = range.end;
                    for child in children.iter().rev() {
                        let before = names[range.start..end].partition_point(|(name, _)| *name < child.first);
                        let start = range.start + before;
                        if start < end {
                            pending.push((child.node, start..end));
                        }
                        end = start;
                    }
                }
            }
        }
        let entries: Entries = entries.into();
        self.remember((tree, at, all), Rc::clone(&entries));
        Ok(entries)
    }

    fn remember(&mut self, key: LookupKey, entries: Entries) {
        if self.cache.contains_key(&key) {
            return;
        }
        if self.cached_names + entries.len() > CACHED_NAMES {
            self.cache.clear();
            self.cached_names = 0;
        }
        self.cached_names += entries.len();
        self.cache.insert(key, entries);
    }
}

fn entry(entries: &Entries, n: usize) -> Option<&Entry> {
    entries.get(n).and_then(Option::as_ref)
}

fn is_same(new: Option<&Entry>, old: Option<&Entry>) -> bool {
    match (new, old) {
        (Some(new), Some(old)) => new.is_same_but_time(old),
        (new, old) => new.is_none() && old.is_none(),
    }
}

#[cfg(test)]
mod tests;
