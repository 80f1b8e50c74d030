//! A tree object whose entries are decoded on demand. Comparing and searching trees skips most entries, which then need
//! no memory.

use std::ops::Range;
use std::sync::Arc;

use super::entry::{Entry, take_named};
use super::fields;
use super::kind::ObjectKind;
use super::nodes::take_count;
use super::tree::{Child, Node};
use crate::codec::Decoder;
use crate::error::Result;
use crate::path::is_name;

/// Content of a tree object.
#[derive(Debug)]
pub enum LazyNode {
    /// Entries of the directory.
    Leaf(Leaf),
    /// References to nodes, in order.
    Inner(Vec<Child>),
}

/// Verified entries, sorted by name.
#[derive(Debug)]
pub struct Leaf {
    bytes: Arc<[u8]>,
    ranges: Vec<EntryRange>,
}

/// Position of an entry in the bytes.
#[derive(Debug)]
struct EntryRange {
    start: usize,
    end: usize,
    name: Range<usize>,
}

impl LazyNode {
    /// Decodes a tree object. Rejects what [`Node::decode`] rejects.
    pub fn decode(bytes: Arc<[u8]>) -> Result<LazyNode> {
        let (mut decoder, _) = fields::expect(ObjectKind::Tree.word(), ObjectKind::Tree as u8, 1, &bytes)?;
        if decoder.u8()? == 0 {
            let ranges = take_ranges(&mut decoder)?;
            decoder.finish()?;
            return Ok(LazyNode::Leaf(Leaf { bytes, ranges }));
        }
        match Node::decode(&bytes)? {
            Node::Inner(children) => Ok(LazyNode::Inner(children)),
            Node::Leaf(_) => Err(decoder.invalid("unknown form")),
        }
    }
}

fn take_ranges(decoder: &mut Decoder<'_>) -> Result<Vec<EntryRange>> {
    let count = take_count(decoder)?;
    let mut ranges = Vec::with_capacity(count);
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
        ranges.push(EntryRange { start, end: decoder.position(), name: name_end - name.len()..name_end });
        previous = name;
    }
    Ok(ranges)
}

impl Leaf {
    /// Number of entries.
    pub fn count(&self) -> usize {
        self.ranges.len()
    }

    /// The name of an entry.
    pub fn name(&self, n: usize) -> &[u8] {
        &self.bytes[self.ranges[n].name.clone()]
    }

    /// The bytes of an entry, which are equal for equal entries.
    pub fn bytes(&self, n: usize) -> &[u8] {
        let range = &self.ranges[n];
        &self.bytes[range.start..range.end]
    }

    /// Decodes an entry.
    pub fn entry(&self, n: usize) -> Result<Entry> {
        Decoder::new(ObjectKind::Tree.word(), self.bytes(n)).take()
    }

    /// Finds an entry by name.
    pub fn find(&self, name: &[u8]) -> Result<Option<Entry>> {
        let at = self.ranges.binary_search_by(|range| self.bytes[range.name.clone()].cmp(name));
        at.ok().map(|at| self.entry(at)).transpose()
    }
}
