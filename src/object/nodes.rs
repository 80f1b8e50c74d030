//! Splits long lists into nodes: directories, chunk lists, hard-link groups.
//!
//! Only hashes of the keys determine the boundaries. So the nodes do not depend on the history of a list, one change
//! rewrites a few nodes, and two similar lists share most of their nodes (`docs/format.md`, "Long lists").

use std::fmt::Debug;
use std::sync::LazyLock;

use super::fields::{self, Field};
use super::kind::{ObjectKind, id_of, key};
use crate::codec::{Decoder, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::id::{LENGTH, ObjectId};

/// Minimum number of items of a node, except for the last node of a level.
const MINIMUM: usize = 32;

/// Maximum number of items of a node. A list of at most this length is one node.
pub const MAXIMUM: usize = 128;

/// On average one key in 32 ends a node that has the minimum length, so the mean length is 62.
const SPACING: u64 = 32;

/// Maximum number of levels: far more than any list needs, and few enough for recursion.
const DEPTH: usize = 16;

/// Hash keys of the levels. With a single key, the first keys of nodes, which all follow a boundary, would be biased.
static SALTS: LazyLock<[[u8; LENGTH]; DEPTH]> =
    LazyLock::new(|| std::array::from_fn(|level| key(&format!("nodes {level}"))));

/// An item of a long list.
pub trait Item: Field {
    /// Type of the node ids.
    type Id: Copy + Debug + Eq + From<ObjectId> + Into<ObjectId> + Field;

    /// Kind of the node objects.
    const KIND: ObjectKind;

    /// The key that determines boundaries.
    fn key(&self) -> &[u8];

    /// The amount that parents add up: 1, or bytes.
    fn weight(&self) -> u64;

    /// Whether the item may follow another one.
    fn follows(&self, previous: &Self) -> bool;

    /// Fails with the reason if a list must not contain the item.
    fn check(&self) -> Result<(), &'static str>;
}

/// A node: items, or references to nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node<T: Item> {
    /// Items of the list.
    Leaf(Vec<T>),
    /// References to nodes, in order.
    Inner(Vec<Child<T::Id>>),
}

/// A reference to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child<Id> {
    /// Key of the first item in the node.
    pub first: Vec<u8>,
    /// Id of the node.
    pub node: Id,
    /// Weight of all items in the node: their number, or their bytes.
    pub count: u64,
}

impl<T: Item> Node<T> {
    /// Encodes the node.
    #[cfg(test)]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Node::Leaf(items) => leaf(items),
            Node::Inner(children) => inner::<T>(children),
        }
    }

    /// Decodes a node. Rejects bytes that this version would not write.
    pub fn decode(bytes: &[u8]) -> Result<Node<T>> {
        let (mut decoder, _) = fields::expect(T::KIND.word(), T::KIND as u8, 1, bytes)?;
        let node = Node::take(&mut decoder)?;
        decoder.finish()?;
        Ok(node)
    }

    /// Decodes everything after the header: form, count, items or children.
    pub fn take(decoder: &mut Decoder<'_>) -> Result<Node<T>> {
        match decoder.u8()? {
            0 => Ok(Node::Leaf(take_items(decoder)?)),
            1 => Ok(Node::Inner(take_children(decoder)?)),
            _ => Err(decoder.invalid("unknown form")),
        }
    }

    /// Key of the first item.
    fn first(&self) -> Option<&[u8]> {
        match self {
            Node::Leaf(items) => items.first().map(T::key),
            Node::Inner(children) => children.first().map(|child| child.first.as_slice()),
        }
    }
}

impl<Id: Field> Field for Child<Id> {
    fn put(&self, encoder: &mut Encoder) {
        encoder.put(&self.first).put(&self.node).put(&self.count);
    }

    fn take(decoder: &mut Decoder<'_>) -> Result<Child<Id>> {
        let child = Child { first: decoder.take()?, node: decoder.take()?, count: decoder.take()? };
        if child.count == 0 { Err(decoder.invalid("empty child")) } else { Ok(child) }
    }
}

/// Encodes a leaf after the header.
pub fn put_items<T: Item>(encoder: &mut Encoder, items: &[T]) {
    encoder.u8(0).put_list(items.iter());
}

fn take_items<T: Item>(decoder: &mut Decoder<'_>) -> Result<Vec<T>> {
    let count = take_count(decoder)?;
    let mut items: Vec<T> = Vec::with_capacity(count);
    for _ in 0..count {
        let item: T = decoder.take()?;
        item.check().map_err(|why| decoder.invalid(why))?;
        if items.last().is_some_and(|previous| !item.follows(previous)) {
            return Err(decoder.invalid("list not in order"));
        }
        items.push(item);
    }
    Ok(items)
}

/// Encodes an inner node after the header.
pub fn put_children<Id: Field>(encoder: &mut Encoder, children: &[Child<Id>]) {
    encoder.u8(1).put_list(children.iter());
}

fn take_children<Id: Field>(decoder: &mut Decoder<'_>) -> Result<Vec<Child<Id>>> {
    let count = take_count(decoder)?;
    if count < 2 {
        return Err(decoder.invalid("inner node with fewer than two children"));
    }
    (0..count).map(|_| decoder.take()).collect()
}

/// The number of items of a node.
pub(super) fn take_count(decoder: &mut Decoder<'_>) -> Result<usize> {
    let count = decoder.count()?;
    if count > MAXIMUM { Err(decoder.invalid("node too long")) } else { Ok(count) }
}

