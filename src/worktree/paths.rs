//! Path arguments: what a person types in some directory, as paths below the root of the worktree.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::path::{REPOSITORY, RepoPath, RepoPathBuf};

/// Path arguments relative to `cwd`, as paths in the worktree whose root is `root`; what lies outside it is an error.
/// Links in the worktree are not followed; `.` and `..` are resolved by name.
pub fn resolve(root: &Path, cwd: &Path, arguments: &[PathBuf]) -> Result<Vec<RepoPathBuf>> {
    if arguments.is_empty() {
        return Ok(Vec::new());
    }
    let place = Place::new(root, cwd)?;
    arguments.iter().map(|argument| place.resolve(argument)).collect()
}

/// What helps where a path is nowhere, if it looks as if it were meant as a pattern.
pub fn pattern_hint(path: &RepoPath) -> Option<&'static str> {
    let is_pattern = path.as_bytes().iter().any(|byte| b"*?[".contains(byte));
    is_pattern.then_some("paths are names, not patterns: without quotes the shell finds what matches")
}

/// Where path arguments are resolved, one after the other.
pub struct Place {
    root: PathBuf,
    cwd: PathBuf,
}

impl Place {
    /// In the directory `cwd`, for the worktree whose root is `root`.
    pub fn new(root: &Path, cwd: &Path) -> Result<Place> {
        Ok(Place { root: fs::canonicalize(root)?, cwd: fs::canonicalize(cwd)? })
    }

    /// One argument, as [`resolve`] does it.
    pub fn resolve(&self, argument: &Path) -> Result<RepoPathBuf> {
        resolve_one(&self.root, &self.cwd, argument)
    }
}

/// Both directories are canonical.
fn resolve_one(root: &Path, cwd: &Path, argument: &Path) -> Result<RepoPathBuf> {
    let outside = || {
        let message = format!("`{}` is outside the worktree `{}`", argument.display(), root.display());
        Error::new(ErrorKind::Usage, message).hint("to work in another one, name it: undo -C DIR …")
    };
    if argument.as_os_str().is_empty() {
        return Err(Error::new(ErrorKind::Usage, "an empty path").hint("use `.` for the current directory"));
    }
    let full = without_dots(&cwd.join(argument));
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
        let message = format!("`{}` belongs to the repository, not to what it records", argument.display());
        return Err(Error::new(ErrorKind::Usage, message).hint("`undo help` lists the commands that look into it"));
    }
    Ok(path)
}

/// The part of an absolute path that is below the root, where a link outside the worktree leads to the root.
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

/// An absolute path with `.` and `..` taken out by name.
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
    fn arguments_are_resolved_by_name_from_the_current_directory() {
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
        ] {
            assert_eq!(resolved(&root, &sub, argument).unwrap(), expected, "{argument}");
        }
        let absolute = root.join("sub/z");
        assert_eq!(resolved(&root, place.path(), absolute.to_str().unwrap()).unwrap(), "sub/z");
    }

    #[test]
    fn what_is_outside_is_refused_by_name() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        for argument in ["..", "../rootish", "/", "sub/../../x"] {
            let error = resolved(&root, &root, argument).unwrap_err();
            assert!(error.to_string().contains("is outside the worktree"), "{argument}: {error}");
        }
        assert_eq!(resolved(&root, &root, "").unwrap_err().kind(), ErrorKind::Usage);
    }

    #[test]
    fn the_repository_is_no_path_in_the_worktree() {
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
    fn a_link_to_the_worktree_leads_into_it_and_links_inside_are_not_followed() {
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
