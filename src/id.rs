//! Ids: a type for each kind of object, and prefixes that people type.
//!
//! The id of a blob or a chunk is the plain BLAKE3 hash of its bytes, as `b3sum` prints it. Other hashes are keyed by
//! kind, so no file can have the id of a tree (`docs/format.md`, "Ids").

use std::fmt;
use std::hash::Hasher;

/// Length of an id in bytes.
pub const LENGTH: usize = 32;

/// Parses `2 * N` hex digits of either case.
fn parse_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (nibble(pair[0])? << 4) | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub [u8; LENGTH]);

            impl $name {
                /// Parses 64 hex digits.
                pub fn parse(text: &str) -> Option<$name> {
                    parse_hex(text).map($name)
                }

                /// The same bytes without the kind.
                pub fn object_id(self) -> ObjectId {
                    ObjectId(self.0)
                }

                /// The first 8 hex digits.
                pub fn short(self) -> String {
                    self.to_string()[..8].to_owned()
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(blake3::Hash::from_bytes(self.0).to_hex().as_str())
                }
            }

            impl fmt::Debug for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}({self})", stringify!($name))
                }
            }
        )+
    };
}

macro_rules! conversions {
    ($($name:ident),+) => {
        $(
            impl From<ObjectId> for $name {
                fn from(id: ObjectId) -> $name {
                    $name(id.0)
                }
            }

            impl From<$name> for ObjectId {
                fn from(id: $name) -> ObjectId {
                    ObjectId(id.0)
                }
            }
        )+
    };
}

ids! {
    /// An id without its kind, which the context gives (pack tables, plumbing).
    ObjectId,
    /// The content of one file: BLAKE3 of its bytes.
    BlobId,
    /// A piece of a large blob: BLAKE3 of its bytes.
    ChunkId,
    /// A node of a long chunk list.
    LayoutId,
    /// A directory, or a node of a long one.
    TreeId,
    /// Extended attributes and holes of an entry.
    AttributesId,
    /// The hard-link groups of a root tree.
    LinksId,
    /// A record of the whole worktree.
    CommitId,
    /// An action of a user, recorded in the journal.
    OperationId,
    /// An immutable file of many objects.
    PackId,
    /// A list of the objects that a sweep has hidden.
    MaskId,
}

conversions!(BlobId, ChunkId, LayoutId, TreeId, AttributesId, LinksId, CommitId, OperationId, PackId, MaskId);

/// Identifies a directory among those that share a repository: random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DirectoryId(pub [u8; 16]);

impl DirectoryId {
    /// Parses 32 hex digits.
    pub fn parse(text: &str) -> Option<DirectoryId> {
        parse_hex(text).map(DirectoryId)
    }
}

impl fmt::Display for DirectoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A hasher for ids. Ids are hashes, so it uses eight of their bytes.
#[derive(Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// The first digits of an id, as typed by a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdPrefix {
    /// Lower-case hex digits.
    digits: String,
}

impl IdPrefix {
    /// Minimum number of digits.
    pub const SHORTEST: usize = 4;

    /// Parses 4 to 64 hex digits of either case.
    pub fn parse(text: &str) -> Option<IdPrefix> {
        let fits = (Self::SHORTEST..=2 * LENGTH).contains(&text.len());
        (fits && text.bytes().all(|b| b.is_ascii_hexdigit())).then(|| IdPrefix { digits: text.to_ascii_lowercase() })
    }

    /// Whether the id begins with these digits.
    pub fn matches(&self, id: &[u8; LENGTH]) -> bool {
        blake3::Hash::from_bytes(*id).to_hex().starts_with(&self.digits)
    }

    /// The smallest id that matches, where a search in a sorted list begins.
    pub fn first(&self) -> [u8; LENGTH] {
        parse_hex(&format!("{:0<64}", self.digits)).unwrap_or_default()
    }

    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.digits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_hex_round_trips() {
        let id = BlobId(std::array::from_fn(|n| n as u8 * 7));
        assert_eq!(BlobId::parse(&id.to_string()), Some(id));
        assert_eq!(BlobId::parse(&id.to_string()[1..]), None);
        assert_eq!(id.short(), &id.to_string()[..8]);
    }

    #[test]
    fn id_prefix_matches_odd_lengths() {
        let id = [0xab; LENGTH];
        assert!(IdPrefix::parse("ABAB").unwrap().matches(&id));
        assert!(IdPrefix::parse("ababa").unwrap().matches(&id));
        assert!(!IdPrefix::parse("ababb").unwrap().matches(&id));
        assert_eq!(IdPrefix::parse("aba"), None);
        assert_eq!(IdPrefix::parse("main"), None);
        assert_eq!(IdPrefix::parse("ababa").unwrap().first()[..3], [0xab, 0xab, 0xa0]);
    }
}
