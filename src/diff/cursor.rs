//! One directory on two sides, name by name. Nodes are read when their names are due; nodes that both sides share are
//! not read at all.

use crate::error::{Error, Result};
use crate::id::TreeId;
use crate::object::tree::{Child, Node};
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
    /// An entry of a node that has.
    Entry(Entry),
}

impl Item {
    fn first(&self) -> &[u8] {
        match self {
            Item::Node(child) => &child.first,
            Item::Entry(entry) => &entry.name,
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
        let items: Vec<Item> = match objects.tree_node(child.node)? {
            Node::Leaf(entries) => entries.into_iter().map(Item::Entry).collect(),
            Node::Inner(children) => children.into_iter().map(Item::Node).collect(),
        };
        let ascending = items.windows(2).all(|pair| pair[0].first() < pair[1].first());
        let begins = child.first.is_empty() || items.first().is_some_and(|item| item.first() == child.first);
        let ends = match (items.last(), self.rest.last()) {
            (Some(last), Some(next)) => last.first() < next.first(),
            _ => true,
        };
        if !(ascending && begins && ends) {
            return Err(Error::damaged(format!("tree `{}` has names out of order", child.node)));
        }
        self.rest.extend(items.into_iter().rev());
        Ok(())
    }

    /// Takes the next item if it is an entry.
    fn take(&mut self) -> Option<Entry> {
        match self.rest.pop() {
            Some(Item::Entry(entry)) => Some(entry),
            _ => None,
        }
    }

    /// The first name after the next item; `None`: it is the last.
    fn name_after_next(&self) -> Option<&[u8]> {
        let at = self.rest.len().checked_sub(2)?;
        Some(self.rest[at].first())
    }
}

/// Whether there is something to see from one name to before another (`None`: to the end of the directory).
pub type IsWanted<'a> = dyn Fn(&[u8], Option<&[u8]>) -> bool + 'a;

/// The next name of either side. A node that is the same on both is passed over, unless something in it is wanted.
pub fn next(
    objects: &dyn Objects,
    old: &mut Cursor,
    new: &mut Cursor,
    is_wanted: &IsWanted<'_>,
) -> Result<Option<Pair>> {
    loop {
        match step(old, new, is_wanted) {
            Step::Skip => {
                old.rest.pop();
                new.rest.pop();
            }
            Step::OpenOld => old.open(objects)?,
            Step::OpenNew => new.open(objects)?,
            Step::TakeOld => return Ok(old.take().map(Pair::Old)),
            Step::TakeNew => return Ok(new.take().map(Pair::New)),
            Step::TakeBoth => return Ok(old.take().zip(new.take()).map(|(old, new)| Pair::Both(old, new))),
            Step::End => return Ok(None),
        }
    }
}

fn step(old: &Cursor, new: &Cursor, is_wanted: &IsWanted<'_>) -> Step {
    match (old.rest.last(), new.rest.last()) {
        (None, None) => Step::End,
        (Some(Item::Node(_)), None) => Step::OpenOld,
        (None, Some(Item::Node(_))) => Step::OpenNew,
        (Some(Item::Entry(_)), None) => Step::TakeOld,
        (None, Some(Item::Entry(_))) => Step::TakeNew,
        (Some(Item::Node(a)), Some(Item::Node(b))) if a.node == b.node => {
            if is_wanted(&a.first, old.name_after_next()) { Step::OpenOld } else { Step::Skip }
        }
        // The earlier one, or the larger one, may hold a node that is the next one of the other side.
        (Some(Item::Node(a)), Some(Item::Node(b))) => {
            let old_is_due = a.first < b.first || (a.first == b.first && a.count >= b.count);
            if old_is_due { Step::OpenOld } else { Step::OpenNew }
        }
        (Some(Item::Entry(a)), Some(Item::Node(b))) if a.name < b.first => Step::TakeOld,
        (Some(Item::Node(a)), Some(Item::Entry(b))) if b.name < a.first => Step::TakeNew,
        (Some(Item::Node(_)), Some(Item::Entry(_))) => Step::OpenOld,
        (Some(Item::Entry(_)), Some(Item::Node(_))) => Step::OpenNew,
        (Some(Item::Entry(a)), Some(Item::Entry(b))) => match a.name.cmp(&b.name) {
            std::cmp::Ordering::Less => Step::TakeOld,
            std::cmp::Ordering::Greater => Step::TakeNew,
            std::cmp::Ordering::Equal => Step::TakeBoth,
        },
    }
}
