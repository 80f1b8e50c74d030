//! A sorted set of paths with queries for ancestors, descendants and ranges of names.

use crate::path::{RepoPath, RepoPathBuf};

/// Paths in path order.
#[derive(Clone, Debug, Default)]
pub struct PathSet {
    sorted: Vec<RepoPathBuf>,
}

/// Position of a path relative to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The path or one of its ancestors is in the set.
    Within,
    /// A path below is in the set.
    Above,
    /// Neither.
    Outside,
}

impl PathSet {
    /// Creates a set of all the paths.
    pub fn new(mut paths: Vec<RepoPathBuf>) -> PathSet {
        paths.sort_unstable();
        paths.dedup();
        PathSet { sorted: paths }
    }

    /// Creates a set of the paths that are not below another one.
    pub fn topmost(paths: Vec<RepoPathBuf>) -> PathSet {
        let mut set = PathSet::new(paths);
        // In path order, a path is followed directly by everything below it.
        set.sorted.dedup_by(|path, before| path.is_within(before));
        set
    }

    /// The paths in order.
    pub fn into_paths(self) -> Vec<RepoPathBuf> {
        self.sorted
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Whether the set contains the path itself.
    pub fn contains(&self, path: &RepoPath) -> bool {
        self.sorted.binary_search_by(|known| (**known).cmp(path)).is_ok()
    }

    /// Whether the set contains a path in the directory at or below the names from `first` to before `end`.
    pub fn has_between(&self, directory: &RepoPath, first: &[u8], end: Option<&[u8]>) -> bool {
        if self.sorted.is_empty() {
            return false;
        }
        let at = match first {
            [] => self.sorted.partition_point(|path| **path <= *directory),
            name => {
                let first = directory.join(name);
                self.sorted.partition_point(|path| *path < first)
            }
        };
        let Some(path) = self.sorted.get(at) else { return false };
        path.is_within(directory) && end.is_none_or(|end| *path < directory.join(end))
    }

    /// The path of a set made by [`PathSet::topmost`] that equals this path or is an ancestor of it.
    pub fn ancestor(&self, path: &RepoPath) -> Option<&RepoPath> {
        let at = self.sorted.partition_point(|known| **known <= *path);
        let before = at.checked_sub(1).map(|before| &*self.sorted[before]);
        before.filter(|before| path.is_within(before))
    }

    /// Whether the path or one of its ancestors is in a set made by [`PathSet::topmost`].
    pub fn covers(&self, path: &RepoPath) -> bool {
        self.place(path) == Place::Within
    }

    /// Whether the set contains the path or a path below it.
    pub fn has_within(&self, path: &RepoPath) -> bool {
        let at = self.sorted.partition_point(|known| **known < *path);
        self.sorted.get(at).is_some_and(|known| known.is_within(path))
    }

    /// Position of a path relative to a set made by [`PathSet::topmost`].
    pub fn place(&self, path: &RepoPath) -> Place {
        let at = self.sorted.partition_point(|known| **known <= *path);
        match (self.ancestor(path), self.sorted.get(at)) {
            (Some(_), _) => Place::Within,
            (_, Some(after)) if after.is_within(path) => Place::Above,
            _ => Place::Outside,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPathBuf {
        RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn places_paths_within_above_or_outside() {
        let set = PathSet::topmost(["a/b", "a-b", "a/b/c", "d", "a/b"].map(path).to_vec());
        assert_eq!(set.sorted, ["a/b", "a-b", "d"].map(path));
        for (text, place) in [
            ("", Place::Above),
            ("a", Place::Above),
            ("a/b", Place::Within),
            ("a/b/c/d", Place::Within),
            ("a/bc", Place::Outside),
            ("a/a", Place::Outside),
            ("a-b", Place::Within),
            ("b", Place::Outside),
            ("d/x", Place::Within),
            ("e", Place::Outside),
        ] {
            assert_eq!(set.place(&path(text)), place, "{text}");
        }
        assert_eq!(PathSet::topmost(["a", "", "b"].map(path).to_vec()).place(&path("c")), Place::Within);
        assert_eq!(PathSet::topmost(Vec::new()).place(&path("c")), Place::Outside);
    }

    #[test]
    fn finds_paths_below_a_range_of_names() {
        let set = PathSet::new(["d/m/x", "d/q", "e"].map(path).to_vec());
        let has =
            |first: &str, end: Option<&str>| set.has_between(&path("d"), first.as_bytes(), end.map(str::as_bytes));
        assert!(has("", None) && has("", Some("n")) && has("m", Some("n")) && has("n", None) && has("q", None));
        assert!(!has("", Some("m")) && !has("n", Some("q")) && !has("r", None));
        assert!(!set.has_between(&path("e"), b"", None));
        assert!(set.has_between(RepoPath::root(), b"", None));
    }

    #[test]
    fn a_set_covers_paths_below_its_own() {
        let set = PathSet::topmost(vec![path("a/b"), path("c")]);
        for (text, covers, has_within) in [
            ("a/b", true, true),
            ("a/b/x", true, false),
            ("a", false, true),
            ("", false, true),
            ("a/bc", false, false),
            ("a.b", false, false),
            ("c/d", true, false),
            ("b", false, false),
        ] {
            assert_eq!((set.covers(&path(text)), set.has_within(&path(text))), (covers, has_within), "{text}");
        }
        assert!(!PathSet::default().covers(&path("a")));
    }
}
