//! Finds the most important changes in one pass in path order.

use serde::Serialize;

use crate::diff::{Change, Status};
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};

/// Maximum number of examples.
const MAX_KEPT: usize = 5;

/// A few examples of many items.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Examples<T> {
    /// The first or the largest items.
    pub kept: Vec<T>,
    /// Number of all items.
    #[serde(skip)]
    pub count: u64,
}

/// A deletion: a path with everything in it, or some of the paths directly in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// The deleted path, or the directory.
    #[serde(flatten)]
    pub path: RepoPathBuf,
    /// Whether the path itself was deleted.
    #[serde(rename = "whole")]
    pub is_whole: bool,
    /// Number of deleted paths in it.
    pub paths: u64,
    /// Size of the deleted files in bytes.
    pub bytes: u64,
}

impl Loss {
    fn size(&self) -> u64 {
        self.paths + u64::from(self.is_whole)
    }
}

/// A path whose kind changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retyped {
    /// The path.
    #[serde(flatten)]
    pub path: RepoPathBuf,
    /// The old kind.
    #[serde(rename = "old_kind")]
    pub from: Kind,
    /// The new kind.
    #[serde(rename = "kind")]
    pub to: Kind,
}

impl<T> Default for Examples<T> {
    fn default() -> Examples<T> {
        Examples { kept: Vec::new(), count: 0 }
    }
}

impl<T> Examples<T> {
    /// Adds an item; keeps the first ones.
    pub(super) fn add(&mut self, item: T) {
        self.count += 1;
        if self.kept.len() < MAX_KEPT {
            self.kept.push(item);
        }
    }
}

impl Examples<Loss> {
    /// Adds a deletion; keeps the largest ones, the largest first and those of equal size in path order.
    fn add_by_size(&mut self, loss: Loss) {
        self.count += 1;
        let at = self.kept.partition_point(|kept| kept.size() >= loss.size());
        self.kept.insert(at, loss);
        self.kept.truncate(MAX_KEPT);
    }
}

/// A directory with deletions whose content has not been passed yet.
struct OpenDirectory {
    loss: Loss,
    /// The first deleted path in it.
    first: RepoPathBuf,
}

impl OpenDirectory {
    fn new(path: &RepoPath, is_whole: bool, first: &RepoPath) -> OpenDirectory {
        OpenDirectory { loss: Loss { path: path.to_owned(), is_whole, paths: 0, bytes: 0 }, first: first.to_owned() }
    }

    /// The deletion; a single path is reported under its own name.
    fn into_loss(self) -> Loss {
        match self.loss {
            Loss { is_whole: false, paths: 1, bytes, .. } => Loss { path: self.first, is_whole: true, paths: 0, bytes },
            loss => loss,
        }
    }
}

/// Collects deletions by directory.
///
/// Memory: the directories from the root to the current path, because the content of a directory comes before its next
/// sibling.
#[derive(Default)]
pub(super) struct Losses {
    open: Vec<OpenDirectory>,
    found: Examples<Loss>,
}

impl Losses {
    /// Adds a change; changes must come in path order.
    pub(super) fn add(&mut self, change: &Change) {
        while self.open.last().is_some_and(|open| !change.path.is_within(&open.loss.path)) {
            self.close();
        }
        let Some(old) = change.old.as_ref().filter(|_| change.status == Status::Deleted) else { return };
        let is_directory = old.kind() == Kind::Directory;
        let (path, parent) = (&change.path, change.path.parent().unwrap_or(RepoPath::root()));
        let is_inside = self.open.last().is_some_and(|open| open.loss.is_whole || *open.loss.path == *parent);
        if !is_inside && !is_directory {
            self.open.push(OpenDirectory::new(parent, false, path));
        } else if is_directory && !self.open.last().is_some_and(|open| open.loss.is_whole) {
            // The content of the directory follows.
            return self.open.push(OpenDirectory::new(path, true, path));
        }
        if let Some(open) = self.open.last_mut() {
            open.loss.paths += 1;
            let bytes = if old.kind() == Kind::File { old.size() } else { 0 };
            open.loss.bytes = open.loss.bytes.saturating_add(bytes);
        }
    }

    /// Ends the collection.
    pub(super) fn finish(mut self) -> Examples<Loss> {
        while !self.open.is_empty() {
            self.close();
        }
        self.found
    }

    fn close(&mut self) {
        if let Some(open) = self.open.pop() {
            self.found.add_by_size(open.into_loss());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::What;
    use crate::id::{BlobId, LENGTH, TreeId};
    use crate::metadata::Metadata;
    use crate::object::{Content, Entry};

    /// Adds deleted paths, with a slash at the end of directories; `+` marks an added path.
    fn losses(paths: &[&str]) -> Vec<(String, bool, u64, u64)> {
        let mut losses = Losses::default();
        for text in paths {
            let (is_added, name) = text.strip_prefix('+').map_or((false, *text), |name| (true, name));
            let content = match name.ends_with('/') {
                true => Content::Directory { tree: TreeId([0; LENGTH]), entries: 7, size: 70 },
                false => Content::File { blob: BlobId([0; LENGTH]), size: 10 },
            };
            let entry = Entry { name: b"x".to_vec(), metadata: Metadata::default(), attributes: None, content };
            let path = RepoPath::new(name.trim_end_matches('/').as_bytes()).unwrap().to_owned();
            let (status, old, new) =
                if is_added { (Status::Added, None, Some(entry)) } else { (Status::Deleted, Some(entry), None) };
            losses.add(&Change { path, status, old, new, what: What::default(), renamed: None, has_renames: false });
        }
        let fields = |loss: &Loss| (loss.path.display().into_owned(), loss.is_whole, loss.paths, loss.bytes);
        losses.finish().kept.iter().map(fields).collect()
    }

    #[test]
    fn groups_deletions_by_directory() {
        let found = losses(&["a", "d/", "d/1", "d/e/", "d/e/2", "f/1", "+f/1a", "f/2", "f/g/3", "f/h/", "z"]);
        let expected =
            [("d", true, 3, 20), ("f", false, 2, 20), ("", false, 2, 20), ("f/g/3", true, 0, 10), ("f/h", true, 0, 0)];
        let expected: Vec<_> = expected.iter().map(|&(path, whole, n, m)| (path.to_owned(), whole, n, m)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn keeps_the_largest_deletions() {
        let names: Vec<String> = (0..20).flat_map(|n| (0..=n % 7).map(move |m| format!("d{n:02}/{m}"))).collect();
        let found = losses(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let paths: Vec<_> = found.iter().map(|(path, _, count, _)| (path.as_str(), *count)).collect();
        assert_eq!(paths, [("d06", 7), ("d13", 7), ("d05", 6), ("d12", 6), ("d19", 6)]);
    }
}
