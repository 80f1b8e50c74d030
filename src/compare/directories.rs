//! Compares two directories of any commits or trees.

use crate::diff::{Change, ChangeCounts, Depth, Options, Status, compare, trees};
use crate::error::{Error, ErrorKind, Result};
use crate::history::objects::Treeish;
use crate::metadata::{Kind, Metadata};
use crate::object::{Commit, Content, Entry, Objects};
use crate::quote::shell_word;
use crate::repo::Repository;

/// The directory that a commit is compared with by default: its first parent, if it has one. [`ErrorKind::Usage`] for a
/// tree, which has no parent.
pub fn parent(repository: &Repository, treeish: &Treeish, text: &str) -> Result<Option<Treeish>> {
    let Some(commit) = &treeish.commit else {
        return Err(Error::new(ErrorKind::Usage, format!("`{text}` is a tree, which has no parent to compare with"))
            .hint(format!("to compare two trees: undo diff-tree TREE {}", shell_word(text.as_bytes()))));
    };
    let parent = repository.parents(commit).first().map(|parent| repository.store().commit(*parent)).transpose()?;
    parent.map(|parent| root_directory(parent, text)).transpose()
}

/// The root directory of a commit.
fn root_directory(commit: Commit, text: &str) -> Result<Treeish> {
    let no_tree = || Error::damaged(format!("the parent of `{text}` has no root tree"));
    let tree = commit.root.tree().ok_or_else(no_tree)?;
    Ok(Treeish { tree, entry: Some(commit.root.clone()), commit: Some(Box::new(commit)) })
}

/// Calls `each` with every path that differs, in path order; the directories themselves have the empty path. With
/// [`Depth::Contents`], only the content of an added or deleted directory is reported, and the directory itself if it is empty.
pub fn compare_directories(
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
    // The last added or deleted directory, until its content is known to be empty.
    let mut pending: Option<Change> = None;
    compare(repository.store(), sides.0, sides.1, options, &mut |change| {
        if let Some(directory) = pending.take().filter(|directory| !change.path.is_within(&directory.path)) {
            each(&directory)?;
        }
        if options.depth == Depth::Contents && is_whole_directory(&change) {
            pending = Some(change);
            return Ok(());
        }
        each(&change)
    })?;
    pending.iter().try_for_each(each)?;
    Ok(counts)
}

fn is_whole_directory(change: &Change) -> bool {
    let entry = change.new.as_ref().or(change.old.as_ref());
    matches!(change.status, Status::Added | Status::Deleted)
        && entry.is_some_and(|entry| entry.kind() == Kind::Directory)
}

/// The entry of a directory. If it is unknown, its metadata is assumed to be that of the other side.
fn root(treeish: &Treeish, other: Option<&Treeish>) -> Entry {
    let content = Content::Directory { tree: treeish.tree, entries: 0, size: 0 };
    let known = treeish.entry.as_ref().or(other.and_then(|other| other.entry.as_ref()));
    let metadata = known.map_or_else(Metadata::default, |entry| entry.metadata);
    Entry { name: Vec::new(), metadata, attributes: known.and_then(|entry| entry.attributes), content }
}
