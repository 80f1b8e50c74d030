//! Which part of the worktree a list of paths selects.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::path::{RepoPath, RepoPathBuf};

/// Paths, each with everything below it.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    paths: BTreeSet<RepoPathBuf>,
}

impl Selection {
    /// Of these paths.
    pub fn new(paths: &[RepoPathBuf]) -> Selection {
        Selection { paths: paths.iter().cloned().collect() }
    }

    /// Whether it has no path.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }

    /// Whether a path is one of them or lies below one.
    pub fn covers(&self, path: &RepoPath) -> bool {
        !self.is_empty() && (self.paths.contains(path) || path.ancestors().any(|above| self.paths.contains(above)))
    }

    /// Whether one of them is the path or lies below it.
    pub fn leads_through(&self, path: &RepoPath) -> bool {
        let mut from = self.paths.range::<RepoPath, _>((Bound::Included(path), Bound::Unbounded));
        from.next().is_some_and(|selected| selected.is_within(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_cover_what_is_below_and_lead_through_what_is_above() {
        let path = |text: &str| RepoPathBuf::new(text.as_bytes().to_vec()).unwrap();
        let selection = Selection::new(&[path("a/b"), path("c")]);
        for (text, covers, leads) in [
            ("a/b", true, true),
            ("a/b/x", true, false),
            ("a", false, true),
            ("", false, true),
            ("a/bc", false, false),
            ("a.b", false, false),
            ("c/d", true, false),
            ("b", false, false),
        ] {
            assert_eq!(
                (selection.covers(&path(text)), selection.leads_through(&path(text))),
                (covers, leads),
                "{text}"
            );
        }
        assert!(!Selection::default().covers(&path("a")));
    }
}
