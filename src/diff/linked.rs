//! Combines the hard links of two trees, and checks the hard links of a tree.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::history::entry_at;
use crate::id::LinksId;
use crate::metadata::Kind;
use crate::object::{Entry, Links, Objects, Tree};
use crate::path::{RepoPath, RepoPathBuf};

use crate::path::set::{PathSet, Place};

/// The groups of hard links when the selected paths come from `from` and all others from `base`, and the unselected paths
/// whose mtime in `base` differs from that of the selected paths of their group.
pub(super) fn merge(
    objects: &dyn Objects,
    base: (&Entry, Option<LinksId>),
    from: (&Entry, Option<LinksId>),
    selected: &PathSet,
) -> Result<(Vec<Vec<RepoPathBuf>>, Vec<RepoPathBuf>)> {
    let groups = |links: Option<LinksId>| links.map_or(Ok(Links::default()), |id| objects.links(id));
    let mut merging = Merging::new(groups(base.1)?, Finder::new(objects, base.0), selected);
    let (mut theirs, mut other_times) = (Finder::new(objects, from.0), Vec::new());
    for group in groups(from.1)?.groups {
        let (chosen, rest): (Vec<_>, Vec<_>) =
            group.into_iter().partition(|path| selected.place(path) == Place::Within);
        let Some(first) = chosen.first() else { continue };
        let Some(wanted) = theirs.find(first)? else { continue };
        match merging.find(&rest, &wanted)? {
            Some(at) => {
                for path in &merging.groups[at] {
                    let entry = merging.base.find(path)?;
                    if entry.is_some_and(|entry| entry.metadata.mtime != wanted.metadata.mtime) {
                        other_times.push(path.clone());
                    }
                }
                merging.groups[at].extend(chosen);
            }
            None => merging.groups.push(chosen),
        }
    }
    let mut groups = merging.groups;
    groups.retain(|group| group.len() > 1);
    groups.iter_mut().for_each(|group| group.sort());
    groups.sort();
    other_times.sort();
    Ok((groups, other_times))
}

/// Checks that a table of hard links fits a tree: every path exists, none is a directory, and the paths of a group have the
/// same entry except for mtimes. [`ErrorKind::Usage`] if not.
pub fn check(objects: &dyn Objects, root: &Entry, links: LinksId) -> Result<()> {
    let groups = objects.links(links)?.groups;
    let mut names: Vec<(&RepoPathBuf, usize)> =
        groups.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |path| (path, at))).collect();
    names.sort();
    let (mut finder, mut firsts) = (Finder::new(objects, root), vec![None; groups.len()]);
    for (path, at) in names {
        let wrong = |what: &str| {
            let message = format!("the hard links do not match the tree: `{}` {what}", path.display());
            Err(Error::new(ErrorKind::Usage, message).hint("to print a tree and its hard links: undo write-tree"))
        };
        let Some(entry) = finder.find(path)? else { return wrong("does not exist") };
        if entry.kind() == Kind::Directory {
            return wrong("is a directory");
        }
        match &firsts[at] {
            None => firsts[at] = Some(entry),
            Some(first) if first.is_same_but_time(&entry) => {}
            Some(_) => return wrong(&format!("differs from `{}`", groups[at][0].display())),
        }
    }
    Ok(())
}

/// The groups of the base, and the paths added to them.
struct Merging<'m> {
    base: Finder<'m>,
    selected: &'m PathSet,
    groups: Vec<Vec<RepoPathBuf>>,
    /// Index of the group of each path of the base.
    group_of: HashMap<RepoPathBuf, usize>,
}

impl<'m> Merging<'m> {
    fn new(links: Links, base: Finder<'m>, selected: &'m PathSet) -> Merging<'m> {
        let mut merging = Merging { base, selected, groups: Vec::new(), group_of: HashMap::new() };
        for group in links.groups {
            let group: Vec<RepoPathBuf> = group.into_iter().filter(|path| merging.stays(path)).collect();
            if !group.is_empty() {
                merging.group_of.extend(group.iter().map(|path| (path.clone(), merging.groups.len())));
                merging.groups.push(group);
            }
        }
        merging
    }

    /// Whether a path keeps its entry from the base.
    fn stays(&self, path: &RepoPath) -> bool {
        self.selected.place(path) == Place::Outside
    }

    /// The group of the base that contains only these paths, all with the wanted entry.
    fn find(&mut self, names: &[RepoPathBuf], wanted: &Entry) -> Result<Option<usize>> {
        for path in names {
            let is_same = |entry: &Entry| entry.kind() != Kind::Directory && wanted.is_same_but_time(entry);
            if !self.stays(path) || !self.base.find(path)?.as_ref().is_some_and(is_same) {
                continue;
            }
            match self.group_of.get(path) {
                Some(&at) if self.groups[at].iter().all(|path| names.contains(path)) => return Ok(Some(at)),
                Some(_) => {}
                // The path has no other hard link in the base.
                None => {
                    self.group_of.insert(path.clone(), self.groups.len());
                    self.groups.push(vec![path.clone()]);
                    return Ok(Some(self.groups.len() - 1));
                }
            }
        }
        Ok(None)
    }
}

/// Looks up entries. Reads each directory once if paths are looked up in path order.
struct Finder<'o> {
    objects: &'o dyn Objects,
    root: &'o Entry,
    /// The directory of the path that was looked up last.
    last: Option<(RepoPathBuf, Tree)>,
}

impl<'o> Finder<'o> {
    fn new(objects: &'o dyn Objects, root: &'o Entry) -> Finder<'o> {
        Finder { objects, root, last: None }
    }

    fn find(&mut self, path: &RepoPath) -> Result<Option<Entry>> {
        let (Some(parent), Some(name)) = (path.parent(), path.name()) else { return Ok(Some(self.root.clone())) };
        if self.last.as_ref().is_none_or(|(directory, _)| **directory != *parent) {
            let directory = entry_at(self.objects, self.root, parent)?;
            let tree = directory.and_then(|entry| entry.tree()).map(|tree| self.objects.tree(tree)).transpose()?;
            self.last = Some((parent.to_owned(), tree.unwrap_or_default()));
        }
        Ok(self.last.as_ref().and_then(|(_, tree)| tree.find(name).cloned()))
    }
}
