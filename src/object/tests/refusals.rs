//! What is cut short, not canonical, or could lead outside the worktree is refused; nothing panics.

use proptest::prelude::*;

use super::samples;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, ChunkId, LinksId};
use crate::object::layout::Piece;
use crate::object::operation::View;
use crate::object::tree::Node;
use crate::object::{Attributes, Commit, Content, Intent, Layout, Links, Operation, Tree, id_of};
use crate::object::{ObjectKind, fields};

type Reader = fn(&[u8]) -> Result<()>;

const BLOB: BlobId = BlobId([2; 32]);

fn layout() -> Vec<u8> {
    let mut layout = Layout::default();
    layout.push(Piece::Chunk { id: ChunkId([1; 32]), length: 300 });
    layout.push(Piece::Zeros { length: 4096 });
    layout.save(BLOB, |_, _| Ok(())).unwrap()
}

fn read_links(bytes: &[u8]) -> Result<()> {
    Links::load(LinksId([0; 32]), |_| Ok(bytes.into())).map(drop)
}

/// Bytes of every object, with the function that reads them.
fn all() -> Vec<(&'static str, Vec<u8>, Reader)> {
    let mut links = Vec::new();
    let put = |_, bytes| {
        links = bytes;
        Ok(())
    };
    samples::links().save(put).unwrap();
    let inner = fields::begin(4, 1)
        .u8(1)
        .varint(2)
        .bytes(b"a")
        .raw(&[1; 32])
        .varint(600)
        .bytes(b"b")
        .raw(&[2; 32])
        .varint(700)
        .as_slice()
        .to_vec();
    vec![
        ("tree", Node::Leaf(samples::tree().entries).encode(), |b| Node::decode(b).map(drop)),
        ("inner", inner, |b| Node::decode(b).map(drop)),
        ("attributes", samples::attributes().encode(), |b| Attributes::decode(b).map(drop)),
        ("links", links, read_links),
        ("layout", layout(), |b| Layout::load(BLOB, b, |_| Err(Error::damaged("none"))).map(drop)),
        ("commit", samples::commit().encode(), |b| Commit::decode(b).map(drop)),
        ("operation", samples::operation().encode(), |b| Operation::decode(b).map(drop)),
        ("view", samples::view().encode(), |b| View::decode(b).map(drop)),
        ("intent", samples::intent().encode(), |b| Intent::decode(b).map(drop)),
    ]
}

fn refused(result: Result<()>, why: &str) {
    let error = result.expect_err(why);
    assert_eq!(error.kind(), ErrorKind::Damaged, "{why}: {error}");
}

#[test]
fn decode_rejects_truncation_and_trailing_bytes() {
    for (what, bytes, read) in all() {
        read(&bytes).unwrap();
        for end in 0..bytes.len() {
            refused(read(&bytes[..end]), &format!("{what} cut at {end}"));
        }
        refused(read(&[&bytes[..], &[0]].concat()), &format!("{what} and one byte more"));
    }
}

#[test]
fn decode_rejects_other_kinds_and_versions() {
    for (what, bytes, read) in all() {
        for at in 0..2 {
            let mut other = bytes.clone();
            other[at] ^= 0x40;
            refused(read(&other), what);
        }
    }
}

