//! Laws of long lists: one shape for one value, and small changes stay small.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::id::{BlobId, ChunkId, LayoutId, LinksId, TreeId};
use crate::metadata::Metadata;
use crate::object::layout::{Layout, Piece};
use crate::object::tree::{Child, Node};
use crate::object::{Content, Entry, Links, ObjectKind, Tree, id_of};
use crate::path::RepoPathBuf;

/// Nodes that a save put, by id.
type Nodes<Id> = HashMap<Id, Vec<u8>>;

fn entry(name: &str) -> Entry {
    let content = Content::File { blob: BlobId([7; 32]), size: 5 };
    Entry { name: name.into(), metadata: Metadata { mode: 0o644, ..Metadata::default() }, attributes: None, content }
}

/// Names as photographs, logs and hashes have them.
fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("file-{n:06}.dat")).collect()
}

fn tree(names: &[String]) -> Tree {
    let mut entries: Vec<Entry> = names.iter().map(|name| entry(name)).collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Tree { entries }
}

fn save(tree: &Tree) -> (TreeId, Nodes<TreeId>) {
    let mut nodes = Nodes::new();
    let id = tree.save(|id, bytes| Ok(drop(nodes.insert(id, bytes)))).unwrap();
    (id, nodes)
}

fn load(id: TreeId, nodes: &Nodes<TreeId>) -> Result<Tree> {
    let missing = || Error::damaged("missing");
    Tree::load(id, |id| Node::decode(nodes.get(&id).ok_or_else(missing)?))
}

#[test]
fn a_directory_of_any_length_comes_back() {
    for count in [0, 1, 2, 1023, 1024, 1025, 20_000] {
        let tree = tree(&names(count));
        let (id, nodes) = save(&tree);
        assert_eq!(load(id, &nodes).unwrap(), tree, "{count}");
        assert_eq!(nodes.len() == 1, count <= 1024, "{count} entries in {} nodes", nodes.len());
    }
}

#[test]
fn nodes_of_a_long_directory_have_the_promised_lengths() {
    let (_, nodes) = save(&tree(&names(50_000)));
    let leaves: Vec<usize> = nodes
        .values()
        .filter_map(|bytes| match Node::decode(bytes).unwrap() {
            Node::Leaf(entries) => Some(entries.len()),
            Node::Inner(_) => None,
        })
        .collect();
    assert!(leaves.iter().filter(|&&length| length < 64).count() <= 1 && leaves.iter().all(|&length| length <= 1024));
    assert!((200..320).contains(&(50_000 / leaves.len())), "{} leaves", leaves.len());
}
