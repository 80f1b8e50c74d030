//! Makes a commit of the current one with some paths of another.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diff::{self, LeftOut, Spliced};
use crate::error::Result;
use crate::id::{CommitId, LinksId, ObjectId};
use crate::object::{Commit, Content as ObjectContent, Entry, ObjectKind, Objects, Tree};
use crate::path::RepoPathBuf;
use crate::path::set::PathSet;
use crate::repo::{Repository, Transaction};
use crate::snapshot::commit::{self, CommitMessage, Content};
use crate::store::Stored;
use crate::worktree::Overlay;

/// Trees and links that no store has yet.
type Made = HashMap<(ObjectKind, ObjectId), Arc<[u8]>>;

/// Stores a commit that has these paths as in `source`, and the others as in the current commit, which is its parent. `objects` has
/// the objects of both. The commit is durable, and part of the repository once an operation names it. `None` if it would not differ
/// from the current commit; without packs if the repository has it already.
///
/// The caller must have stored everything that `source` has at these paths.
pub fn graft(
    repository: &Repository,
    objects: &dyn Objects,
    source: &Commit,
    paths: &[RepoPathBuf],
    message: String,
) -> Result<Option<(CommitId, Stored)>> {
    let at = repository.view().at();
    let parent = at.map(|id| objects.commit(id)).transpose()?;
    let (root, links, made) = splice(objects, parent.as_ref(), source, paths)?;
    if parent.as_ref().is_some_and(|parent| parent.root == root && parent.links == links) {
        return Ok(None);
    }
    if let Some(existing) = find(repository, at, &root, links)? {
        return Ok(Some((existing, Stored::default())));
    }
    let selected = PathSet::topmost(paths.to_vec());
    let mut uncovered: Vec<_> =
        source.uncovered.iter().filter(|uncovered| selected.covers(&uncovered.path)).cloned().collect();
    let mut torn: Vec<_> = source.torn.iter().filter(|path| selected.covers(path)).cloned().collect();
    if let Some(parent) = &parent {
        uncovered.extend(parent.uncovered.iter().filter(|uncovered| !selected.covers(&uncovered.path)).cloned());
        torn.extend(parent.torn.iter().filter(|path| !selected.covers(path)).cloned());
    }
    uncovered.sort();
    torn.sort();
    let overlay = Overlay { below: objects, objects: &made };
    let left_out = LeftOut::new(&uncovered, &[]);
    let (counts, totals) = commit::count(&overlay, parent.as_ref(), &root, links, left_out, &mut |_| ())?;
    let content = Content { root, links, totals, changes: counts.recorded(), uncovered, torn };
    let message = CommitMessage { message, automatic: true, ..CommitMessage::default() };
    let commit = commit::make(repository, at.into_iter().collect(), parent.as_ref(), content, message);
    let session = repository.store().session();
    let mut writer = session.writer();
    for ((kind, id), bytes) in &made {
        writer.put(*kind, *id, bytes)?;
    }
    let id = Transaction::put_commit(&mut writer, &commit)?;
    writer.finish()?;
    Ok(Some((id, session.finish()?)))
}

/// A head that is such a commit: the command was interrupted, or is repeated.
fn find(
    repository: &Repository,
    at: Option<CommitId>,
    root: &Entry,
    links: Option<LinksId>,
) -> Result<Option<CommitId>> {
    for &id in &repository.view().heads {
        let Ok(commit) = repository.store().commit(id) else { continue };
        let is_same = commit.root == *root && commit.links == links;
        if is_same && commit.automatic && commit.parents.iter().copied().eq(at) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The root and the hard links of the commit, with the objects that they need.
fn splice(
    objects: &dyn Objects,
    parent: Option<&Commit>,
    source: &Commit,
    paths: &[RepoPathBuf],
) -> Result<(Entry, Option<LinksId>, Made)> {
    let mut empty = Made::new();
    let (base, links) = match parent {
        Some(parent) => (parent.root.clone(), parent.links),
        None => {
            let tree = Tree { entries: Vec::new() }.save(|id, bytes| {
                empty.insert((ObjectKind::Tree, id.object_id()), bytes.into());
                Ok(())
            })?;
            let content = ObjectContent::Directory { tree, entries: 0, size: 0 };
            (Entry { content, ..source.root.clone() }, None)
        }
    };
    let mut made = empty.clone();
    let overlay = Overlay { below: objects, objects: &empty };
    let (base, from) = ((&base, links), (&source.root, source.links));
    let Spliced { root, links, .. } = diff::splice(&overlay, base, from, paths, &mut |kind, id, bytes| {
        made.insert((kind, id), bytes.into());
        Ok(())
    })?;
    Ok((root, links, made))
}
