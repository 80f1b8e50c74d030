//! The paths that tell the most, a few of each sort, found in one pass in path order.

use serde::Serialize;

use crate::diff::{Change, Status};
use crate::metadata::Kind;
use crate::path::{RepoPath, RepoPathBuf};

/// How many are kept.
const KEPT: usize = 5;

/// A few of many.
#[derive(Clone, Debug)]
pub struct Few<T> {
    /// The first or the largest.
    pub kept: Vec<T>,
    /// How many there are.
    pub count: u64,
}

/// What is gone: a path with all that was in it, or some of what is directly in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// What is gone, or the directory.
    #[serde(flatten)]
    pub path: RepoPathBuf,
    /// The path itself is gone.
    #[serde(rename = "whole")]
    pub is_whole: bool,
    /// Paths in it that are gone.
    pub paths: u64,
    /// Bytes of all files among those.
    pub bytes: u64,
}

impl Loss {
    fn size(&self) -> u64 {
        self.paths + u64::from(self.is_whole)
    }
}

/// A path that is of another kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Retyped {
    /// Where.
    #[serde(flatten)]
    pub path: RepoPathBuf,
    /// Before.
    #[serde(rename = "old_kind")]
    pub from: Kind,
    /// After.
    #[serde(rename = "kind")]
    pub to: Kind,
}

impl<T> Default for Few<T> {
    fn default() -> Few<T> {
        Few { kept: Vec::new(), count: 0 }
    }
}

impl<T> Few<T> {
    /// One more; the first ones are kept.
    pub(super) fn add(&mut self, one: T) {
        self.count += 1;
        if self.kept.len() < KEPT {
            self.kept.push(one);
        }
    }
}

impl Few<Loss> {
    /// One more; the largest ones are kept, the largest first, and of equals the one whose directory ended first.
    fn add_by_size(&mut self, loss: Loss) {
        self.count += 1;
        let at = self.kept.partition_point(|kept| kept.size() >= loss.size());
        self.kept.insert(at, loss);
        self.kept.truncate(KEPT);
    }
}

/// A directory that something is gone from, and the first path of that.
struct Open {
    loss: Loss,
    first: RepoPathBuf,
}

impl Open {
    fn new(path: &RepoPath, is_whole: bool, first: &RepoPath) -> Open {
        Open { loss: Loss { path: path.to_owned(), is_whole, paths: 0, bytes: 0 }, first: first.to_owned() }
    }

    /// What is told of it: a single path by its own name.
    fn into_loss(self) -> Loss {
        match self.loss {
            Loss { is_whole: false, paths: 1, bytes, .. } => Loss { path: self.first, is_whole: true, paths: 0, bytes },
            loss => loss,
        }
    }
}

/// What is gone, directory by directory.
///
/// Memory: the directories on the way from the root to where it is, since everything in a directory comes before the
/// directory's next sibling.
#[derive(Default)]
pub(super) struct Losses {
    open: Vec<Open>,
    found: Few<Loss>,
}

impl Losses {
    /// The next change, in path order.
    pub(super) fn see(&mut self, change: &Change) {
        while self.open.last().is_some_and(|open| !change.path.is_within(&open.loss.path)) {
            self.close();
        }
        let Some(old) = change.old.as_ref().filter(|_| change.status == Status::Deleted) else { return };
        let is_directory = old.kind() == Kind::Directory;
        let (path, parent) = (&change.path, change.path.parent().unwrap_or(RepoPath::root()));
        let is_inside = self.open.last().is_some_and(|open| open.loss.is_whole || *open.loss.path == *parent);
        if !is_inside && !is_directory {
            self.open.push(Open::new(parent, false, path));
        } else if is_directory && !self.open.last().is_some_and(|open| open.loss.is_whole) {
            // What is in it comes next.
            return self.open.push(Open::new(path, true, path));
        }
        if let Some(open) = self.open.last_mut() {
            open.loss.paths += 1;
            let bytes = if old.kind() == Kind::File { old.size() } else { 0 };
            open.loss.bytes = open.loss.bytes.saturating_add(bytes);
        }
    }

    /// All were seen.
    pub(super) fn finish(mut self) -> Few<Loss> {
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

    /// Paths that are deleted, a slash at the end of directories; `+` before one that is added.
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
            losses.see(&Change { path, status, old, new, what: What::default(), renamed: None });
        }
        let told = |loss: &Loss| (loss.path.display().into_owned(), loss.is_whole, loss.paths, loss.bytes);
        losses.finish().kept.iter().map(told).collect()
    }

    #[test]
    fn what_is_gone_is_told_by_the_directory_that_is_gone_or_that_it_was_in() {
        let told = losses(&["a", "d/", "d/1", "d/e/", "d/e/2", "f/1", "+f/1a", "f/2", "f/g/3", "f/h/", "z"]);
        let expected =
            [("d", true, 3, 20), ("f", false, 2, 20), ("", false, 2, 20), ("f/g/3", true, 0, 10), ("f/h", true, 0, 0)];
        let expected: Vec<_> = expected.iter().map(|&(path, whole, n, m)| (path.to_owned(), whole, n, m)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn only_the_largest_are_kept() {
        let names: Vec<String> = (0..20).flat_map(|n| (0..=n % 7).map(move |m| format!("d{n:02}/{m}"))).collect();
        let told = losses(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let paths: Vec<_> = told.iter().map(|(path, _, count, _)| (path.as_str(), *count)).collect();
        assert_eq!(paths, [("d06", 7), ("d13", 7), ("d05", 6), ("d12", 6), ("d19", 6)]);
    }
}
