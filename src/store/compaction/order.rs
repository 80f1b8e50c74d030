//! The order in which a compaction copies objects.
//!
//! Walks the trees of current commits, and what each of the copied commits has changed. The order affects only the size
//! of frames and how many of them a command reads, so an unreadable object is skipped.

use std::collections::{HashMap, HashSet};

use super::candidates::Candidates;
use crate::id::{BlobId, CommitId, ObjectId, TreeId};
use crate::object::{Commit, Content, Entry, ObjectKind, Objects, tree};
use crate::store::pack_set::Store;

/// Position of an object in the new packs, within its kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Needed by a current commit: in tree order.
    Current(u32),
    /// Not found by the walk: in the order of the old packs.
    #[default]
    Unknown,
    /// Needed only by older commits: by path, then time.
    Old {
        /// Hash of the path. The paths of one directory have the same high bits.
        path: u64,
        /// Number of the commit, oldest first.
        time: u32,
    },
}

/// The ranks of the candidates, by number.
pub fn of(store: &Store, candidates: &Candidates<'_>, current: &[CommitId]) -> Vec<Rank> {
    let ranks = vec![Rank::Unknown; candidates.end()];
    let mut walk = Walk { store, candidates, ranks, visited: HashSet::new(), count: 0 };
    for commit in current.iter().filter_map(|&id| store.commit(id).ok()) {
        walk.current(&commit);
    }
    walk.visited = HashSet::new();
    for (time, commit) in (0..).zip(walk.commits()) {
        walk.changes(&commit, time);
    }
    walk.ranks
}

struct Walk<'a> {
    store: &'a Store,
    candidates: &'a Candidates<'a>,
    ranks: Vec<Rank>,
    /// Nodes of current commits, then nodes that commits have added, that were visited.
    visited: HashSet<TreeId>,
    /// Number of current objects that were ranked.
    count: u32,
}

/// A directory whose changes are visited.
struct Changed {
    path: u64,
    new: TreeId,
    old: Option<TreeId>,
}

