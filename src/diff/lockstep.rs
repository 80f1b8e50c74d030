//! Walks one directory on two sides, name by name, without reading the nodes that both sides share.

use std::cmp::Ordering;

use crate::error::Result;
use crate::object::tree_cursor::{CursorItem, TreeCursor};
use crate::object::{Entry, Objects};

/// Whether names from the first one to before the second (`None`: to the end of the directory) must be visited even where
/// both sides are the same.
pub(super) type IsWanted<'a> = dyn Fn(&[u8], Option<&[u8]>) -> bool + 'a;

/// The entries of one name on the old and on the new side.
pub(super) type Pair = (Option<Entry>, Option<Entry>);

enum Action {
    Skip,
    Open,
    Take,
}

/// Which sides an action applies to.
struct Sides {
    old: bool,
    new: bool,
}

const OLD: Sides = Sides { old: true, new: false };
const NEW: Sides = Sides { old: false, new: true };
const BOTH: Sides = Sides { old: true, new: true };

/// The next name of either side. Skips nodes and entries that are the same on both sides and not wanted.
pub(super) fn next(
    objects: &dyn Objects,
    old: &mut TreeCursor,
    new: &mut TreeCursor,
    is_wanted: &IsWanted<'_>,
) -> Result<Option<Pair>> {
    while let Some((action, sides)) = next_action(old, new, is_wanted) {
        match action {
            Action::Skip => {
                old.skip();
                new.skip();
            }
            Action::Open => if sides.old { &mut *old } else { &mut *new }.open(objects)?,
            Action::Take => {
                let old = if sides.old { old.take()? } else { None };
                let new = if sides.new { new.take()? } else { None };
                return Ok(Some((old, new)));
            }
        }
    }
    Ok(None)
}

fn next_action(old: &TreeCursor, new: &TreeCursor, is_wanted: &IsWanted<'_>) -> Option<(Action, Sides)> {
    use CursorItem::{Leaf, Node};
    let action = match (old.peek(), new.peek()) {
        (None, None) => return None,
        (Some(Node(_)), None) => (Action::Open, OLD),
        (None, Some(Node(_))) => (Action::Open, NEW),
        (Some(Leaf(..)), None) => (Action::Take, OLD),
        (None, Some(Leaf(..))) => (Action::Take, NEW),
        (Some(Node(a)), Some(Node(b))) if a.node == b.node => {
            let is_wanted = is_wanted(&a.first, old.name_after_next());
            (if is_wanted { Action::Open } else { Action::Skip }, OLD)
        }
        // The node that begins earlier, or else has more entries, may contain a node that comes next on the other side.
        (Some(Node(a)), Some(Node(b))) => {
            let is_old_first = a.first < b.first || (a.first == b.first && a.count >= b.count);
            (Action::Open, if is_old_first { OLD } else { NEW })
        }
        (Some(Leaf(a, at)), Some(Node(b))) if *a.name(*at) < *b.first => (Action::Take, OLD),
        (Some(Node(a)), Some(Leaf(b, at))) if *b.name(*at) < *a.first => (Action::Take, NEW),
        (Some(Node(_)), Some(Leaf(..))) => (Action::Open, OLD),
        (Some(Leaf(..)), Some(Node(_))) => (Action::Open, NEW),
        (Some(Leaf(a, x)), Some(Leaf(b, y))) => match a.name(*x).cmp(b.name(*y)) {
            Ordering::Less => (Action::Take, OLD),
            Ordering::Greater => (Action::Take, NEW),
            Ordering::Equal => {
                let is_same = a.bytes(*x) == b.bytes(*y) && !is_wanted(a.name(*x), old.name_after_next());
                (if is_same { Action::Skip } else { Action::Take }, BOTH)
            }
        },
    };
    Some(action)
}
