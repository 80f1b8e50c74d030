//! Attributes of an entry other than mode, owner and time: extended attributes (with ACLs and capabilities) and the
//! holes of a sparse file.

use super::fields;
use super::kind::{ObjectKind, id_of};
use crate::error::Result;
use crate::id::AttributesId;

/// Extended attributes and holes. Entries with equal attributes share one object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Names and values, sorted by name.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    /// Offsets and lengths in bytes, ascending, neither adjacent nor empty.
    pub holes: Vec<(u64, u64)>,
}

impl Attributes {
    /// Whether there are neither extended attributes nor holes.
    pub fn is_empty(&self) -> bool {
        self.xattrs.is_empty() && self.holes.is_empty()
    }

    /// The id of the object.
    pub fn id(&self) -> AttributesId {
        id_of(ObjectKind::Attributes, &self.encode()).into()
    }

    /// Encodes the object. Must not be empty: an entry without attributes has no such object.
    pub fn encode(&self) -> Vec<u8> {
        debug_assert!(!self.is_empty() && self.is_in_order(), "attributes are there and in order");
        let mut encoder = fields::begin(ObjectKind::Attributes as u8, 1);
        encoder.put(&self.xattrs).put(&self.holes);
        encoder.finish()
    }

    /// Decodes the object.
    pub fn decode(bytes: &[u8]) -> Result<Attributes> {
        let (mut decoder, _) = fields::expect("attributes", ObjectKind::Attributes as u8, 1, bytes)?;
        let attributes = Attributes { xattrs: decoder.take()?, holes: decoder.take()? };
        if attributes.is_empty() || !attributes.is_in_order() {
            return Err(decoder.invalid("names or holes that are missing or not in order"));
        }
        decoder.finish()?;
        Ok(attributes)
    }

    fn is_in_order(&self) -> bool {
        let names = self.xattrs.iter().all(|(name, _)| !name.is_empty() && !name.contains(&0));
        let sorted = self.xattrs.is_sorted_by(|a, b| a.0 < b.0);
        let apart = self.holes.is_sorted_by(|a, b| a.0.saturating_add(a.1) < b.0);
        let real = self.holes.iter().all(|&(offset, length)| length > 0 && offset.checked_add(length).is_some());
        names && sorted && apart && real
    }
}
