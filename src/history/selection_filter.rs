//! Decides whether a commit changes a path that patterns or exclusions select, relative to its first parent.
//!
//! Compares the two trees and skips nodes that both have, so the cost follows the size of the change.

use std::collections::{BTreeMap, HashSet};

use crate::error::Result;
use crate::id::TreeId;
use crate::object::lazy_node::{LazyNode, Leaf};
use crate::object::{Entry, Objects};
use crate::path::RepoPathBuf;
use crate::path::selection::PathSelection;

/// The entry of a name on the new and on the old side.
type Pair = (Option<Entry>, Option<Entry>);

/// Whether a selected path differs in more than its mtime between two root directories.
pub fn differs(selection: &PathSelection, objects: &dyn Objects, new: &Entry, old: Option<&Entry>) -> Result<bool> {
    // A list instead of recursion, because paths may be deeper than the stack.
    let mut pending = vec![(RepoPathBuf::default(), new.tree(), old.and_then(Entry::tree))];
    while let Some((directory, new, old)) = pending.pop() {
        for (name, pair) in changed_names(objects, [new, old])? {
            let path = directory.join(&name);
            if selection.selects(&path) && is_changed(&pair) {
                return Ok(true);
            }
            let (new, old) = (pair.0.and_then(|entry| entry.tree()), pair.1.and_then(|entry| entry.tree()));
            if new != old && selection.may_select_below(&path) {
                pending.push((path, new, old));
            }
        }
    }
    Ok(false)
}

/// Whether the entries differ in more than their mtime. The content of directories is compared name by name.
fn is_changed((new, old): &Pair) -> bool {
    match (new, old) {
        (Some(new), Some(old)) if new.tree().is_some() && old.tree().is_some() => {
            !Entry { content: old.content.clone(), ..new.clone() }.is_same_but_time(old)
        }
        (Some(new), Some(old)) => !new.is_same_but_time(old),
        _ => true,
    }
}

/// The names whose entries differ in two directories.
fn changed_names(objects: &dyn Objects, trees: [Option<TreeId>; 2]) -> Result<BTreeMap<Vec<u8>, Pair>> {
    let mut pairs: BTreeMap<Vec<u8>, Pair> = BTreeMap::new();
    let [new, old] = unshared_leaves(objects, trees)?;
    for leaf in new {
        for n in 0..leaf.count() {
            pairs.entry(leaf.name(n).to_owned()).or_default().0 = Some(leaf.entry(n)?);
        }
    }
    for leaf in old {
        for n in 0..leaf.count() {
            pairs.entry(leaf.name(n).to_owned()).or_default().1 = Some(leaf.entry(n)?);
        }
    }
    pairs.retain(|_, (new, old)| new != old);
    Ok(pairs)
}

/// The leaves of both directories, without those that both have.
fn unshared_leaves(objects: &dyn Objects, trees: [Option<TreeId>; 2]) -> Result<[Vec<Leaf>; 2]> {
    let mut nodes = trees.map(|tree| tree.into_iter().collect::<Vec<_>>());
    let mut leaves = [Vec::new(), Vec::new()];
    while nodes.iter().any(|nodes| !nodes.is_empty()) {
        let [new, old] = nodes.each_ref().map(|nodes| nodes.iter().copied().collect::<HashSet<_>>());
        let sides = nodes.iter().zip([old, new]).zip(&mut leaves);
        let mut next = [Vec::new(), Vec::new()];
        for (((nodes, other), leaves), next) in sides.zip(&mut next) {
            for node in nodes.iter().filter(|node| !other.contains(node)) {
                match objects.open_tree(*node)? {
                    LazyNode::Leaf(leaf) => leaves.push(leaf),
                    LazyNode::Inner(children) => next.extend(children.iter().map(|child| child.node)),
                }
            }
        }
        nodes = next;
    }
    Ok(leaves)
}