#[test]
fn encoding_is_canonical() {
    let (bytes, commit) = (samples::commit().encode(), samples::commit());
    let (leaf, tree) = (Node::Leaf(samples::tree().entries).encode(), samples::tree());
    for bit in 0..8 {
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1 << bit;
            if let Ok(value) = Commit::decode(&other) {
                assert!(value != commit && value.encode() == other, "byte {at}, bit {bit}");
            }
        }
        for at in 0..leaf.len() {
            let mut other = leaf.clone();
            other[at] ^= 1 << bit;
            if let Ok(value) = Node::decode(&other) {
                assert!(value != Node::Leaf(tree.entries.clone()) && value.encode() == other, "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn decode_rejects_unsafe_names() {
    for name in ["", ".", "..", "a/b", "a\0"] {
        let entries = vec![samples::entry(name, Content::Fifo)];
        refused(Node::decode(&Node::Leaf(entries.clone()).encode()).map(drop), name);
        let saved = Tree { entries }.save(|_, _| Ok(()));
        assert_eq!(saved.expect_err(name).kind(), ErrorKind::Internal);
    }
    for path in [&b"/a"[..], b"a/../b", b"a//b", b"a\0b", b"a/"] {
        let bytes = fields::begin(6, 1).u8(0).varint(1).varint(2).bytes(path).bytes(b"z").as_slice().to_vec();
        refused(read_links(&bytes), "path in links");
    }
}

#[test]
fn decode_rejects_unsorted_lists() {
    let entries = |names: [&str; 2]| names.map(|name| samples::entry(name, Content::Fifo)).to_vec();
    for names in [["b", "a"], ["a", "a"]] {
        refused(Node::decode(&Node::Leaf(entries(names)).encode()).map(drop), "tree");
        assert!(Tree { entries: entries(names) }.save(|_, _| Ok(())).is_err());
    }
    let links = |groups: &[&[&str]]| {
        let mut encoder = fields::begin(6, 1);
        encoder.u8(0).varint(groups.len() as u64);
        for group in groups {
            encoder.put(&group.iter().map(|text| samples::path(text)).collect::<Vec<_>>());
        }
        read_links(encoder.as_slice())
    };
    links(&[&["a", "c"], &["b", "d"]]).unwrap();
    for (groups, why) in [
        (&[&["b", "d"][..], &["a", "c"]][..], "groups out of order"),
        (&[&["b", "a"]], "paths out of order"),
        (&[&["a", "a"]], "a path twice in a group"),
        (&[&["a", "c"], &["b", "c"]], "a path in two groups"),
        (&[&["a"]], "a group of one"),
        (&[&[]], "an empty group"),
    ] {
        refused(links(groups), why);
    }
}

#[test]
fn decode_rejects_empty_or_unsorted_attributes() {
    let read = |names: &[&str], holes: &[(u64, u64)]| {
        let mut encoder = fields::begin(5, 1);
        encoder.varint(names.len() as u64);
        names.iter().for_each(|name| _ = encoder.bytes(name.as_bytes()).bytes(b""));
        encoder.varint(holes.len() as u64);
        holes.iter().for_each(|&(offset, length)| _ = encoder.varint(offset).varint(length));
        Attributes::decode(encoder.as_slice()).map(drop)
    };
    read(&["a", "b"], &[(0, 1), (2, u64::MAX - 2)]).unwrap();
    for (names, holes, why) in [
        (&[][..], &[][..], "nothing"),
        (&["b", "a"], &[], "names out of order"),
        (&["a", "a"], &[], "a name twice"),
        (&[""], &[], "an empty name"),
        (&[], &[(4, 0)], "an empty hole"),
        (&[], &[(0, 4), (4, 4)], "holes that touch"),
        (&[], &[(8, 4), (0, 4)], "holes out of order"),
        (&[], &[(2, u64::MAX)], "a hole without an end"),
    ] {
        refused(read(names, holes), why);
    }
}

#[test]
fn decode_rejects_layouts_of_other_blobs() {
    let load = |blob, bytes: &[u8]| Layout::load(blob, bytes, |_| Err(Error::damaged("none"))).map(drop);
    refused(load(BlobId([3; 32]), &layout()), "another blob");
    let root = |size: u64, zeros: &[u64]| {
        let mut encoder = fields::begin(2, 1);
        encoder.raw(&BLOB.0).varint(size).u8(0).varint(zeros.len() as u64);
        zeros.iter().for_each(|&length| _ = encoder.u8(2).varint(length));
        encoder.finish()
    };
    load(BLOB, &root(5, &[5])).unwrap();
    load(BLOB, &root(0, &[])).unwrap();
    refused(load(BLOB, &root(6, &[5])), "too short");
    refused(load(BLOB, &root(5, &[2, 3])), "zeros that touch");
    refused(load(BLOB, &root(5, &[5, 0])), "an empty piece");
    let one_chunk = |length: u64| {
        let mut encoder = fields::begin(2, 1);
        encoder.raw(&BLOB.0).varint(length).u8(0).varint(1).u8(1).varint(length).raw(&[1; 32]);
        encoder.finish()
    };
    load(BLOB, &one_chunk(32 << 20)).unwrap();
    for length in [(32 << 20) + 1, u64::from(u32::MAX), 1 << 32] {
        refused(load(BLOB, &one_chunk(length)), "a chunk longer than any");
    }
}

#[test]
fn decode_rejects_excessive_counts_without_allocating() {
    for (kind, read) in [(4, (|b| Node::decode(b).map(drop)) as Reader), (6, read_links)] {
        let bytes = fields::begin(kind, 1).u8(0).varint(u64::MAX).as_slice().to_vec();
        refused(read(&bytes), "count");
    }
}

#[test]
fn tree_and_file_ids_differ() {
    let bytes = Node::Leaf(samples::tree().entries).encode();
    assert_ne!(id_of(ObjectKind::Tree, &bytes), id_of(ObjectKind::Data, &bytes));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_bytes_and_random_damage_never_panic(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        at: prop::sample::Index,
    ) {
        for (_, bytes, read) in all() {
            let header = &bytes[..2];
            let _ = read(&noise);
            let _ = read(&[header, &noise].concat());
            let keep = at.index(bytes.len());
            let _ = read(&[&bytes[..keep], &noise, &bytes[keep..]].concat());
        }
    }
}
