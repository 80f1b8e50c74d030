//! A node read entry by entry is the node read at once.

use proptest::prelude::*;

use super::samples;
use crate::object::Entry;
use crate::object::lazy_node::LazyNode;
use crate::object::tree::Node;

/// The entries of a node, one by one.
fn one_by_one(bytes: &[u8]) -> Option<Vec<Entry>> {
    match LazyNode::decode(bytes.into()).ok()? {
        LazyNode::Inner(_) => None,
        LazyNode::Leaf(leaf) => {
            let entries: Vec<Entry> = (0..leaf.count()).map(|n| leaf.entry(n).unwrap()).collect();
            for (n, entry) in entries.iter().enumerate() {
                assert_eq!((leaf.name(n), leaf.find(&entry.name).unwrap().as_ref()), (&*entry.name, Some(entry)));
                assert!(!leaf.bytes(n).is_empty());
            }
            assert_eq!(leaf.find(b"no such name").unwrap(), None);
            Some(entries)
        }
    }
}

#[test]
fn lazy_node_matches_decoded_node() {
    let entries = samples::tree().entries;
    assert_eq!(one_by_one(&Node::Leaf(entries.clone()).encode()), Some(entries));
    assert_eq!(one_by_one(&Node::Leaf(Vec::new()).encode()), Some(Vec::new()));
}

proptest! {
    /// What one way of reading refuses, the other refuses.
    #[test]
    fn lazy_and_eager_decoding_reject_the_same(at in any::<prop::sample::Index>(), byte: u8, cut: bool) {
        let mut bytes = Node::Leaf(samples::tree().entries).encode();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        let whole = match Node::decode(&bytes) {
            Ok(Node::Leaf(entries)) => Some(entries),
            _ => None,
        };
        prop_assert_eq!(one_by_one(&bytes), whole);
    }
}
