//! Laws of long lists: one shape for one value, and small changes stay small.

use std::collections::HashMap;
use std::hash::Hash;

use proptest::prelude::*;

use crate::error::{Error, Result};
use crate::id::{BlobId, LayoutId, LinksId, TreeId};
use crate::metadata::Metadata;
use crate::object::layout::{Layout, Piece};
use crate::object::tree::{Child, Node};
use crate::object::{Content, Entry, Links, ObjectKind, Tree, id_of};
use crate::path::RepoPathBuf;

/// Nodes that a save put, by id.
type Nodes<Id> = HashMap<Id, Vec<u8>>;

/// Puts nodes into the map.
fn keep<Id: Eq + Hash>(nodes: &mut Nodes<Id>) -> impl FnMut(Id, Vec<u8>) -> Result<()> {
    |id, bytes| {
        nodes.insert(id, bytes);
        Ok(())
    }
}

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
    let id = tree.save(keep(&mut nodes)).unwrap();
    (id, nodes)
}

fn load(id: TreeId, nodes: &Nodes<TreeId>) -> Result<Tree> {
    let missing = || Error::damaged("missing");
    Tree::load(id, |id| Node::decode(nodes.get(&id).ok_or_else(missing)?))
}

#[test]
fn directories_of_any_length_round_trip() {
    for count in [0, 1, 2, 127, 128, 129, 20_000] {
        let tree = tree(&names(count));
        let (id, nodes) = save(&tree);
        assert_eq!(load(id, &nodes).unwrap(), tree, "{count}");
        assert_eq!(nodes.len() == 1, count <= 128, "{count} entries in {} nodes", nodes.len());
    }
}

#[test]
fn node_lengths_stay_within_bounds() {
    let (_, nodes) = save(&tree(&names(50_000)));
    let leaves: Vec<usize> = nodes
        .values()
        .filter_map(|bytes| match Node::decode(bytes).unwrap() {
            Node::Leaf(entries) => Some(entries.len()),
            Node::Inner(_) => None,
        })
        .collect();
    assert!(leaves.iter().filter(|&&length| length < 32).count() <= 1 && leaves.iter().all(|&length| length <= 128));
    assert!((55..70).contains(&(50_000 / leaves.len())), "{} leaves", leaves.len());
}

/// Nodes of `after` that `before` does not have.
fn fresh<Id: Eq + Hash>(before: &Nodes<Id>, after: &Nodes<Id>) -> usize {
    after.keys().filter(|id| !before.contains_key(id)).count()
}

#[test]
fn multi_level_lists_round_trip() {
    let names: Vec<String> = (0..).map(|n| format!("{n:08}")).take(400_000).collect();
    let tree = tree(&names);
    let (id, nodes) = save(&tree);
    let Node::Inner(children) = Node::decode(&nodes[&id]).unwrap() else {
        panic!("a long directory has an inner root")
    };
    assert!(matches!(Node::decode(&nodes[&children[0].node]).unwrap(), Node::Inner(_)), "three levels");
    assert_eq!(children.iter().map(|child| child.count).sum::<u64>(), 400_000);
    assert_eq!(load(id, &nodes).unwrap().entries.len(), 400_000);
}

#[test]
fn load_rejects_inconsistent_nodes() {
    let (id, nodes) = save(&tree(&names(3000)));
    let Node::Inner(children) = Node::decode(&nodes[&id]).unwrap() else {
        panic!("a long directory has an inner root")
    };
    let refused = |change: &dyn Fn(&mut Vec<Child>), why: &str| {
        let mut children = children.clone();
        change(&mut children);
        let mut nodes = nodes.clone();
        nodes.insert(TreeId([0; 32]), Node::Inner(children).encode());
        assert!(load(TreeId([0; 32]), &nodes).is_err(), "{why}");
    };
    refused(&|children| children.swap(0, 1), "nodes out of order");
    refused(&|children| children[1] = children[0].clone(), "a node twice");
    refused(&|children| children[0].count += 1, "a count too large");
    refused(&|children| children[0].first = b"a".to_vec(), "a wrong first name");
    refused(&|children| children.truncate(2), "a short list in several nodes");
    refused(&|children| children[0].node = TreeId([9; 32]), "a missing node");
    refused(&|children| children[0].node = TreeId([0; 32]), "a node in itself");
}

