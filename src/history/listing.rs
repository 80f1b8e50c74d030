//! A tree listed entry by entry, all of it or what paths name. Nodes are read when their names are due.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::error::{Error, ErrorKind, Result};
use crate::id::TreeId;
use crate::object::tree::{Child, Node};
use crate::object::{Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};

/// What is listed.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// What is below a directory too, instead of the directory.
    pub recursive: bool,
    /// Directories too where what is in them is listed, also those on the way to a path.
    pub with_trees: bool,
    /// Nothing but directories.
    pub only_trees: bool,
    /// Only these; empty: all.
    pub paths: Paths,
}

/// Paths from the root of the tree.
#[derive(Clone, Debug, Default)]
pub struct Paths {
    /// `PATH`: this entry.
    named: BTreeSet<RepoPathBuf>,
    /// `PATH/`: what is in it.
    opened: BTreeSet<RepoPathBuf>,
}

impl Paths {
    /// Adds one as it was written. [`ErrorKind::Usage`] if it is none.
    pub fn add(&mut self, text: &[u8]) -> Result<()> {
        let (bytes, paths) = match text.strip_suffix(b"/") {
            Some(bytes) => (bytes, &mut self.opened),
            None => (text, &mut self.named),
        };
        let path = RepoPathBuf::new(bytes.to_vec()).filter(|path| !path.is_root()).ok_or_else(|| {
            let text = String::from_utf8_lossy(text);
            Error::new(ErrorKind::Usage, format!("`{}` is not a valid path in a tree", text.escape_debug()))
                .hint("paths begin at the root of the tree: `data/a.csv`, or `data/` for what is in it")
        })?;
        paths.insert(path);
        Ok(())
    }

    fn is_empty(&self) -> bool {
        self.named.is_empty() && self.opened.is_empty()
    }

    /// Whether it is one of them, or right in an opened one.
    fn name(&self, path: &RepoPath) -> bool {
        self.named.contains(path) || path.parent().is_some_and(|parent| self.opened.contains(parent))
    }

    /// Whether it or something above it is one of them.
    fn cover(&self, path: &RepoPath) -> bool {
        let is_one = |path: &RepoPath| self.named.contains(path) || self.opened.contains(path);
        self.named.contains(path) || path.ancestors().any(is_one)
    }

    /// Whether one of them is in the directory.
    fn lead_into(&self, path: &RepoPath) -> bool {
        let next = |paths: &BTreeSet<RepoPathBuf>, from| {
            let mut paths = paths.range::<RepoPath, _>((from, Bound::Unbounded));
            paths.next().is_some_and(|next| next.is_within(path))
        };
        next(&self.named, Bound::Excluded(path)) || next(&self.opened, Bound::Included(path))
    }
}

impl Options {
    fn lists(&self, path: &RepoPath) -> bool {
        match (self.paths.is_empty(), self.recursive) {
            (true, _) => true,
            (false, true) => self.paths.cover(path),
            (false, false) => self.paths.name(path),
        }
    }

    /// Whether a directory is listed, and whether what is in it is looked at.
    fn judge(&self, path: &RepoPath) -> (bool, bool) {
        let is_listed = self.lists(path);
        let leads = self.paths.lead_into(path);
        let enters = leads || self.recursive && is_listed;
        let with_trees = self.with_trees || self.recursive && self.only_trees;
        // Without descending, a directory that is named is meant itself, whatever else is named in it.
        let shown = if with_trees { is_listed || leads } else { is_listed && !(enters && self.recursive) };
        (shown, enters)
    }
}

/// The entries, each with its path, in path order.
pub fn list<'o>(objects: &'o dyn Objects, tree: TreeId, options: Options) -> Listing<'o> {
    Listing { objects, options, path: RepoPathBuf::default(), levels: vec![Level::new(tree)] }
}

/// A list that goes on.
pub struct Listing<'o> {
    objects: &'o dyn Objects,
    options: Options,
    /// Where the innermost level is.
    path: RepoPathBuf,
    /// From the root down. A list and not recursion, since directories may be deeper than a stack.
    levels: Vec<Level>,
}

/// What is left of a directory.
struct Level {
    /// In reverse order: the last one is next.
    rest: Vec<Item>,
    /// The name that came last.
    last: Vec<u8>,
}

enum Item {
    Node(Child),
    Entry(Entry),
}

impl Level {
    fn new(tree: TreeId) -> Level {
        // The root node has no first name to check: the empty one stands for "not known".
        let root = Item::Node(Child { first: Vec::new(), node: tree, count: 0 });
        Level { rest: vec![root], last: Vec::new() }
    }

    fn next(&mut self, objects: &dyn Objects) -> Result<Option<Entry>> {
        loop {
            match self.rest.pop() {
                None => return Ok(None),
                Some(Item::Node(child)) => self.open(&child, objects)?,
                Some(Item::Entry(entry)) if entry.name > self.last => {
                    self.last.clone_from(&entry.name);
                    return Ok(Some(entry));
                }
                Some(Item::Entry(entry)) => {
                    let name = entry.name.escape_ascii();
                    return Err(Error::damaged(format!("a tree has `{name}` out of order")));
                }
            }
        }
    }

    fn open(&mut self, child: &Child, objects: &dyn Objects) -> Result<()> {
        let (first, items): (_, Vec<Item>) = match objects.tree_node(child.node)? {
            Node::Leaf(entries) => (entries.first().map(|it| it.name.clone()), items(entries, Item::Entry)),
            Node::Inner(children) => (children.first().map(|it| it.first.clone()), items(children, Item::Node)),
        };
        if !child.first.is_empty() && (first.as_ref() != Some(&child.first) || child.first <= self.last) {
            return Err(Error::damaged(format!("tree `{}` does not begin as its parent says", child.node)));
        }
        self.rest.extend(items);
        Ok(())
    }
}

fn items<T>(list: Vec<T>, item: fn(T) -> Item) -> Vec<Item> {
    list.into_iter().rev().map(item).collect()
}

impl Listing<'_> {
    fn find(&mut self) -> Result<Option<(RepoPathBuf, Entry)>> {
        while let Some(level) = self.levels.last_mut() {
            let Some(entry) = level.next(self.objects)? else {
                self.levels.pop();
                self.path.pop();
                continue;
            };
            let path = self.path.join(&entry.name);
            let shown = match entry.tree() {
                None => self.options.lists(&path) && !self.options.only_trees,
                Some(tree) => {
                    let (shown, enters) = self.options.judge(&path);
                    if enters {
                        self.path.push(&entry.name);
                        self.levels.push(Level::new(tree));
                    }
                    shown
                }
            };
            if shown {
                return Ok(Some((path, entry)));
            }
        }
        Ok(None)
    }
}

impl Iterator for Listing<'_> {
    type Item = Result<(RepoPathBuf, Entry)>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.find();
        if found.is_err() {
            self.levels.clear();
        }
        found.transpose()
    }
}
