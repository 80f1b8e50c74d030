//! Resolves path arguments to paths in the worktree.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::path::{REPOSITORY, RepoPath, RepoPathBuf};

/// Resolves path arguments relative to `cwd` to paths in the worktree at `root`; `:/f` starts at the root. Fails for paths outside
/// the worktree.
/// Does not follow links in the worktree; resolves `.` and `..` by name.
pub fn resolve(root: &Path, cwd: &Path, arguments: &[PathBuf]) -> Result<Vec<RepoPathBuf>> {
    if arguments.is_empty() {
        return Ok(Vec::new());
    }
    let place = Place::new(root, cwd)?;
    arguments.iter().map(|argument| place.resolve(argument)).collect()
}

/// A hint for a path that does not exist, if it may be meant as a pattern.
pub fn pattern_hint(path: &RepoPath) -> Option<&'static str> {
    let is_pattern = path.as_bytes().iter().any(|byte| b"*?[".contains(byte));
    is_pattern.then_some("paths are names, not patterns: without quotes, the shell expands patterns")
}

/// Resolves path arguments one at a time.
pub struct Place {
    /// Both directories are canonical.
    root: PathBuf,
    cwd: PathBuf,
}

impl Place {
    /// Resolves relative to the directory `cwd`, in the worktree at `root`.
    pub fn new(root: &Path, cwd: &Path) -> Result<Place> {
        Ok(Place { root: fs::canonicalize(root)?, cwd: fs::canonicalize(cwd)? })
    }

    /// Like [`resolve`], for one argument.
    pub fn resolve(&self, argument: &Path) -> Result<RepoPathBuf> {
        let Place { root, cwd } = self;
        let outside = || {
            let message = format!("`{}` is outside the worktree `{}`", argument.display(), root.display());
            Error::new(ErrorKind::Usage, message).hint("to use another worktree: undo -C DIR …")
        };
        if argument.as_os_str().is_empty() {
            return Err(Error::new(ErrorKind::Usage, "an empty path").hint("use `.` for the current directory"));
        }
        let full = match argument.as_os_str().as_bytes().strip_prefix(b":/") {
            Some(below) => without_dots(&root.join(OsStr::from_bytes(below))),
            None => without_dots(&cwd.join(argument)),
        };
        let below = match full.strip_prefix(root) {
            Ok(below) => below.to_owned(),
            Err(_) => below_a_link(root, &full).ok_or_else(outside)?,
        };
        let mut path = RepoPathBuf::default();
        for part in below.components() {
            let name = part.as_os_str().as_bytes();
            let valid = RepoPath::new(name).is_some_and(|name| !name.is_root());
            if !valid {
                return Err(outside());
            }
            path.push(name);
        }
        if path.names().next() == Some(REPOSITORY) {
            let message = format!("`{}` belongs to the repository, not to the worktree", argument.display());
            return Err(Error::new(ErrorKind::Usage, message)
                .hint("to list the commands that read the repository: undo help plumbing"));
        }
        Ok(path)
    }
}

/// The part of an absolute path below the root, if a link outside the worktree points to the root.
fn below_a_link(root: &Path, full: &Path) -> Option<PathBuf> {
    let mut prefixes: Vec<&Path> = full.ancestors().collect();
    prefixes.reverse();
    for prefix in prefixes {
        let Ok(real) = fs::canonicalize(prefix) else { return None };
        if real.starts_with(root) {
            let between = real.strip_prefix(root).ok()?;
            return Some(between.join(full.strip_prefix(prefix).ok()?));
        }
    }
    None
}

/// Removes `.` and `..` from an absolute path by name.
fn without_dots(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(root: &Path, cwd: &Path, argument: &str) -> Result<String> {
        let paths = resolve(root, cwd, &[PathBuf::from(argument)])?;
        Ok(paths[0].display().into_owned())
    }

    #[test]
    fn arguments_are_resolved_by_name() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        let sub = root.join("sub/deep");
        std::fs::create_dir_all(&sub).unwrap();
        for (argument, expected) in [
            ("x", "sub/deep/x"),
            ("../y/", "sub/y"),
            ("../../", ""),
            ("./a/./../b", "sub/deep/b"),
            ("gone/x", "sub/deep/gone/x"),
            (":/x/y", "x/y"),
            (":/", ""),
            ("./:/x", "sub/deep/:/x"),
        ] {
            assert_eq!(resolved(&root, &sub, argument).unwrap(), expected, "{argument}");
        }
        let absolute = root.join("sub/z");
        assert_eq!(resolved(&root, place.path(), absolute.to_str().unwrap()).unwrap(), "sub/z");
    }

    #[test]
    fn paths_outside_the_worktree_are_rejected() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        for argument in ["..", "../rootish", "/", "sub/../../x", ":/..", ":///x"] {
            let error = resolved(&root, &root, argument).unwrap_err();
            assert!(error.to_string().contains("is outside the worktree"), "{argument}: {error}");
        }
        assert_eq!(resolved(&root, &root, "").unwrap_err().kind(), ErrorKind::Usage);
    }

    #[test]
    fn paths_in_the_repository_are_rejected() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        for argument in [".undo", ".undo/format", "sub/../.undo"] {
            let error = resolved(&root, &root, argument).unwrap_err();
            assert!(error.to_string().contains("belongs to the repository"), "{argument}: {error}");
        }
        assert_eq!(resolved(&root, &root, "sub/.undo").unwrap(), "sub/.undo");
    }

    #[test]
    fn links_are_followed_outside_the_worktree_only() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::os::unix::fs::symlink(&root, place.path().join("link")).unwrap();
        std::os::unix::fs::symlink("/", root.join("out")).unwrap();
        let linked = place.path().join("link/sub/x");
        assert_eq!(resolved(&root, &root, linked.to_str().unwrap()).unwrap(), "sub/x");
        assert_eq!(resolved(&root, &place.path().join("link/sub"), "x").unwrap(), "sub/x");
        assert_eq!(resolved(&root, &root, "out").unwrap(), "out");
        assert_eq!(resolved(&root, &root, "out/etc").unwrap(), "out/etc");
    }
}
