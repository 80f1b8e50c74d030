//! Trees put together from two others: some paths from one, the rest from the other.

use std::collections::{BTreeMap, btree_map};

use crate::error::Result;
use crate::id::{LinksId, ObjectId, TreeId};
use crate::object::{Content, Entry, Links, ObjectKind, Objects, Tree};
use crate::path::{RepoPath, RepoPathBuf};

use super::linked;
use super::paths::PathSet;

/// Where new objects go.
type Put<'p> = dyn FnMut(ObjectKind, ObjectId, Vec<u8>) -> Result<()> + 'p;

/// A tree put together from two others.
pub struct Spliced {
    /// Its root directory.
    pub root: Entry,
    /// Its table of hard links.
    pub links: Option<LinksId>,
    /// Paths that were not selected, and have the time of a selected name of the same file.
    pub other_names: Vec<RepoPathBuf>,
}

/// The root and links of `base` in which `paths`, and what is below them, are as in `from`: there, or not there.
/// Directories above a path that `base` lacks are taken from `from`. New trees go to `put`.
///
/// A path of `paths` that is a name of a file in `from` is one in the result too, if another name of that file stays and
/// still has the same content and metadata. Only its time may differ: then all names get that of the selected one.
pub fn splice(
    objects: &dyn Objects,
    base: (&Entry, Option<LinksId>),
    from: (&Entry, Option<LinksId>),
    paths: &[RepoPathBuf],
    put: &mut Put<'_>,
) -> Result<Spliced> {
    if paths.iter().any(|path| path.is_root()) {
        return Ok(Spliced { root: from.0.clone(), links: from.1, other_names: Vec::new() });
    }
    let selected = PathSet::topmost(paths.to_vec());
    let (groups, other_names) = linked::merge(objects, base, from, &selected)?;
    let paths: Vec<&RepoPath> = paths.iter().chain(&other_names).map(|path| &**path).collect();
    let root = merge(objects, base.0, base.0.tree(), from.0.tree(), &paths, put)?;
    let links = match groups.is_empty() {
        true => None,
        false => Some(Links { groups }.save(|id, bytes| put(ObjectKind::Links, id.object_id(), bytes))?),
    };
    Ok(Spliced { root, links, other_names })
}

/// The directory `like` whose entries are those of `base`, but for `paths` (relative to it, none of them empty), which are
/// as in `from`.
fn merge(
    objects: &dyn Objects,
    like: &Entry,
    base: Option<TreeId>,
    from: Option<TreeId>,
    paths: &[&RepoPath],
    put: &mut Put<'_>,
) -> Result<Entry> {
    let mut level = Level::open(objects, like, base, from, paths)?;
    // A list and not recursion, since directories may be deeper than a stack.
    let mut above = Vec::new();
    loop {
        if let Some(below) = level.next(objects)? {
            above.push(std::mem::replace(&mut level, below));
            continue;
        }
        let is_new = level.is_new;
        let merged = save(level.entries.into_values().collect(), &level.like, put)?;
        level = match above.pop() {
            Some(level) => level,
            None => return Ok(merged),
        };
        // A directory that would be new, and has nothing of what is selected, is not needed.
        if !(is_new && matches!(merged.content, Content::Directory { entries: 0, .. })) {
            level.entries.insert(merged.name.clone(), merged);
        }
    }
}

/// A directory that is being put together.
struct Level<'p> {
    like: Entry,
    /// Whether the base has no such directory.
    is_new: bool,
    entries: BTreeMap<Vec<u8>, Entry>,
    theirs: Tree,
    /// What is selected in it and not yet looked at.
    rest: btree_map::IntoIter<&'p [u8], Vec<&'p RepoPath>>,
}

impl<'p> Level<'p> {
    fn open(
        objects: &dyn Objects,
        like: &Entry,
        base: Option<TreeId>,
        from: Option<TreeId>,
        paths: &[&'p RepoPath],
    ) -> Result<Level<'p>> {
        let load = |tree: Option<TreeId>| tree.map_or(Ok(Tree::default()), |tree| objects.tree(tree));
        let (theirs, ours) = (load(from)?, load(base)?);
        let entries = ours.entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
        let rest = by_first_name(paths).into_iter();
        Ok(Level { like: like.clone(), is_new: base.is_none(), entries, theirs, rest })
    }

    /// Takes what is selected, up to the next directory in which only something is.
    fn next(&mut self, objects: &dyn Objects) -> Result<Option<Level<'p>>> {
        for (name, below) in self.rest.by_ref() {
            let their = self.theirs.find(name);
            // The whole name is selected: what is selected below it is in it.
            if below.iter().any(|path| path.is_root()) {
                match their {
                    Some(entry) => self.entries.insert(name.to_vec(), entry.clone()),
                    None => self.entries.remove(name),
                };
                continue;
            }
            let their = their.and_then(|entry| Some((entry, entry.tree()?)));
            let our = self.entries.get(name).and_then(|entry| Some((entry, entry.tree()?)));
            let Some((like, _)) = our.or(their) else { continue };
            let (our, their) = (our.map(|(_, tree)| tree), their.map(|(_, tree)| tree));
            return Level::open(objects, like, our, their, &below).map(Some);
        }
        Ok(None)
    }
}

/// Paths by their first name, each without it.
fn by_first_name<'p>(paths: &[&'p RepoPath]) -> BTreeMap<&'p [u8], Vec<&'p RepoPath>> {
    let mut names: BTreeMap<&[u8], Vec<&RepoPath>> = BTreeMap::new();
    for path in paths {
        let Some(name) = path.names().next() else { continue };
        let first = RepoPath::new(name).expect("a name is a path");
        names.entry(name).or_default().extend(path.below(first));
    }
    names
}

/// The directory `like` with these entries.
fn save(entries: Vec<Entry>, like: &Entry, put: &mut Put<'_>) -> Result<Entry> {
    let tree = Tree { entries };
    let (entries, size) = tree.totals()?;
    let tree = tree.save(|id, bytes| put(ObjectKind::Tree, id.object_id(), bytes))?;
    Ok(Entry { content: Content::Directory { tree, entries, size }, ..like.clone() })
}

#[cfg(test)]
mod tests;
