//! A set of paths, asked about ranges: is there one at, below or above a path, or between two names of a directory.

use crate::path::{RepoPath, RepoPathBuf};

/// Paths in path order.
#[derive(Clone, Debug, Default)]
pub struct PathSet {
    sorted: Vec<RepoPathBuf>,
}

/// How a path lies to a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In it, or below one that is.
    Within,
    /// Above one that is in it.
    Above,
    /// Neither.
    Outside,
}

impl PathSet {
    /// All of them.
    pub fn new(mut paths: Vec<RepoPathBuf>) -> PathSet {
        paths.sort_unstable();
        paths.dedup();
        PathSet { sorted: paths }
    }

    /// Only the topmost: those that are not below another one.
    pub fn topmost(paths: Vec<RepoPathBuf>) -> PathSet {
        let mut set = PathSet::new(paths);
        // In path order everything below a path follows it at once.
        set.sorted.dedup_by(|path, before| path.is_within(before));
        set
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Whether the path itself is in the set.
    pub fn contains(&self, path: &RepoPath) -> bool {
        self.sorted.binary_search_by(|known| (**known).cmp(path)).is_ok()
    }

    /// Whether a path strictly below the directory is in the set, in or below the names from `first` to before `end`.
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

    /// The path of a topmost set ([`PathSet::topmost`]) that equals this path or is an ancestor of it.
    pub fn holder(&self, path: &RepoPath) -> Option<&RepoPath> {
        let at = self.sorted.partition_point(|known| **known <= *path);
        let before = at.checked_sub(1).map(|before| &*self.sorted[before]);
        before.filter(|before| path.is_within(before))
    }

    /// How a path lies to the set, if it is one of the topmost.
    pub fn place(&self, path: &RepoPath) -> Place {
        let at = self.sorted.partition_point(|known| **known <= *path);
        match (self.holder(path), self.sorted.get(at)) {
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
    fn a_path_is_within_above_or_outside() {
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
    fn ranges_of_names_count_what_is_below_them() {
        let set = PathSet::new(["d/m/x", "d/q", "e"].map(path).to_vec());
        let has =
            |first: &str, end: Option<&str>| set.has_between(&path("d"), first.as_bytes(), end.map(str::as_bytes));
        assert!(has("", None) && has("", Some("n")) && has("m", Some("n")) && has("n", None) && has("q", None));
        assert!(!has("", Some("m")) && !has("n", Some("q")) && !has("r", None));
        assert!(!set.has_between(&path("e"), b"", None));
        assert!(set.has_between(RepoPath::root(), b"", None));
    }
}
