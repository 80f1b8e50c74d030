//! Compares two trees in lockstep and skips subtrees with equal ids.
//!
//! Memory: the nodes from the root to the current path, and the tables of hard links if they differ.

use std::collections::HashSet;

use crate::error::{Error, Result};
use crate::id::{LinksId, TreeId};
use crate::metadata::Kind;
use crate::object::tree_cursor::TreeCursor;
use crate::object::{Content, Entry, Objects};
use crate::path::{RepoPath, RepoPathBuf};

use super::lockstep;
use super::{Change, ChangeCounts, LeftOut, Status, What};
use crate::path::selection::PathSelection;
use crate::path::set::{PathSet, Place};

/// One side of a comparison.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The root directory; `None` for the state before the first commit.
    pub root: Option<&'a Entry>,
    /// The hard links of the tree.
    pub links: Option<LinksId>,
}

/// Selects what to compare and report.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Report changed modification times, too, and added or deleted root directories.
    pub mtimes: bool,
    /// Compare only these paths and everything below them. Empty means all.
    pub paths: Vec<RepoPathBuf>,
    /// Report only these of the paths.
    pub filter: PathSelection,
    /// How deep to compare, and how to report directories.
    pub depth: Depth,
    /// Paths that the new side does not cover.
    pub left_out: LeftOut,
}

/// How deep a comparison goes, and how it reports directories that exist on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// Compare all levels. A directory does not count as modified when its content changes.
    #[default]
    Contents,
    /// Compare all levels. A directory counts as modified when its content changes.
    Directories,
    /// Compare only the names in the root. A directory counts as modified when its content changes.
    Names,
}

/// Calls `each` with every path that differs, in path order, and returns how many there are of each status. An added or
/// deleted directory is reported before its content.
///
/// The root directory has the empty path. It is reported if its mode, owner or attributes differ, and with `options.mtimes`
/// also if its time differs or one side has no root.
///
/// Fails if an object is missing or damaged, or if `each` fails.
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
        filter: &options.filter,
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

/// The paths whose hard links differ: all paths of the groups that only one side has.
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

/// A directory being compared.
struct Level {
    old: TreeCursor,
    new: TreeCursor,
    /// Whether the whole directory is selected, and not only paths below it.
    is_whole: bool,
}

struct Walk<'a> {
    objects: &'a dyn Objects,
    mtimes: bool,
    depth: Depth,
    filter: &'a PathSelection,
    left_out: &'a LeftOut,
    selected: PathSet,
    relinked: PathSet,
    /// Path of the innermost level.
    path: RepoPathBuf,
    /// From the root down. A list instead of recursion, because directories may be deeper than the stack.
    levels: Vec<Level>,
    counts: ChangeCounts,
    each: &'a mut dyn FnMut(Change) -> Result<()>,
}

impl Walk<'_> {
    fn root(&mut self, old: Option<&Entry>, new: Option<&Entry>) -> Result<()> {
        for root in [old, new].into_iter().flatten() {
            if root.kind() != Kind::Directory {
                return Err(Error::damaged("the root of a commit is not a directory"));
            }
        }
        let is_whole = self.selected.place(RepoPath::root()) == Place::Within;
        let is_on_both = old.is_some() && new.is_some();
        if is_whole && (is_on_both || self.mtimes) {
            self.report(old.cloned(), new.cloned())?;
        }
        self.descend(old.and_then(Entry::tree), new.and_then(Entry::tree), is_whole);
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        while let Some(level) = self.levels.last_mut() {
            let is_wanted = |first: &[u8], end: Option<&[u8]>| self.relinked.has_between(&self.path, first, end);
            match lockstep::next(self.objects, &mut level.old, &mut level.new, &is_wanted)? {
                Some((old, new)) => {
                    let is_whole = level.is_whole;
                    self.visit(old, new, is_whole)?;
                }
                None => {
                    self.levels.pop();
                    self.path.pop();
                }
            }
        }
        Ok(())
    }

    /// Compares one name of the innermost directory.
    fn visit(&mut self, old: Option<Entry>, new: Option<Entry>, is_whole: bool) -> Result<()> {
        let Some(name) = old.as_ref().or(new.as_ref()).map(|entry| &entry.name) else { return Ok(()) };
        self.path.push(name);
        let place = if is_whole { Place::Within } else { self.selected.place(&self.path) };
        let trees = (old.as_ref().and_then(Entry::tree), new.as_ref().and_then(Entry::tree));
        let is_changed_ancestor = place == Place::Above && self.depth != Depth::Contents && trees.0 != trees.1;
        if place == Place::Within || is_changed_ancestor {
            self.report(old, new)?;
        }
        let is_leaf = place == Place::Outside || self.depth == Depth::Names;
        if is_leaf || !self.descend(trees.0, trees.1, place == Place::Within) {
            self.path.pop();
        }
        Ok(())
    }

    /// Enters the directory at `path`, unless its content is the same on both sides.
    fn descend(&mut self, old: Option<TreeId>, new: Option<TreeId>, is_whole: bool) -> bool {
        if old == new && (old.is_none() || !self.relinked.has_between(&self.path, b"", None)) {
            return false;
        }
        self.levels.push(Level { old: TreeCursor::new(old), new: TreeCursor::new(new), is_whole });
        true
    }

    /// Reports the entries at `path` if they differ.
    fn report(&mut self, old: Option<Entry>, new: Option<Entry>) -> Result<()> {
        if !self.filter.selects(&self.path) {
            return Ok(());
        }
        let (status, what) = match (&old, &new) {
            (None, None) => return Ok(()),
            (None, Some(_)) => (Status::Added, What::default()),
            (Some(old), None) => (self.left_out.status(&self.path, old), What::default()),
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
        (self.each)(Change { path: self.path.clone(), status, old, new, what, renamed: None, has_renames: false })
    }
}

/// How two entries of one name differ, except in links. The content of directories is compared name by name instead.
pub fn differences(old: &Entry, new: &Entry, mtimes: bool) -> What {
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
