//! One directory on two sides, name by name. Nodes are read when their names are due; nodes that both sides share are
//! not read at all.

use crate::error::{Error, Result};
use crate::id::TreeId;
use crate::object::lazy_node::{LazyNode, Leaf};
use crate::object::tree::Child;
use crate::object::{Entry, Objects};

/// What is left of one side of a directory.
#[derive(Default)]
pub struct Cursor {
    /// In reverse order: the last item is the next one.
    rest: Vec<Item>,
}

/// Something that a directory consists of.
enum Item {
    /// A node that has not been read.
    Node(Child),
    /// A node that has, from this entry on.
    Leaf(Leaf, usize),
}

impl Item {
    fn first(&self) -> &[u8] {
        match self {
            Item::Node(child) => &child.first,
            Item::Leaf(leaf, at) => leaf.name(*at),
        }
    }

    fn last(&self) -> &[u8] {
        match self {
            Item::Node(child) => &child.first,
            Item::Leaf(leaf, _) => leaf.name(leaf.count() - 1),
        }
    }
}

/// One name on the side or sides that have it.
pub enum Pair {
    /// On both.
    Both(Entry, Entry),
    /// On the old side.
    Old(Entry),
    /// On the new side.
    New(Entry),
}

/// What to do with the next item of each side.
enum Step {
    Skip,
    OpenOld,
    OpenNew,
    TakeOld,
    TakeNew,
    TakeBoth,
    End,
}

impl Cursor {
    /// At the beginning of a directory; at the end of nothing if there is none.
    pub fn new(tree: Option<TreeId>) -> Cursor {
        // The root node has no first name to check: the empty one stands for "not known".
        let root = tree.map(|node| Item::Node(Child { first: Vec::new(), node, count: u64::MAX }));
        Cursor { rest: root.into_iter().collect() }
    }

    /// Replaces the next item, a node, by what is in it. Names out of order are refused, so both sides only ever go up.
    fn open(&mut self, objects: &dyn Objects) -> Result<()> {
        let Some(Item::Node(child)) = self.rest.pop() else { return Ok(()) };
        let items: Vec<Item> = match objects.open_tree(child.node)? {
            LazyNode::Leaf(leaf) if leaf.count() == 0 => Vec::new(),
            LazyNode::Leaf(leaf) => vec![Item::Leaf(leaf, 0)],
            LazyNode::Inner(children) => children.into_iter().map(Item::Node).collect(),
        };
        let ascending = items.windows(2).all(|pair| pair[0].first() < pair[1].first());
        let begins = child.first.is_empty() || items.first().is_some_and(|item| item.first() == child.first);
        let ends = match (items.last(), self.rest.last()) {
            (Some(last), Some(next)) => last.last() < next.first(),
            _ => true,
        };
        if !(ascending && begins && ends) {
            return Err(Error::damaged(format!("tree `{}` has names out of order", child.node)));
        }
        self.rest.extend(items.into_iter().rev());
        Ok(())
    }

    /// Passes over the next item; of a node that has been read over its next entry.
    fn pass(&mut self) {
        match self.rest.last_mut() {
            Some(Item::Leaf(leaf, at)) if *at + 1 < leaf.count() => *at += 1,
            _ => drop(self.rest.pop()),
        }
    }

    /// Takes the next item if it is an entry.
    fn take(&mut self) -> Result<Option<Entry>> {
        let Some(Item::Leaf(leaf, at)) = self.rest.last() else { return Ok(None) };
        let entry = leaf.entry(*at)?;
        self.pass();
        Ok(Some(entry))
    }

    /// The first name after the next item; `None`: it is the last.
    fn name_after_next(&self) -> Option<&[u8]> {
        if let Some(Item::Leaf(leaf, at)) = self.rest.last()
            && *at + 1 < leaf.count()
        {
            return Some(leaf.name(*at + 1));
        }
        let at = self.rest.len().checked_sub(2)?;
        Some(self.rest[at].first())
    }
}

/// Whether there is something to see from one name to before another (`None`: to the end of the directory).
pub type IsWanted<'a> = dyn Fn(&[u8], Option<&[u8]>) -> bool + 'a;

/// The next name of either side. What is the same on both, a node or an entry, is passed over unless something in it is
/// wanted.
pub fn next(
    objects: &dyn Objects,
    old: &mut Cursor,
    new: &mut Cursor,
    is_wanted: &IsWanted<'_>,
) -> Result<Option<Pair>> {
    loop {
        match step(old, new, is_wanted) {
            Step::Skip => {
                old.pass();
                new.pass();
            }
            Step::OpenOld => old.open(objects)?,
            Step::OpenNew => new.open(objects)?,
            Step::TakeOld => return Ok(old.take()?.map(Pair::Old)),
            Step::TakeNew => return Ok(new.take()?.map(Pair::New)),
            Step::TakeBoth => return Ok(old.take()?.zip(new.take()?).map(|(old, new)| Pair::Both(old, new))),
            Step::End => return Ok(None),
        }
    }
}

fn step(old: &Cursor, new: &Cursor, is_wanted: &IsWanted<'_>) -> Step {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match (old.rest.last(), new.rest.last()) {
        (None, None) => Step::End,
        (Some(Item::Node(_)), None) => Step::OpenOld,
        (None, Some(Item::Node(_))) => Step::OpenNew,
        (Some(Item::Leaf(..)), None) => Step::TakeOld,
        (None, Some(Item::Leaf(..))) => Step::TakeNew,
        (Some(Item::Node(a)), Some(Item::Node(b))) if a.node == b.node => {
            if is_wanted(&a.first, old.name_after_next()) { Step::OpenOld } else { Step::Skip }
        }
        // The earlier one, or the larger one, may hold a node that is the next one of the other side.
        (Some(Item::Node(a)), Some(Item::Node(b))) => {
            let old_is_due = a.first < b.first || (a.first == b.first && a.count >= b.count);
            if old_is_due { Step::OpenOld } else { Step::OpenNew }
        }
        (Some(Item::Leaf(a, at)), Some(Item::Node(b))) if *a.name(*at) < *b.first => Step::TakeOld,
        (Some(Item::Node(a)), Some(Item::Leaf(b, at))) if *b.name(*at) < *a.first => Step::TakeNew,
        (Some(Item::Node(_)), Some(Item::Leaf(..))) => Step::OpenOld,
        (Some(Item::Leaf(..)), Some(Item::Node(_))) => Step::OpenNew,
        (Some(Item::Leaf(a, x)), Some(Item::Leaf(b, y))) => match a.name(*x).cmp(b.name(*y)) {
            Less => Step::TakeOld,
            Greater => Step::TakeNew,
            Equal if a.bytes(*x) == b.bytes(*y) && !is_wanted(a.name(*x), old.name_after_next()) => Step::Skip,
            Equal => Step::TakeBoth,
        },
    }
}
