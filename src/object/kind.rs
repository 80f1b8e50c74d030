//! The kinds of objects, and their ids.

use std::sync::LazyLock;

use crate::id::{LENGTH, ObjectId};

/// Kind of an object in a pack. The number is the byte in pack tables, and the first byte of every object except data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    /// A blob that is stored whole, or a chunk. The id is the plain hash.
    Data = 1,
    /// The layout of a large blob. The id is that of the blob.
    Layout = 2,
    /// A node of a long chunk list.
    LayoutNode = 3,
    /// A directory, or a node of a long one.
    Tree = 4,
    /// Extended attributes and holes.
    Attributes = 5,
    /// Hard-link groups, or a node of a long list of them.
    Links = 6,
    /// A commit.
    Commit = 7,
}

impl ObjectKind {
    /// All kinds, by number.
    pub const ALL: [ObjectKind; 7] = [
        ObjectKind::Data,
        ObjectKind::Layout,
        ObjectKind::LayoutNode,
        ObjectKind::Tree,
        ObjectKind::Attributes,
        ObjectKind::Links,
        ObjectKind::Commit,
    ];

    /// The kind with this number.
    pub fn from_byte(byte: u8) -> Option<ObjectKind> {
        Self::ALL.into_iter().find(|&kind| kind as u8 == byte)
    }

    /// The word in output and JSON, and in the key of the hash.
    pub fn word(self) -> &'static str {
        match self {
            ObjectKind::Data => "data",
            ObjectKind::Layout => "layout",
            ObjectKind::LayoutNode => "layout node",
            ObjectKind::Tree => "tree",
            ObjectKind::Attributes => "attributes",
            ObjectKind::Links => "links",
            ObjectKind::Commit => "commit",
        }
    }
}

/// Hash keys by the number of the kind.
static KEYS: LazyLock<[[u8; LENGTH]; 8]> = LazyLock::new(|| {
    std::array::from_fn(|n| ObjectKind::from_byte(n as u8).map_or([0; LENGTH], |kind| key(kind.word())))
});

/// The id of an object: BLAKE3 of its bytes, keyed by the kind unless that is [`ObjectKind::Data`]. Must not be called
/// for a layout, which has the id of its blob.
pub fn id_of(kind: ObjectKind, bytes: &[u8]) -> ObjectId {
    let hash = match kind {
        ObjectKind::Data => blake3::hash(bytes),
        ObjectKind::Layout => unreachable!("a layout stands under the id of its blob"),
        _ => blake3::keyed_hash(&KEYS[kind as usize], bytes),
    };
    ObjectId(*hash.as_bytes())
}

/// The hash key for a word.
pub fn key(word: &str) -> [u8; LENGTH] {
    blake3::derive_key(&format!("undo v1 {word}"), b"")
}

/// A hasher with the key for a word.
pub fn keyed(word: &str) -> blake3::Hasher {
    blake3::Hasher::new_keyed(&key(word))
}
