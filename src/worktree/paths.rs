//! Resolves path arguments to paths in the worktree.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::path::glob::Slashes;
use crate::path::selection::{PathSelection, Spec, is_pattern};
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

/// Resolves path arguments like [`resolve`], and patterns and exclusions as git's pathspecs. An argument with wildcards is a path
/// if `is_path` knows it.
pub fn select(
    root: &Path,
    cwd: &Path,
    arguments: &[PathBuf],
    is_path: &dyn Fn(&RepoPath) -> bool,
) -> Result<PathSelection> {
    let mut selection = PathSelection::default();
    if arguments.is_empty() {
        return Ok(selection);
    }
    let place = Place::new(root, cwd)?;
    for argument in arguments {
        let magic = Magic::parse(argument.as_os_str().as_bytes())?;
        let spec = place.spec(&magic, argument, is_path)?;
        if magic.is_excluded { selection.exclude(spec) } else { selection.include(spec) }
    }
    Ok(selection)
}

/// Whether an argument is a path for its beginning, `:/`, `:!`, `:^` or `:(`, and not a path in a commit.
pub fn has_magic(argument: &[u8]) -> bool {
    matches!(argument, [b':', b'/' | b'!' | b'^' | b'(', ..])
}

/// The beginning of a path argument that says how to read the rest, as in git.
#[derive(Default)]
struct Magic<'a> {
    is_from_root: bool,
    is_excluded: bool,
    is_literal: bool,
    /// `:(glob)`: only `**` matches a `/`.
    is_glob: bool,
    rest: &'a [u8],
}

impl Magic<'_> {
    fn parse(text: &[u8]) -> Result<Magic<'_>> {
        let mut magic = Magic { rest: text, ..Magic::default() };
        if !has_magic(text) {
            return Ok(magic);
        }
        if let Some(long) = text.strip_prefix(b":(") {
            let invalid = |what: &str| {
                let message = format!("`{}` {what}", String::from_utf8_lossy(text).escape_debug());
                Error::new(ErrorKind::Usage, message).hint("undo help paths")
            };
            let end = long.iter().position(|&byte| byte == b')').ok_or_else(|| invalid("has no closing `)`"))?;
            for word in long[..end].split(|&byte| byte == b',') {
                match word {
                    b"top" => magic.is_from_root = true,
                    b"exclude" => magic.is_excluded = true,
                    b"literal" => magic.is_literal = true,
                    b"glob" => magic.is_glob = true,
                    _ => return Err(invalid("has a word other than `top`, `exclude`, `literal` and `glob`")),
                }
            }
            magic.rest = &long[end + 1..];
            return Ok(magic);
        }
        let signs = text[1..].iter().take_while(|byte| b"/!^".contains(byte)).count();
        for sign in &text[1..=signs] {
            if *sign == b'/' { magic.is_from_root = true } else { magic.is_excluded = true }
        }
        let rest = &text[1 + signs..];
        magic.rest = rest.strip_prefix(b":").unwrap_or(rest);
        Ok(magic)
    }
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

    /// A path or pattern.
    fn spec(&self, magic: &Magic<'_>, argument: &Path, is_path: &dyn Fn(&RepoPath) -> bool) -> Result<Spec> {
        let cwd = if magic.is_from_root { &self.root } else { &self.cwd };
        let place = Place { root: self.root.clone(), cwd: cwd.clone() };
        let text = if magic.rest.is_empty() && magic.is_from_root { b"." } else { magic.rest };
        let literal = |text: &[u8]| match text.starts_with(b":/") {
            // After other magic, this is a name.
            true => place.resolve(&Path::new(".").join(OsStr::from_bytes(text))),
            false => place.resolve(Path::new(OsStr::from_bytes(text))),
        };
        let path = literal(text);
        if magic.is_literal || !is_pattern(text) || path.as_ref().is_ok_and(|path| is_path(path)) {
            return path.map(Spec::from);
        }
        let first = text.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(text.len());
        let split = text[..first].iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash + 1);
        let (directory, pattern) = text.split_at(split);
        let directory = if directory.is_empty() { place.resolve(Path::new("."))? } else { literal(directory)? };
        let names: Vec<&[u8]> =
            pattern.split(|&byte| byte == b'/').filter(|name| !matches!(*name, b"" | b".")).collect();
        if names.contains(&&b".."[..]) {
            let message = format!("`{}` has `..` after a wildcard", argument.display());
            return Err(Error::new(ErrorKind::Usage, message).hint("undo help paths"));
        }
        let slashes = if magic.is_glob { Slashes::Separate } else { Slashes::Ordinary };
        let shown = argument.as_os_str().as_bytes();
        Spec::pattern(directory, &names.join(&b'/'), slashes, shown).map_err(|invalid| {
            let message = format!("`{}` is not a valid pattern: {}", argument.display(), invalid.describe());
            Error::new(ErrorKind::Usage, message).hint("undo help paths")
        })
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