#[test]
fn decode_rejects_oversized_nodes() {
    let leaf = |count| Node::Leaf(tree(&names(count)).entries).encode();
    assert!(Node::decode(&leaf(128)).is_ok() && Node::decode(&leaf(129)).is_err());
    let child = Child { first: b"a".to_vec(), node: TreeId([1; 32]), count: 1 };
    let inner = |count| Node::Inner(vec![child.clone(); count]).encode();
    assert!(
        Node::decode(&inner(128)).is_ok() && Node::decode(&inner(129)).is_err() && Node::decode(&inner(1)).is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn one_entry_changes_few_nodes_of_a_long_directory(added in "[a-z0-9-]{1,12}", gone in 0..20_000usize) {
        let mut all = names(20_000);
        let (id, before) = save(&tree(&all));
        all.push(added.clone());
        let (_, more) = save(&tree(&all));
        prop_assert!(fresh(&before, &more) <= 6, "{} new nodes", fresh(&before, &more));
        all.pop();
        prop_assert_eq!(save(&tree(&all)).0, id, "the shape depends on the names only");
        all.remove(gone);
        let (_, less) = save(&tree(&all));
        prop_assert!(fresh(&before, &less) <= 6, "{} new nodes", fresh(&before, &less));
    }

    #[test]
    fn one_chunk_changes_few_nodes_of_a_huge_blob(changed in 0..16_384usize) {
        let chunk = |n: usize| Piece::Chunk { id: id_of(ObjectKind::Data, &n.to_le_bytes()).into(), length: 1 << 18 };
        let mut layout = Layout { pieces: (0..16_384).map(chunk).collect(), ..Layout::default() };
        let (blob, mut before) = (BlobId([1; 32]), Nodes::<LayoutId>::new());
        let root = layout.save(blob, keep(&mut before)).unwrap();
        let read = |id: LayoutId| before.get(&id).cloned().ok_or_else(|| Error::damaged("missing"));
        prop_assert_eq!(&Layout::load(blob, &root, read).unwrap(), &layout);
        prop_assert!(before.len() > 30 && root.len() < 16 << 10);
        layout.pieces[changed] = chunk(1 << 30);
        let mut after = Nodes::new();
        layout.save(blob, keep(&mut after)).unwrap();
        prop_assert!(fresh(&before, &after) <= 5, "{} new nodes", fresh(&before, &after));
    }
}

#[test]
fn long_link_table_round_trips() {
    let path = |n: usize, side: &str| RepoPathBuf::new(format!("{n:05}/{side}").into()).unwrap();
    let links = Links { groups: (0..3000).map(|n| vec![path(n, "a"), path(n, "b")]).collect() };
    let mut nodes = Nodes::<LinksId>::new();
    let id = links.save(keep(&mut nodes)).unwrap();
    let read =
        |id: LinksId| nodes.get(&id).map(|bytes| bytes.as_slice().into()).ok_or_else(|| Error::damaged("missing"));
    assert!(nodes.len() > 5);
    assert_eq!(Links::load(id, read).unwrap(), links);
}

#[test]
fn golden_boundaries() {
    let (id, nodes) = save(&tree(&names(2000)));
    let Node::Inner(children) = Node::decode(&nodes[&id]).unwrap() else {
        panic!("a long directory has an inner root")
    };
    let counts: Vec<u64> = children.iter().map(|child| child.count).collect();
    let golden = [
        86, 37, 50, 62, 128, 42, 61, 66, 33, 42, 40, 97, 48, 57, 62, 55, 36, 40, 52, 98, 67, 88, 108, 36, 80, 69, 128,
        39, 78, 77, 38,
    ];
    assert_eq!(counts, golden);
    assert_eq!(id.to_string(), "93305e20528412154750a2e480cc75a0705042e2dc1e3c96aa1422f61fa82a4d");
}
