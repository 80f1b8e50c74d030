//! Two trees compared in lockstep; equal nodes and subtrees are skipped by their ids.
//!
//! Memory: the nodes on the way from the root to where it is, and the tables of hard links where they differ.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::id::{LinksId, TreeId};
use crate::metadata::Kind;
use crate::object::{Content, Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};

use super::cursor::{Cursor, Pair, next};
use super::paths::{PathSet, Place};
use super::{Change, ChangeCounts, LeftOut, Status, What};

/// One side: a root entry and its hard links.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The root directory; `None`: nothing at all.
    pub root: Option<&'a Entry>,
    /// Its hard links.
    pub links: Option<LinksId>,
}

/// What counts.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Report modification times too (of files, links and directories), and changes of the root directory itself.
    pub mtimes: bool,
    /// Only these paths and what is below them; empty: all.
    pub paths: Vec<RepoPathBuf>,
    /// How far down to look, and what to say of directories.
    pub depth: Depth,
    /// What the new side leaves out.
    pub left_out: LeftOut,
}

/// How far down a comparison looks, and what it says of directories on the way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// All the way; what is in a directory is no change of the directory.
    #[default]
    Contents,
    /// All the way; a directory is modified where something in it differs.
    Directories,
    /// Only the names in the root; a directory is modified where something in it differs.
    Names,
}

/// Calls `each` with every path that differs, in path order; a directory that is added or deleted is reported, and then
/// everything in it.
///
/// The root directory itself has the empty path. It is reported where its mode, owner or attributes differ, and with
/// `options.mtimes` also where its time differs or one side is nothing.
///
/// Fails if an object is missing or damaged, and with what `each` fails with.
pub fn compare(
    objects: &dyn Objects,
    old: Side<'_>,
    new: Side<'_>,
    options: &Options,
    each: &mut dyn FnMut(Change) -> Result<()>,
) -> Result<ChangeCounts> {
    let relinked = relinked(objects, old.links, new.links)?;
    let selected = if options.paths.is_empty() { vec![RepoPathBuf::default()] } else { options.paths.clone() };
    let mut walk = Walk {
        objects,
        mtimes: options.mtimes,
        depth: options.depth,
        left_out: &options.left_out,
        selected: PathSet::topmost(selected),
        relinked,
        path: RepoPathBuf::default(),
        levels: Vec::new(),
        counts: ChangeCounts::default(),
        each,
    };
    walk.root(old.root, new.root)?;
    walk.run()?;
    Ok(walk.counts)
}

/// The paths whose fellow names are not the same on both sides: all in groups that one side has and the other has not.
fn relinked(objects: &dyn Objects, old: Option<LinksId>, new: Option<LinksId>) -> Result<PathSet> {
    if old == new {
        return Ok(PathSet::new(Vec::new()));
    }
    let groups = |id: Option<LinksId>| -> Result<HashSet<Vec<RepoPathBuf>>> {
        let Some(id) = id else { return Ok(HashSet::new()) };
        Ok(objects.links(id)?.groups.into_iter().collect())
    };
    let (old, mut new) = (groups(old)?, groups(new)?);
    let mut paths = Vec::new();
    for group in old {
        if !new.remove(&group) {
            paths.extend(group);
        }
    }
    paths.extend(new.into_iter().flatten());
    Ok(PathSet::new(paths))
}

/// A directory that is being compared.
struct Level {
    old: Cursor,
    new: Cursor,
    /// Whether all of it is selected, and not only something below.
    whole: bool,
}

struct Walk<'a> {
    objects: &'a dyn Objects,
    mtimes: bool,
    depth: Depth,
    left_out: &'a LeftOut,
    selected: PathSet,
    relinked: PathSet,
    /// Where the innermost level is.
    path: RepoPathBuf,
    /// From the root down. A list and not recursion, since directories may be deeper than a stack.
    levels: Vec<Level>,
    counts: ChangeCounts,
    each: &'a mut dyn FnMut(Change) -> Result<()>,
}

