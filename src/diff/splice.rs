//! Trees put together from two others: some paths from one, the rest from the other.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::id::{LinksId, ObjectId, TreeId};
use crate::object::{Content, Entry, Links, ObjectKind, Objects, Tree};
use crate::path::{RepoPath, RepoPathBuf};

use super::linked;
use super::paths::PathSet;

/// Where new objects go.
type Put<'p> = dyn FnMut(ObjectKind, ObjectId, Vec<u8>) -> Result<()> + 'p;

/// The root and links of `base` in which `paths`, and what is below them, are as in `from`: there, or not there.
/// Directories above a path that `base` lacks are taken from `from`. New trees go to `put`.
///
/// A path of `paths` that is a name of a file in `from` is one in the result too, if another name of that file stays and
/// still has the same content and metadata.
pub fn splice(
    objects: &dyn Objects,
    base: (&Entry, Option<LinksId>),
    from: (&Entry, Option<LinksId>),
    paths: &[RepoPathBuf],
    put: &mut Put<'_>,
) -> Result<(Entry, Option<LinksId>)> {
    if paths.iter().any(|path| path.is_root()) {
        return Ok((from.0.clone(), from.1));
    }
    let selected = PathSet::topmost(paths.to_vec());
    let paths: Vec<&RepoPath> = paths.iter().map(|path| &**path).collect();
    let root = merge(objects, base.0, base.0.tree(), from.0.tree(), &paths, put)?;
    let groups = linked::merge(objects, base, from, &selected)?;
    if groups.is_empty() {
        return Ok((root, None));
    }
    let links = Links { groups }.save(|id, bytes| put(ObjectKind::Links, id.object_id(), bytes))?;
    Ok((root, Some(links)))
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
    let load = |tree: Option<TreeId>| tree.map_or(Ok(Tree::default()), |tree| objects.tree(tree));
    let (theirs, ours) = (load(from)?, load(base)?);
    let mut entries: BTreeMap<Vec<u8>, Entry> =
        ours.entries.into_iter().map(|entry| (entry.name.clone(), entry)).collect();
    for (name, below) in by_first_name(paths) {
        let their = theirs.find(name);
        // The whole name is selected: what is selected below it is in it.
        if below.iter().any(|path| path.is_root()) {
            match their {
                Some(entry) => entries.insert(name.to_vec(), entry.clone()),
                None => entries.remove(name),
            };
            continue;
        }
        let their = their.and_then(|entry| Some((entry, entry.tree()?)));
        let our = entries.get(name).and_then(|entry| Some((entry, entry.tree()?)));
        let merged = match (our, their) {
            (Some((like, our)), their) => merge(objects, like, Some(our), their.map(|(_, tree)| tree), &below, put)?,
            (None, Some((like, their))) => merge(objects, like, None, Some(their), &below, put)?,
            (None, None) => continue,
        };
        // A directory that would be new, and has nothing of what is selected, is not needed.
        let is_new = our.is_none();
        if !(is_new && matches!(merged.content, Content::Directory { entries: 0, .. })) {
            entries.insert(name.to_vec(), merged);
        }
    }
    save(entries.into_values().collect(), like, put)
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