/// Encodes a leaf.
fn leaf<T: Item>(items: &[T]) -> Vec<u8> {
    let mut encoder = fields::begin(T::KIND as u8, 1);
    put_items(&mut encoder, items);
    encoder.finish()
}

/// Encodes an inner node.
fn inner<T: Item>(children: &[Child<T::Id>]) -> Vec<u8> {
    let mut encoder = fields::begin(T::KIND as u8, 1);
    put_children(&mut encoder, children);
    encoder.finish()
}

/// Encodes a list. All nodes go to `put`, leaves first. Returns the id of the root.
pub fn save<T: Item>(items: &[T], mut put: impl FnMut(T::Id, Vec<u8>) -> Result<()>) -> Result<T::Id> {
    let root = match split(items, &mut put)? {
        None => leaf(items),
        Some(children) => inner::<T>(&children),
    };
    let id = id_of(T::KIND, &root).into();
    put(id, root)?;
    Ok(id)
}

/// Encodes all nodes below the root and returns the root's children. `None` if the list fits in one node.
pub fn split<T: Item>(
    items: &[T],
    mut put: impl FnMut(T::Id, Vec<u8>) -> Result<()>,
) -> Result<Option<Vec<Child<T::Id>>>> {
    if !items.windows(2).all(|pair| pair[1].follows(&pair[0])) {
        return Err(Error::new(ErrorKind::Internal, format!("cannot encode a {} out of order", T::KIND.word())));
    }
    if items.len() <= MAXIMUM {
        return Ok(None);
    }
    let mut put = |first: &[u8], count: u64, bytes: Vec<u8>| -> Result<Child<T::Id>> {
        let node = id_of(T::KIND, &bytes).into();
        put(node, bytes)?;
        Ok(Child { first: first.to_vec(), node, count })
    };
    let mut children = pieces(0, items, T::key)
        .map(|part| put(part[0].key(), part.iter().map(T::weight).sum(), leaf(part)))
        .collect::<Result<Vec<_>>>()?;
    for level in 1.. {
        if children.len() <= MAXIMUM {
            break;
        }
        children = pieces(level, &children, |child| &child.first)
            .map(|part| put(&part[0].first, part.iter().map(|child| child.count).sum(), inner::<T>(part)))
            .collect::<Result<Vec<_>>>()?;
    }
    Ok(Some(children))
}

/// Splits a level of more than [`MAXIMUM`] items into nodes.
fn pieces<T>(level: usize, mut items: &[T], key: impl Fn(&T) -> &[u8]) -> impl Iterator<Item = &[T]> {
    let ends = move |item: &T| {
        let hash = blake3::keyed_hash(&SALTS[level], key(item));
        let (head, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
        u64::from_le_bytes(*head) < u64::MAX / SPACING
    };
    std::iter::from_fn(move || {
        if items.is_empty() {
            return None;
        }
        let longest = items.len().min(MAXIMUM);
        let shortest = longest.min(MINIMUM);
        let end = (shortest..longest).find(|&length| ends(&items[length - 1])).unwrap_or(longest);
        let (part, rest) = items.split_at(end);
        items = rest;
        Some(part)
    })
}

/// Loads all items below a root. Checks their order and the weights in all parents.
pub fn load<T: Item>(root: Node<T>, node: impl Fn(T::Id) -> Result<Node<T>>) -> Result<Vec<T>> {
    let children = match root {
        Node::Leaf(items) => return Ok(items),
        Node::Inner(children) => children,
    };
    let mut items = Vec::new();
    descend(&children, 1, &node, &mut items)?;
    if items.len() <= MAXIMUM {
        return Err(mismatch::<T>("a short list in several nodes"));
    }
    Ok(items)
}

/// Appends the items below `children`; returns their weight.
fn descend<T: Item>(
    children: &[Child<T::Id>],
    depth: usize,
    node: &impl Fn(T::Id) -> Result<Node<T>>,
    items: &mut Vec<T>,
) -> Result<u64> {
    if depth == DEPTH {
        return Err(mismatch::<T>("too many levels"));
    }
    let mut total = 0u64;
    for child in children {
        let below = node(child.node)?;
        if below.first() != Some(child.first.as_slice()) {
            return Err(mismatch::<T>("a node that does not begin as its parent says"));
        }
        let weight = match below {
            Node::Inner(children) => descend(&children, depth + 1, node, items)?,
            Node::Leaf(more) => append(more, items)?,
        };
        if weight != child.count {
            return Err(mismatch::<T>("a node that does not hold as much as its parent says"));
        }
        total = total.checked_add(weight).ok_or_else(|| mismatch::<T>("a number too large"))?;
    }
    Ok(total)
}

/// Appends the items of a leaf; returns their weight.
fn append<T: Item>(more: Vec<T>, items: &mut Vec<T>) -> Result<u64> {
    if let (Some(last), Some(first)) = (items.last(), more.first())
        && !first.follows(last)
    {
        return Err(mismatch::<T>("nodes that are not in order"));
    }
    let weight = more.iter().try_fold(0u64, |sum, item| sum.checked_add(item.weight()));
    items.extend(more);
    weight.ok_or_else(|| mismatch::<T>("a number too large"))
}

fn mismatch<T: Item>(why: &str) -> Error {
    Error::damaged(format!("invalid {}: {why}", T::KIND.word()))
}
