//! Trees put together from two others: some paths from one, the rest from the other.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::id::{LinksId, ObjectId, TreeId};
use crate::object::{Content, Entry, Links, ObjectKind, Objects, Tree};
use crate::path::{RepoPath, RepoPathBuf};
use crate::worktree::Selection;

/// Where new objects go.
type Put<'p> = dyn FnMut(ObjectKind, ObjectId, Vec<u8>) -> Result<()> + 'p;

/// The root and links of `base` in which `paths`, and what is below them, are as in `from`: there, or not there.
/// Directories above a path that `base` lacks are taken from `from`. New trees go to `put`.
///
/// A hard link between a path of `paths` and another one stays if both sides have it and both names still have one content.
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
    let paths: Vec<&RepoPath> = paths.iter().map(|path| &**path).collect();
    let root = merge(objects, base.0, base.0.tree(), from.0.tree(), &paths, put)?;
    let groups = merge_links(objects, base, from, &paths)?;
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
    let below = |entry: &Entry| match entry.content {
        Content::Directory { entries, .. } => 1 + entries,
        _ => 1,
    };
    let count = entries.iter().map(below).sum();
    let size = entries.iter().map(Entry::size).sum();
    let tree = Tree { entries }.save(|id, bytes| put(ObjectKind::Tree, id.object_id(), bytes))?;
    Ok(Entry { content: Content::Directory { tree, entries: count, size }, ..like.clone() })
}

/// The groups of names of one file in the result.
fn merge_links(
    objects: &dyn Objects,
    base: (&Entry, Option<LinksId>),
    from: (&Entry, Option<LinksId>),
    paths: &[&RepoPath],
) -> Result<Vec<Vec<RepoPathBuf>>> {
    let selection = Selection::new(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>());
    let groups = |links: Option<LinksId>| links.map_or(Ok(Links::default()), |id| objects.links(id));
    // Of the base: what is not selected, and has not given way to a directory above something that is.
    let stays = |path: &RepoPathBuf| !selection.covers(path) && !selection.leads_through(path);
    let mut merged: Vec<Vec<RepoPathBuf>> = groups(base.1)?
        .groups
        .into_iter()
        .map(|group| group.into_iter().filter(stays).collect::<Vec<_>>())
        .filter(|group| !group.is_empty())
        .collect();
    for group in groups(from.1)?.groups {
        let (chosen, rest): (Vec<_>, Vec<_>) = group.into_iter().partition(|path| selection.covers(path));
        let Some(first) = chosen.first() else { continue };
        let mut joined = None;
        if !rest.is_empty() {
            let content = find(objects, from.0, first)?.map(|entry| entry.content);
            for (at, ours) in merged.iter().enumerate() {
                if ours.iter().all(|path| rest.contains(path))
                    && find(objects, base.0, &ours[0])?.map(|entry| entry.content) == content
                {
                    joined = Some(at);
                    break;
                }
            }
        }
        match joined {
            Some(at) => merged[at].extend(chosen),
            None => merged.push(chosen),
        }
    }
    merged.retain(|group| group.len() > 1);
    merged.iter_mut().for_each(|group| group.sort());
    merged.sort();
    Ok(merged)
}

/// The entry at a path below a root.
pub fn find(objects: &dyn Objects, root: &Entry, path: &RepoPath) -> Result<Option<Entry>> {
    let mut entry = root.clone();
    for name in path.names() {
        let Some(tree) = entry.tree() else { return Ok(None) };
        match objects.tree(tree)?.find(name) {
            Some(below) => entry = below.clone(),
            None => return Ok(None),
        }
    }
    Ok(Some(entry))
}
