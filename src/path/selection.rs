//! Selects paths by name, by pattern and by exclusion, as git's pathspecs do.

use crate::path::glob::{Glob, Invalid, Slashes};
use crate::path::{RepoPath, RepoPathBuf};

/// Paths to include and to exclude. Without included paths, includes all. A selected directory selects everything below it.
#[derive(Clone, Debug, Default)]
pub struct PathSelection {
    included: Vec<Spec>,
    excluded: Vec<Spec>,
}

/// One path or pattern.
#[derive(Clone, Debug)]
pub struct Spec {
    /// The path, or the longest directory that contains every path the pattern matches.
    start: RepoPathBuf,
    pattern: Option<Pattern>,
}

#[derive(Clone)]
struct Pattern {
    /// Matches paths below `start`.
    glob: std::sync::Arc<Glob>,
    /// As the user wrote it.
    text: Vec<u8>,
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}`", self.text.escape_ascii())
    }
}

/// Whether bytes contain a wildcard or an escape.
pub fn is_pattern(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| b"*?[\\".contains(byte))
}

impl From<RepoPathBuf> for Spec {
    fn from(path: RepoPathBuf) -> Spec {
        Spec { start: path, pattern: None }
    }
}

impl Spec {
    /// Creates a pattern for paths below a directory. `text` is what the user wrote.
    pub(crate) fn pattern(
        directory: RepoPathBuf,
        pattern: &[u8],
        slashes: Slashes,
        text: &[u8],
    ) -> Result<Spec, Invalid> {
        let glob = std::sync::Arc::new(Glob::parse(pattern, slashes)?);
        Ok(Spec { start: directory, pattern: Some(Pattern { glob, text: text.to_owned() }) })
    }

    /// The path, or the directory that contains every path the pattern matches.
    pub fn start(&self) -> &RepoPath {
        &self.start
    }

    /// The pattern as the user wrote it; `None` for a path.
    pub fn pattern_text(&self) -> Option<&[u8]> {
        self.pattern.as_ref().map(|pattern| &*pattern.text)
    }

    /// Whether the path itself matches.
    pub fn matches(&self, path: &RepoPath) -> bool {
        match &self.pattern {
            None => *path == *self.start,
            Some(pattern) => {
                path.below(&self.start).is_some_and(|below| !below.is_root() && pattern.glob.matches(below.as_bytes()))
            }
        }
    }

    /// Whether the path or one of its ancestors matches.
    pub fn covers(&self, path: &RepoPath) -> bool {
        match &self.pattern {
            None => path.is_within(&self.start),
            Some(_) => self.matches(path) || path.ancestors().any(|above| self.matches(above)),
        }
    }

    /// Whether a path below the directory may match.
    fn may_match_below(&self, directory: &RepoPath) -> bool {
        self.start.is_within(directory) || self.pattern.is_some() && directory.is_within(&self.start)
    }
}

impl PathSelection {
    /// Selects exactly these paths, and everything below them. An empty list selects all.
    pub fn of_paths(paths: Vec<RepoPathBuf>) -> PathSelection {
        PathSelection { included: paths.into_iter().map(Spec::from).collect(), excluded: Vec::new() }
    }

    /// Adds a path or pattern to include.
    pub fn include(&mut self, spec: Spec) {
        self.included.push(spec);
    }

    /// Adds a path or pattern to exclude.
    pub fn exclude(&mut self, spec: Spec) {
        self.excluded.push(spec);
    }

    /// Whether everything is selected.
    pub fn is_all(&self) -> bool {
        self.included.is_empty() && self.excluded.is_empty()
    }

    /// The included paths and patterns.
    pub fn included(&self) -> &[Spec] {
        &self.included
    }

    /// The paths, if there are no patterns and no exclusions.
    pub fn as_paths(&self) -> Option<Vec<RepoPathBuf>> {
        let is_path = |spec: &Spec| spec.pattern.is_none();
        let is_plain = self.excluded.is_empty() && self.included.iter().all(is_path);
        is_plain.then(|| self.included.iter().map(|spec| spec.start.clone()).collect())
    }

    /// Paths that contain everything that is selected. Empty means all.
    pub fn starts(&self) -> Vec<RepoPathBuf> {
        self.included.iter().map(|spec| spec.start.clone()).collect()
    }

    /// Whether a path is selected.
    pub fn selects(&self, path: &RepoPath) -> bool {
        let is_included = self.included.is_empty() || self.included.iter().any(|spec| spec.covers(path));
        is_included && !self.excluded.iter().any(|spec| spec.covers(path))
    }

    /// Whether a path is selected together with everything below it, whatever that is.
    pub fn selects_whole(&self, path: &RepoPath) -> bool {
        self.selects(path) && !self.excluded.iter().any(|spec| spec.may_match_below(path))
    }

    /// Whether a path below a directory may be selected.
    pub fn may_select_below(&self, directory: &RepoPath) -> bool {
        let may_include = self.included.is_empty()
            || self.included.iter().any(|spec| spec.may_match_below(directory) || spec.covers(directory));
        may_include && !self.excluded.iter().any(|spec| spec.covers(directory))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RepoPathBuf {
        RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
    }

    fn pattern(directory: &str, text: &str) -> Spec {
        Spec::pattern(path(directory), text.as_bytes(), Slashes::Ordinary, text.as_bytes()).unwrap()
    }

    #[test]
    fn a_selection_has_paths_patterns_and_exclusions() {
        let mut selection = PathSelection::of_paths(vec![path("data/raw")]);
        selection.include(pattern("", "*.csv"));
        selection.exclude(pattern("data", "old*"));
        for (text, is_selected) in [
            ("data/raw", true),
            ("data/raw/x", true),
            ("data", false),
            ("a.csv", true),
            ("deep/b.csv", true),
            ("deep/b.csv/x", true),
            ("data/old.csv", false),
            ("data/old/x.csv", false),
            ("old.csv", true),
            ("b.txt", false),
        ] {
            assert_eq!(selection.selects(&path(text)), is_selected, "{text}");
        }
        assert!(selection.selects_whole(&path("deep/b.csv")) && !selection.selects_whole(&path("data/raw")));
        assert!(selection.may_select_below(&path("deep")) && !selection.may_select_below(&path("data/old")));
        assert_eq!((selection.as_paths(), selection.starts()), (None, vec![path("data/raw"), path("")]));
    }

    #[test]
    fn exclusions_alone_select_the_rest() {
        let mut selection = PathSelection::default();
        assert!(selection.is_all() && selection.selects(&path("a")));
        selection.exclude(path("a").into());
        assert!(!selection.selects(&path("a/b")) && selection.selects(&path("b")) && !selection.is_all());
    }
}