impl Walk<'_> {
    fn root(&mut self, old: Option<&Entry>, new: Option<&Entry>) -> Result<()> {
        for root in [old, new].into_iter().flatten() {
            if root.kind() != Kind::Directory {
                return Err(Error::damaged("the root of a commit is no directory"));
            }
        }
        let whole = self.selected.place(RepoPath::root()) == Place::Within;
        let is_on_both = old.is_some() && new.is_some();
        if whole && (is_on_both || self.mtimes) {
            self.report(old.cloned(), new.cloned())?;
        }
        self.descend(old.and_then(Entry::tree), new.and_then(Entry::tree), whole);
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        while let Some(level) = self.levels.last_mut() {
            let is_wanted = |first: &[u8], end: Option<&[u8]>| self.relinked.has_between(&self.path, first, end);
            let (old, new) = match next(self.objects, &mut level.old, &mut level.new, &is_wanted)? {
                Some(Pair::Both(old, new)) => (Some(old), Some(new)),
                Some(Pair::Old(old)) => (Some(old), None),
                Some(Pair::New(new)) => (None, Some(new)),
                None => {
                    self.levels.pop();
                    self.path.pop();
                    continue;
                }
            };
            let whole = level.whole;
            self.visit(old, new, whole)?;
        }
        Ok(())
    }

    /// One name of the innermost directory.
    fn visit(&mut self, old: Option<Entry>, new: Option<Entry>, whole: bool) -> Result<()> {
        let Some(name) = old.as_ref().or(new.as_ref()).map(|entry| &entry.name) else { return Ok(()) };
        self.path.push(name);
        let place = if whole { Place::Within } else { self.selected.place(&self.path) };
        let trees = (old.as_ref().and_then(Entry::tree), new.as_ref().and_then(Entry::tree));
        let is_on_the_way = place == Place::Above && self.depth != Depth::Contents && trees.0 != trees.1;
        if place == Place::Within || is_on_the_way {
            self.report(old, new)?;
        }
        let is_as_deep = place == Place::Outside || self.depth == Depth::Names;
        if is_as_deep || !self.descend(trees.0, trees.1, place == Place::Within) {
            self.path.pop();
        }
        Ok(())
    }

    /// Goes into the directory at `path`, unless there is nothing to see there.
    fn descend(&mut self, old: Option<TreeId>, new: Option<TreeId>, whole: bool) -> bool {
        if old == new && (old.is_none() || !self.relinked.has_between(&self.path, b"", None)) {
            return false;
        }
        self.levels.push(Level { old: Cursor::new(old), new: Cursor::new(new), whole });
        true
    }

    /// Reports the entries at `path` if they differ.
    fn report(&mut self, old: Option<Entry>, new: Option<Entry>) -> Result<()> {
        let (status, what) = match (&old, &new) {
            (None, None) => return Ok(()),
            (None, Some(_)) => (Status::Added, What::default()),
            (Some(old), None) => (self.left_out.status(&self.path, old.kind()), What::default()),
            (Some(old), Some(new)) => {
                let mut what = What { links: self.relinked.contains(&self.path), ..differences(old, new, self.mtimes) };
                if let (Some(old), Some(new)) = (old.tree(), new.tree())
                    && self.depth != Depth::Contents
                    && !self.path.is_root()
                {
                    what.content = old != new;
                    what.links |= self.relinked.has_between(&self.path, b"", None);
                }
                let status = match what {
                    What { content: true, .. } if old.kind() != new.kind() => Status::Type,
                    What { content: true, .. } => Status::Modified,
                    _ if what == What::default() => return Ok(()),
                    _ => Status::Metadata,
                };
                (status, what)
            }
        };
        self.counts.add(status);
        (self.each)(Change { path: self.path.clone(), status, old, new, what, renamed: None })
    }
}

/// What two entries of one name differ in, but for links. The content of a directory is reported name by name instead.
fn differences(old: &Entry, new: &Entry, mtimes: bool) -> What {
    let content = match (&old.content, &new.content) {
        (Content::Directory { .. }, Content::Directory { .. }) => false,
        (old, new) => old != new,
    };
    let (before, after) = (&old.metadata, &new.metadata);
    What {
        content,
        mode: before.mode != after.mode,
        owner: (before.uid, before.gid) != (after.uid, after.gid),
        mtime: mtimes && before.mtime != after.mtime,
        attributes: old.attributes != new.attributes,
        links: false,
    }
}

#[cfg(test)]
mod tests;
