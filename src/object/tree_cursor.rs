//! Reads a directory in name order and opens each node only when its names are due.

use super::lazy_node::{LazyNode, Leaf};
use super::tree::Child;
use super::{Entry, Objects};
use crate::error::{Error, Result};
use crate::id::TreeId;

/// The part of a directory that has not been read yet.
#[derive(Default)]
pub(crate) struct TreeCursor {
    /// In reverse order, so the last item comes next.
    rest: Vec<CursorItem>,
}

pub(crate) enum CursorItem {
    /// A node that has not been opened.
    Node(Child),
    /// An opened leaf, from this entry on.
    Leaf(Leaf, usize),
}

impl CursorItem {
    fn first_name(&self) -> &[u8] {
        match self {
            CursorItem::Node(child) => &child.first,
            CursorItem::Leaf(leaf, at) => leaf.name(*at),
        }
    }

    fn last_known_name(&self) -> &[u8] {
        match self {
            CursorItem::Node(child) => &child.first,
            CursorItem::Leaf(leaf, _) => leaf.name(leaf.count() - 1),
        }
    }
}

impl TreeCursor {
    /// Starts at the beginning of a directory; without one, at the end.
    pub fn new(tree: Option<TreeId>) -> TreeCursor {
        // Nothing states the first name of the root node; the empty name disables that check.
        let root = tree.map(|node| CursorItem::Node(Child { first: Vec::new(), node, count: u64::MAX }));
        TreeCursor { rest: root.into_iter().collect() }
    }

    /// The next item.
    pub fn peek(&self) -> Option<&CursorItem> {
        self.rest.last()
    }

    /// Replaces the next item by its content if it is a node. Fails if names are not in ascending order.
    pub fn open(&mut self, objects: &dyn Objects) -> Result<()> {
        let Some(CursorItem::Node(child)) = self.rest.pop_if(|item| matches!(item, CursorItem::Node(_))) else {
            return Ok(());
        };
        let items: Vec<CursorItem> = match objects.open_tree(child.node)? {
            LazyNode::Leaf(leaf) if leaf.count() == 0 => Vec::new(),
            LazyNode::Leaf(leaf) => vec![CursorItem::Leaf(leaf, 0)],
            LazyNode::Inner(children) => children.into_iter().map(CursorItem::Node).collect(),
        };
        let is_ascending = items.windows(2).all(|pair| pair[0].first_name() < pair[1].first_name());
        let has_stated_start =
            child.first.is_empty() || items.first().is_some_and(|item| item.first_name() == child.first);
        let ends_before_next = match (items.last(), self.rest.last()) {
            (Some(last), Some(next)) => last.last_known_name() < next.first_name(),
            _ => true,
        };
        if !(is_ascending && has_stated_start && ends_before_next) {
            return Err(Error::damaged(format!("tree `{}` has names out of order", child.node)));
        }
        self.rest.extend(items.into_iter().rev());
        Ok(())
    }

    /// Skips the next item; of an opened leaf, its next entry.
    pub fn skip(&mut self) {
        match self.rest.last_mut() {
            Some(CursorItem::Leaf(leaf, at)) if *at + 1 < leaf.count() => *at += 1,
            _ => drop(self.rest.pop()),
        }
    }

    /// Takes the next entry of an opened leaf. `None` if the next item is a node, or at the end.
    pub fn take(&mut self) -> Result<Option<Entry>> {
        let Some(CursorItem::Leaf(leaf, at)) = self.rest.last() else { return Ok(None) };
        let entry = leaf.entry(*at)?;
        self.skip();
        Ok(Some(entry))
    }

    /// Takes the next entry and opens the nodes before it.
    pub fn next(&mut self, objects: &dyn Objects) -> Result<Option<Entry>> {
        while matches!(self.peek(), Some(CursorItem::Node(_))) {
            self.open(objects)?;
        }
        self.take()
    }

    /// The first name after the next item; `None` if that is the last.
    pub fn name_after_next(&self) -> Option<&[u8]> {
        match self.rest.as_slice() {
            [.., CursorItem::Leaf(leaf, at)] if *at + 1 < leaf.count() => Some(leaf.name(*at + 1)),
            [.., after_next, _] => Some(after_next.first_name()),
            _ => None,
        }
    }
}
