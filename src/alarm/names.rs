//! What names tell: the type that a file should have, folders that tools fill and empty at will, suffixes that were added.

use crate::path::{RepoPath, RepoPathBuf};

/// A longer one is no extension.
const LONGEST_EXTENSION: usize = 16;

/// Folders whose content a tool makes again or keeps elsewhere, each with the name of the one that it is in, if that counts.
const MADE_AGAIN: &[(Option<&[u8]>, &[u8])] = &[
    // `git gc` puts thousands of these into one pack.
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

/// Extensions of what compilers and editors write, and remove when they like.
const MADE_BY_TOOLS: &[&[u8]] =
    &[b"o", b"obj", b"lo", b"pyc", b"pyo", b"class", b"d", b"rlib", b"rmeta", b"gch", b"tmp", b"swp", b"part"];

/// The extension in small letters; empty if there is none.
pub fn extension(path: &RepoPath) -> Vec<u8> {
    ending(path).to_ascii_lowercase()
}

/// The extension as it is written.
fn ending(path: &RepoPath) -> &[u8] {
    let name = path.name().unwrap_or_default();
    match name.iter().rposition(|&byte| byte == b'.') {
        Some(dot) if dot > 0 && name.len() - dot - 1 <= LONGEST_EXTENSION => &name[dot + 1..],
        _ => &[],
    }
}

/// Whether a tool made it and can make it again, so that its coming and going says nothing.
pub fn is_made(path: &RepoPath) -> bool {
    let mut above = None;
    let is_made_again = |name| {
        let upper = above.replace(name);
        MADE_AGAIN.iter().any(|(within, made)| *made == name && (within.is_none() || *within == upper))
    };
    let ending = ending(path);
    MADE_BY_TOOLS.iter().any(|made| made.eq_ignore_ascii_case(ending))
        || path.parent().is_some_and(|folders| folders.names().any(is_made_again))
}

/// If git writes this file whenever it takes its own worktree to another commit: that worktree.
pub fn moved_by_git(path: &RepoPath) -> Option<RepoPathBuf> {
    let bytes = path.as_bytes();
    let above = bytes.strip_suffix(b".git/HEAD").or(bytes.strip_suffix(b".git/logs/HEAD"))?;
    match above {
        [] => Some(RepoPathBuf::default()),
        [root @ .., b'/'] => RepoPathBuf::new(root.to_vec()),
        _ => None,
    }
}

/// What was added to the name of one file to give the other: `.locked` of `a.doc` and `a.doc.locked`.
pub fn suffix<'p>(of: &RepoPath, longer: &'p RepoPath) -> Option<&'p [u8]> {
    let added = longer.as_bytes().strip_prefix(of.as_bytes())?;
    let begins = added.first().is_some_and(|byte| b".-_~[(".contains(byte));
    (begins && !added.contains(&b'/')).then_some(added)
}

/// The end of a suffix, which many of them share: `.locked` of `.[id-3F2A].locked`.
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
    fn extensions_are_of_names_only_and_in_small_letters() {
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
    fn what_tools_make_is_known_by_where_it_is_and_by_its_name() {
        for made in ["a/.git/objects/3f/2a", "x/target/debug/deps/y", "node_modules/a/b.js", "main.o"] {
            assert!(is_made(path(made)), "{made}");
        }
        for other in ["objects/a", ".git/HEAD", "target/a", "debug/target/a", "a.doc", "node_modules"] {
            assert!(!is_made(path(other)), "{other}");
        }
    }

    #[test]
    fn a_move_of_git_is_known_by_the_files_that_it_writes() {
        assert_eq!(moved_by_git(path("a/b/.git/HEAD")).as_deref(), Some(path("a/b")));
        assert_eq!(moved_by_git(path(".git/logs/HEAD")).as_deref(), Some(RepoPath::root()));
        for other in ["a.git/HEAD", "a/.git/index", "HEAD"] {
            assert_eq!(moved_by_git(path(other)), None, "{other}");
        }
    }

    #[test]
    fn a_suffix_begins_where_the_name_ended() {
        assert_eq!(suffix(path("d/a.doc"), path("d/a.doc.locked")), Some(&b".locked"[..]));
        assert_eq!(common_end(b".[id-3F2A].locked"), b".locked");
        assert_eq!(common_end(b"_locked"), b"_locked");
        for (of, longer) in [("a", "ab"), ("a", "a"), ("a.b", "a.c"), ("a", "a/b"), ("a", "a.d/b")] {
            assert_eq!(suffix(path(of), path(longer)), None, "{of} {longer}");
        }
    }
}
