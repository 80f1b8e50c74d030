//! Two directories compared, of whatever commits or trees they are.

use crate::diff::{Change, ChangeCounts, Depth, Options, Status, compare, trees};
use crate::error::{Error, ErrorKind, Result};
use crate::history::objects::Treeish;
use crate::metadata::{Kind, Metadata};
use crate::object::{Commit, Content, Entry, Objects};
use crate::quote::shell_word;
use crate::repo::Repository;

/// What a commit is compared with if nothing else is named: its first parent, or nothing if it has none.
/// [`ErrorKind::Usage`] for a tree, which has no parent.
pub fn before(repository: &Repository, treeish: &Treeish, text: &str) -> Result<Option<Treeish>> {
    let Some(commit) = &treeish.commit else {
        return Err(Error::new(ErrorKind::Usage, format!("`{text}` is a tree: it has no parent to compare with"))
            .hint(format!("name two trees: undo diff-tree TREE {}", shell_word(text.as_bytes()))));
    };
    let parent = commit.parents.first().map(|parent| repository.store().commit(*parent)).transpose()?;
    parent.map(|parent| whole(parent, text)).transpose()
}

/// All of a commit.
fn whole(commit: Commit, text: &str) -> Result<Treeish> {
    let no_tree = || Error::damaged(format!("the parent of `{text}` has no root tree"));
    let tree = commit.root.tree().ok_or_else(no_tree)?;
    Ok(Treeish { tree, entry: Some(commit.root.clone()), commit: Some(Box::new(commit)) })
}

/// Calls `each` with every path that differs, in path order; the directories themselves have the empty path. Unless the
/// depth says otherwise, a directory that is added or deleted is told by what is in it, and itself only if that is nothing.
pub fn between(
    repository: &Repository,
    old: Option<&Treeish>,
    new: &Treeish,
    options: &Options,
    each: &mut dyn FnMut(&Change) -> Result<()>,
) -> Result<ChangeCounts> {
    let roots = (old.map(|old| root(old, Some(new))), root(new, old));
    let links = match old {
        Some(old) if old.commit.is_none() || new.commit.is_none() => (None, None),
        old => (old.and_then(Treeish::links), new.links()),
    };
    let sides =
        (trees::Side { root: roots.0.as_ref(), links: links.0 }, trees::Side { root: Some(&roots.1), links: links.1 });
    let mut counts = ChangeCounts::default();
    let mut each = |change: &Change| {
        counts.add(change.status);
        each(change)
    };
    let mut waiting: Option<Change> = None;
    compare(repository.store(), sides.0, sides.1, options, &mut |change| {
        if let Some(directory) = waiting.take().filter(|directory| !change.path.is_within(&directory.path)) {
            each(&directory)?;
        }
        if options.depth == Depth::Contents && is_whole_directory(&change) {
            waiting = Some(change);
            return Ok(());
        }
        each(&change)
    })?;
    waiting.iter().try_for_each(each)?;
    Ok(counts)
}

fn is_whole_directory(change: &Change) -> bool {
    let entry = change.new.as_ref().or(change.old.as_ref());
    matches!(change.status, Status::Added | Status::Deleted)
        && entry.is_some_and(|entry| entry.kind() == Kind::Directory)
}

/// The entry of a directory. Where the name did not tell one, its metadata is taken to be that of the other side.
fn root(treeish: &Treeish, other: Option<&Treeish>) -> Entry {
    let content = Content::Directory { tree: treeish.tree, entries: 0, size: 0 };
    let known = treeish.entry.as_ref().or(other.and_then(|other| other.entry.as_ref()));
    let metadata = known.map_or_else(Metadata::default, |entry| entry.metadata);
    Entry { name: Vec::new(), metadata, attributes: known.and_then(|entry| entry.attributes), content }
}
