//! Interprets paths: extensions, files that tools generate, moves by git, and added suffixes.

use crate::path::{RepoPath, RepoPathBuf};

/// Maximum length of an extension.
const MAX_EXTENSION: usize = 16;

/// Directories whose content a tool can generate again, each with the name of its parent where that matters.
const GENERATED_DIRECTORIES: &[(Option<&[u8]>, &[u8])] = &[
    // `git gc` moves thousands of files from here into one pack.
    (Some(b".git"), b"objects"),
    (None, b"node_modules"),
    (None, b"__pycache__"),
    (None, b".cache"),
    (None, b".tox"),
    (None, b".mypy_cache"),
    (Some(b"target"), b"debug"),
    (Some(b"target"), b"release"),
    (None, b"CMakeFiles"),
];

/// Extensions of files that compilers and editors write and delete.
const GENERATED_EXTENSIONS: &[&[u8]] =
    &[b"o", b"obj", b"lo", b"pyc", b"pyo", b"class", b"d", b"rlib", b"rmeta", b"gch", b"tmp", b"swp", b"part"];

/// The extension in lower case; empty if there is none.
pub fn extension(path: &RepoPath) -> Vec<u8> {
    ending(path).to_ascii_lowercase()
}

/// The extension as written.
fn ending(path: &RepoPath) -> &[u8] {
    let name = path.name().unwrap_or_default();
    match name.iter().rposition(|&byte| byte == b'.') {
        Some(dot) if dot > 0 && name.len() - dot - 1 <= MAX_EXTENSION => &name[dot + 1..],
        _ => &[],
    }
}

/// Whether the file looks generated, so adding or deleting it is not significant.
pub fn is_generated(path: &RepoPath) -> bool {
    let mut parent = None;
    let is_generated_directory = |name| {
        let parent = parent.replace(name);
        GENERATED_DIRECTORIES
            .iter()
            .any(|(within, directory)| *directory == name && (within.is_none() || *within == parent))
    };
    let ending = ending(path);
    GENERATED_EXTENSIONS.iter().any(|generated| generated.eq_ignore_ascii_case(ending))
        || path.parent().is_some_and(|directories| directories.names().any(is_generated_directory))
}

/// The git worktree that a change of this file moves to another commit; `None` for other files.
pub fn moved_by_git(path: &RepoPath) -> Option<RepoPathBuf> {
    let bytes = path.as_bytes();
    let above = bytes.strip_suffix(b".git/HEAD").or(bytes.strip_suffix(b".git/logs/HEAD"))?;
    match above {
        [] => Some(RepoPathBuf::default()),
        [root @ .., b'/'] => RepoPathBuf::new(root.to_vec()),
        _ => None,
    }
}

/// The suffix that makes the longer path from the other: `.locked` for `a.doc` and `a.doc.locked`.
pub fn suffix<'p>(of: &RepoPath, longer: &'p RepoPath) -> Option<&'p [u8]> {
    let added = longer.as_bytes().strip_prefix(of.as_bytes())?;
    let begins = added.first().is_some_and(|byte| b".-_~[(".contains(byte));
    (begins && !added.contains(&b'/')).then_some(added)
}

/// The part of a suffix that many files share: `.locked` of `.[id-3F2A].locked`.
pub fn common_end(suffix: &[u8]) -> &[u8] {
    suffix.iter().rposition(|&byte| byte == b'.').map_or(suffix, |dot| &suffix[dot..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> &RepoPath {
        RepoPath::new(text.as_bytes()).unwrap()
    }

    #[test]
    fn extensions_belong_to_names_and_are_in_lower_case() {
        for (text, expected) in [
            ("a/b.JPG", "jpg"),
            ("a.d/b", ""),
            (".hidden", ""),
            ("a.tar.gz", "gz"),
            ("a.", ""),
            ("a.a-very-long-part-of-a-name", ""),
        ] {
            assert_eq!(extension(path(text)), expected.as_bytes(), "{text}");
        }
    }

    #[test]
    fn recognises_generated_files_by_directory_and_extension() {
        for generated in ["a/.git/objects/3f/2a", "x/target/debug/deps/y", "node_modules/a/b.js", "main.o"] {
            assert!(is_generated(path(generated)), "{generated}");
        }
        for other in ["objects/a", ".git/HEAD", "target/a", "debug/target/a", "a.doc", "node_modules"] {
            assert!(!is_generated(path(other)), "{other}");
        }
    }

    #[test]
    fn recognises_moves_by_git() {
        assert_eq!(moved_by_git(path("a/b/.git/HEAD")).as_deref(), Some(path("a/b")));
        assert_eq!(moved_by_git(path(".git/logs/HEAD")).as_deref(), Some(RepoPath::root()));
        for other in ["a.git/HEAD", "a/.git/index", "HEAD"] {
            assert_eq!(moved_by_git(path(other)), None, "{other}");
        }
    }

    #[test]
    fn finds_the_suffix_after_the_old_name() {
        assert_eq!(suffix(path("d/a.doc"), path("d/a.doc.locked")), Some(&b".locked"[..]));
        assert_eq!(common_end(b".[id-3F2A].locked"), b".locked");
        assert_eq!(common_end(b"_locked"), b"_locked");
        for (of, longer) in [("a", "ab"), ("a", "a"), ("a.b", "a.c"), ("a", "a/b"), ("a", "a.d/b")] {
            assert_eq!(suffix(path(of), path(longer)), None, "{of} {longer}");
        }
    }
}
