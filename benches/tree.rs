//! Directories as bytes.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use undo::id::{BlobId, TreeId};
use undo::internals::metadata::Metadata;
use undo::internals::object::tree::Node;
use undo::internals::object::{Content, Entry, Tree};

/// Entries of a directory that is one node, and of one that is cut into many.
const ENTRIES: [u64; 2] = [500, 50_000];

fn directory(entries: u64) -> Tree {
    let entry = |n: u64| Entry {
        name: format!("some-file-{n:08}.txt").into_bytes(),
        metadata: Metadata { mode: 0o644, ..Metadata::default() },
        attributes: None,
        content: Content::File { blob: BlobId(blake3::hash(&n.to_le_bytes()).into()), size: n },
    };
    Tree { entries: (0..entries).map(entry).collect() }
}

fn encoded(tree: &Tree) -> Vec<(TreeId, Vec<u8>)> {
    let mut nodes = Vec::new();
    tree.save(|id, bytes| {
        nodes.push((id, bytes));
        Ok(())
    })
    .unwrap();
    nodes
}

/// Encoding a directory and hashing its nodes.
#[divan::bench(args = ENTRIES)]
fn encode(bencher: Bencher, entries: u64) {
    let tree = directory(entries);
    bencher.counter(ItemsCount::new(entries)).bench(|| encoded(black_box(&tree)));
}

/// Decoding all nodes of a directory.
#[divan::bench(args = ENTRIES)]
fn decode(bencher: Bencher, entries: u64) {
    let nodes = encoded(&directory(entries));
    let decode_all = || nodes.iter().map(|(_, bytes)| Node::decode(black_box(bytes)).unwrap()).collect::<Vec<_>>();
    bencher.counter(ItemsCount::new(entries)).bench(decode_all);
}
