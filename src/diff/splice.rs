//! Combines two trees: selected paths from one, all others from the other.

use std::collections::{BTreeMap, btree_map};

use crate::error::Result;
use crate::id::{LinksId, ObjectId, TreeId};
use crate::object::{Content, Entry, Links, ObjectKind, Objects, Tree};
use crate::path::{RepoPath, RepoPathBuf};

use super::linked;
use crate::path::set::PathSet;

/// Stores new objects.
type Put<'p> = dyn FnMut(ObjectKind, ObjectId, Vec<u8>) -> Result<()> + 'p;

/// A tree combined from two others.
pub struct Spliced {
    /// The root directory.
    pub root: Entry,
    /// The hard links of the tree.
    pub links: Option<LinksId>,
    /// Unselected paths that got a new mtime, because a selected path is a hard link to the same file.
    pub other_names: Vec<RepoPathBuf>,
}

/// Replaces `paths` and everything below them in `base` by their state in `from`, which may be absent. Directories above a
/// path that `base` lacks are taken from `from`. New trees go to `put`.
///
/// A path that is a hard link in `from` stays one in the result if another link to the file remains and has the same content
/// and metadata. If only its mtime differs, all links get the mtime of the selected path.
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

/// Combines a directory with the metadata of `like`: entries from `base`, except `paths` (relative to it, none of them empty),
/// which come from `from`.
fn merge(
    objects: &dyn Objects,
    like: &Entry,
    base: Option<TreeId>,
    from: Option<TreeId>,
    paths: &[&RepoPath],
    put: &mut Put<'_>,
) -> Result<Entry> {
    let mut level = Level::open(objects, like, base, from, paths)?;
    // A list instead of recursion, because directories may be deeper than the stack.
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
        // A new directory without any selected path is not needed.
        if !(is_new && matches!(merged.content, Content::Directory { entries: 0, .. })) {
            level.entries.insert(merged.name.clone(), merged);
        }
    }
}

/// A directory being combined.
struct Level<'p> {
    like: Entry,
    /// Whether the base lacks the directory.
    is_new: bool,
    entries: BTreeMap<Vec<u8>, Entry>,
    theirs: Tree,
    /// Selected names that have not been applied yet.
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

    /// Applies selected names up to the next directory that is only partly selected.
    fn next(&mut self, objects: &dyn Objects) -> Result<Option<Level<'p>>> {
        for (name, below) in self.rest.by_ref() {
            let their = self.theirs.find(name);
            // The whole name is selected, which includes everything below it.
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

/// Groups paths by their first name, which is removed.
fn by_first_name<'p>(paths: &[&'p RepoPath]) -> BTreeMap<&'p [u8], Vec<&'p RepoPath>> {
    let mut names: BTreeMap<&[u8], Vec<&RepoPath>> = BTreeMap::new();
    for path in paths {
        let Some(name) = path.names().next() else { continue };
        let first = RepoPath::new(name).expect("a name is a path");
        names.entry(name).or_default().extend(path.below(first));
    }
    names
}

/// Saves a directory with the metadata of `like` and these entries.
fn save(entries: Vec<Entry>, like: &Entry, put: &mut Put<'_>) -> Result<Entry> {
    let tree = Tree { entries };
    let (entries, size) = tree.totals()?;
    let tree = tree.save(|id, bytes| put(ObjectKind::Tree, id.object_id(), bytes))?;
    Ok(Entry { content: Content::Directory { tree, entries, size }, ..like.clone() })
}

#[cfg(test)]
mod tests;
