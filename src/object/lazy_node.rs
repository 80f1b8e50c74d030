//! A tree object whose entries are decoded on demand. Comparing and searching trees skips most entries, which then need
//! no memory.

use std::ops::Range;
use std::sync::Arc;

use super::entry::{Entry, take_named};
use super::fields;
use super::kind::ObjectKind;
use super::nodes::{Item, counted};
use super::tree::{Child, Node};
use crate::codec::Decoder;
use crate::error::Result;
use crate::path::is_name;

/// Content of a tree object.
#[derive(Debug)]
pub enum Opened {
    /// Entries of the directory.
    Leaf(Leaf),
    /// References to nodes, in order.
    Inner(Vec<Child>),
}

/// Verified entries, sorted by name.
#[derive(Debug)]
pub struct Leaf {
    bytes: Arc<[u8]>,
    places: Vec<Place>,
}

/// Position of an entry in the bytes.
#[derive(Debug)]
struct Place {
    start: usize,
    end: usize,
    name: Range<usize>,
}

impl Opened {
    /// Decodes a tree object. Rejects what [`Node::decode`] rejects.
    pub fn decode(bytes: Arc<[u8]>) -> Result<Opened> {
        let mut decoder = fields::expect(ObjectKind::Tree.word(), ObjectKind::Tree as u8, &bytes)?;
        let opened = match decoder.u8()? {
            0 => {
                let places = take_places(&mut decoder)?;
                decoder.finish()?;
                Opened::Leaf(Leaf { bytes, places })
            }
            _ => match Node::decode(&bytes)? {
                Node::Inner(children) => Opened::Inner(children),
                Node::Leaf(_) => return Err(decoder.invalid("unknown form")),
            },
        };
        Ok(opened)
    }
}

fn take_places(decoder: &mut Decoder<'_>) -> Result<Vec<Place>> {
    let count = counted(decoder, Entry::SHORTEST)?;
    let mut places = Vec::with_capacity(count);
    let mut previous: &[u8] = b"";
    for _ in 0..count {
        let start = decoder.position();
        let (name, name_end, _) = take_named(decoder)?;
        if !is_name(name) {
            return Err(decoder.invalid("name that could lead elsewhere"));
        }
        if name <= previous {
            return Err(decoder.invalid("list not in order"));
        }
        places.push(Place { start, end: decoder.position(), name: name_end - name.len()..name_end });
        previous = name;
    }
    Ok(places)
}

impl Leaf {
    /// Number of entries.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// The name of an entry.
    pub fn name(&self, n: usize) -> &[u8] {
        &self.bytes[self.places[n].name.clone()]
    }

    /// The bytes of an entry, which are equal for equal entries.
    pub fn bytes(&self, n: usize) -> &[u8] {
        let place = &self.places[n];
        &self.bytes[place.start..place.end]
    }

    /// Decodes an entry.
    pub fn entry(&self, n: usize) -> Result<Entry> {
        Entry::take(&mut Decoder::new(ObjectKind::Tree.word(), self.bytes(n)))
    }

    /// Finds an entry by name.
    pub fn find(&self, name: &[u8]) -> Result<Option<Entry>> {
        let at = self.places.binary_search_by(|place| self.bytes[place.name.clone()].cmp(name));
        at.ok().map(|at| self.entry(at)).transpose()
    }
}
