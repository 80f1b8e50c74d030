//! Names of one file, where some paths of a tree come from another one.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::id::LinksId;
use crate::metadata::Kind;
use crate::object::{Entry, Links, Objects, Tree};
use crate::path::{RepoPath, RepoPathBuf};

use super::paths::{PathSet, Place};

/// The groups of names when the selected paths are as in `from`, and all others as in `base`. Then the paths that are not
/// selected and have, in `base`, another time than the selected names of their file.
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
                    let there = merging.base.find(path)?;
                    if there.is_some_and(|there| there.metadata.mtime != wanted.metadata.mtime) {
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

/// Whether a table of hard links can be that of a tree: all names are there, none is of a directory, and those of one file
/// are the same but for their times. [`ErrorKind::Usage`] if not.
pub fn check(objects: &dyn Objects, root: &Entry, links: LinksId) -> Result<()> {
    let groups = objects.links(links)?.groups;
    let mut names: Vec<(&RepoPathBuf, usize)> =
        groups.iter().enumerate().flat_map(|(at, group)| group.iter().map(move |path| (path, at))).collect();
    names.sort();
    let (mut finder, mut firsts) = (Finder::new(objects, root), vec![None; groups.len()]);
    for (path, at) in names {
        let wrong = |what: &str| {
            let message = format!("the links do not fit the tree: `{}` {what}", path.display());
            Err(Error::new(ErrorKind::Usage, message).hint("`undo write-tree` prints a tree and the links that fit it"))
        };
        let Some(entry) = finder.find(path)? else { return wrong("is not in it") };
        if entry.kind() == Kind::Directory {
            return wrong("is a directory");
        }
        match &firsts[at] {
            None => firsts[at] = Some(entry),
            Some(first) if first.is_same_but_time(&entry) => {}
            Some(_) => return wrong(&format!("is not the same as `{}`", groups[at][0].display())),
        }
    }
    Ok(())
}

/// The groups of the base, and what is added to them.
struct Merging<'m> {
    base: Finder<'m>,
    selected: &'m PathSet,
    groups: Vec<Vec<RepoPathBuf>>,
    /// Which of the groups a path of the base is in.
    places: HashMap<RepoPathBuf, usize>,
}

impl<'m> Merging<'m> {
    fn new(links: Links, base: Finder<'m>, selected: &'m PathSet) -> Merging<'m> {
        let mut merging = Merging { base, selected, groups: Vec::new(), places: HashMap::new() };
        for group in links.groups {
            let group: Vec<RepoPathBuf> = group.into_iter().filter(|path| merging.stays(path)).collect();
            if !group.is_empty() {
                merging.places.extend(group.iter().map(|path| (path.clone(), merging.groups.len())));
                merging.groups.push(group);
            }
        }
        merging
    }

    /// What is not selected, and has not given way to a directory above something that is.
    fn stays(&self, path: &RepoPath) -> bool {
        self.selected.place(path) == Place::Outside
    }

    /// The group that a file joins whose other names are these: one that has no other names still, and is still that file.
    fn find(&mut self, names: &[RepoPathBuf], wanted: &Entry) -> Result<Option<usize>> {
        for path in names {
            let is_it = |there: &Entry| there.kind() != Kind::Directory && wanted.is_same_but_time(there);
            if !self.stays(path) || !self.base.find(path)?.as_ref().is_some_and(is_it) {
                continue;
            }
            match self.places.get(path) {
                Some(&at) if self.groups[at].iter().all(|path| names.contains(path)) => return Ok(Some(at)),
                Some(_) => {}
                // It has no other name by now.
                None => {
                    self.places.insert(path.clone(), self.groups.len());
                    self.groups.push(vec![path.clone()]);
                    return Ok(Some(self.groups.len() - 1));
                }
            }
        }
        Ok(None)
    }
}

/// Finds entries; asked in path order it reads each tree once.
struct Finder<'o> {
    objects: &'o dyn Objects,
    root: &'o Entry,
    /// The directories that lead to where it is.
    levels: Vec<(RepoPathBuf, Tree)>,
}

impl<'o> Finder<'o> {
    fn new(objects: &'o dyn Objects, root: &'o Entry) -> Finder<'o> {
        Finder { objects, root, levels: Vec::new() }
    }

    fn find(&mut self, path: &RepoPath) -> Result<Option<Entry>> {
        while self.levels.last().is_some_and(|(above, _)| path.is_root() || !path.is_within(above)) {
            self.levels.pop();
        }
        let (mut entry, mut here) = match self.levels.pop() {
            Some((here, tree)) => {
                let rest = path.below(&here).and_then(|rest| rest.names().next());
                let found = rest.and_then(|name| Some((tree.find(name)?.clone(), here.join(name))));
                self.levels.push((here, tree));
                let Some(found) = found else { return Ok(None) };
                found
            }
            None => (self.root.clone(), RepoPathBuf::default()),
        };
        while *here != *path {
            let Some(name) = path.below(&here).and_then(|rest| rest.names().next()) else { return Ok(None) };
            let Some(tree) = entry.tree().map(|tree| self.objects.tree(tree)).transpose()? else { return Ok(None) };
            let found = tree.find(name).cloned();
            let below = here.join(name);
            self.levels.push((here, tree));
            let Some(found) = found else { return Ok(None) };
            (entry, here) = (found, below);
        }
        Ok(Some(entry))
    }
}