impl Walk<'_> {
    /// Ranks an object that has no rank yet.
    fn rank(&mut self, kind: ObjectKind, id: ObjectId, rank: Rank) -> bool {
        let Some(number) = self.candidates.find(kind, id) else { return false };
        let known = &mut self.ranks[number as usize];
        let is_first = *known == Rank::Unknown;
        if is_first {
            *known = rank;
        }
        is_first
    }

    fn rank_current(&mut self, kind: ObjectKind, id: ObjectId) {
        self.count += u32::from(self.rank(kind, id, Rank::Current(self.count)));
    }

    /// Ranks everything that a commit needs.
    fn current(&mut self, commit: &Commit) {
        if let Some(links) = commit.links {
            self.rank_current(ObjectKind::Links, links.object_id());
        }
        let mut rest = vec![Item::Entry(commit.root.clone())];
        while let Some(item) = rest.pop() {
            let entry = match item {
                Item::Entry(entry) => entry,
                Item::Node(id) => {
                    self.open(id, &mut rest);
                    continue;
                }
            };
            if let Some(attributes) = entry.attributes {
                self.rank_current(ObjectKind::Attributes, attributes.object_id());
            }
            match entry.content {
                Content::File { blob, .. } => {
                    self.rank_current(ObjectKind::Data, blob.object_id());
                    self.rank_current(ObjectKind::Layout, blob.object_id());
                }
                Content::Directory { tree, .. } => rest.push(Item::Node(tree)),
                _ => {}
            }
        }
    }

    /// Ranks a node of a directory and adds its items, the first one last.
    fn open(&mut self, id: TreeId, rest: &mut Vec<Item>) {
        if !self.visited.insert(id) {
            return;
        }
        self.rank_current(ObjectKind::Tree, id.object_id());
        match self.store.tree_node(id) {
            Ok(tree::Node::Leaf(entries)) => rest.extend(entries.into_iter().rev().map(Item::Entry)),
            Ok(tree::Node::Inner(children)) => rest.extend(children.iter().rev().map(|child| Item::Node(child.node))),
            Err(_) => {}
        }
    }

    /// The commits among the candidates, oldest first.
    fn commits(&self) -> Vec<Commit> {
        let records = self.candidates.numbers().map(|number| self.candidates.get(number).record);
        let ids = records.filter(|record| record.kind == ObjectKind::Commit).map(|record| CommitId::from(record.id));
        let mut commits: Vec<Commit> = ids.filter_map(|id| self.store.commit(id).ok()).collect();
        commits.sort_by_key(Commit::order);
        commits
    }

    /// Ranks what a commit has changed since its first parent.
    fn changes(&mut self, commit: &Commit, time: u32) {
        let parent = commit.parents.first().and_then(|&id| self.store.commit(id).ok());
        if let Some(links) = commit.links {
            self.rank(ObjectKind::Links, links.object_id(), Rank::Old { path: 0, time });
        }
        let Some(new) = commit.root.tree() else { return };
        let old = parent.and_then(|parent| parent.root.tree());
        let mut rest = vec![Changed { path: 0, new, old }];
        while let Some(directory) = rest.pop() {
            self.directory(&directory, time, &mut rest);
        }
    }

    /// Ranks the changed nodes and files of a directory, and adds its changed directories.
    fn directory(&mut self, directory: &Changed, time: u32, rest: &mut Vec<Changed>) {
        let (mut new, mut old) = (vec![(Vec::new(), directory.new)], Vec::from_iter(directory.old));
        let (mut entries, mut before) = (Vec::new(), HashMap::new());
        for depth in 0u8.. {
            let common: HashSet<TreeId> = new.iter().map(|(_, id)| *id).filter(|id| old.contains(id)).collect();
            new.retain(|(_, id)| !common.contains(id));
            old.retain(|id| !common.contains(id));
            if new.is_empty() {
                break;
            }
            let mut below = Vec::new();
            for (first, id) in new {
                // Without its parent, a commit adds its whole tree.
                if !self.visited.insert(id) {
                    continue;
                }
                let path = path_in(directory.path, &[&[depth], &first[..]].concat());
                self.rank(ObjectKind::Tree, id.object_id(), Rank::Old { path, time });
                match self.store.tree_node(id) {
                    Ok(tree::Node::Leaf(more)) => entries.extend(more),
                    Ok(tree::Node::Inner(children)) => {
                        below.extend(children.into_iter().map(|child| (child.first, child.node)));
                    }
                    Err(_) => {}
                }
            }
            new = below;
            let mut below = Vec::new();
            for id in old {
                match self.store.tree_node(id) {
                    Ok(tree::Node::Leaf(more)) => {
                        before.extend(more.into_iter().map(|entry| (entry.name, entry.content)));
                    }
                    Ok(tree::Node::Inner(children)) => below.extend(children.iter().map(|child| child.node)),
                    Err(_) => {}
                }
            }
            old = below;
        }
        for entry in entries {
            let last = before.get(&entry.name);
            if last == Some(&entry.content) {
                continue;
            }
            let path = path_in(directory.path, &entry.name);
            if let Some(attributes) = entry.attributes {
                self.rank(ObjectKind::Attributes, attributes.object_id(), Rank::Old { path, time });
            }
            match entry.content {
                Content::File { blob, .. } => self.file(blob, path, time),
                Content::Directory { tree: new, .. } => {
                    let old = match last {
                        Some(Content::Directory { tree, .. }) => Some(*tree),
                        _ => None,
                    };
                    rest.push(Changed { path, new, old });
                }
                _ => {}
            }
        }
    }

    fn file(&mut self, blob: BlobId, path: u64, time: u32) {
        for kind in [ObjectKind::Data, ObjectKind::Layout] {
            self.rank(kind, blob.object_id(), Rank::Old { path, time });
        }
    }
}

/// What remains to be visited in a current commit.
enum Item {
    Entry(Entry),
    Node(TreeId),
}

/// Hash of the path of a name in a directory. Names of one directory have the same high bits.
fn path_in(directory: u64, name: &[u8]) -> u64 {
    let hash = blake3::Hasher::new().update(&directory.to_le_bytes()).update(name).finalize();
    let (head, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
    directory << 40 | u64::from_le_bytes(*head) >> 24
}
