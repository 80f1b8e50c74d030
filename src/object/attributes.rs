//! Attributes: what an entry has besides mode, owner and time: extended attributes (ACLs and capabilities among them)
//! and the holes of a sparse file.

use crate::error::Result;
use crate::id::AttributesId;

/// Extended attributes and holes. Shared by all entries that have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Name and value, sorted by name.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Holes as offset and length in bytes, ascending, not touching.
    pub holes: Vec<(u64, u64)>,
}

impl Attributes {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        self.xattrs.is_empty() && self.holes.is_empty()
    }

    /// Their id.
    pub fn id(&self) -> AttributesId {
        super::id_of(super::ObjectKind::Attributes, &self.encode()).into()
    }

    /// Their bytes.
    pub fn encode(&self) -> Vec<u8> {
        todo!()
    }

    /// From bytes.
    pub fn decode(bytes: &[u8]) -> Result<Attributes> {
        let _ = bytes;
        todo!()
    }
}
