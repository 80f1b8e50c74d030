//! Byte-exact relative paths in a worktree, valid names, and the order of paths.
//!
//! Names consist of any bytes except `/` and NUL. Every list of paths (scan, index, tree, diff, plan) is in the order defined
//! here, component by component, so that two lists can be compared by merging.

pub(crate) mod glob;
pub mod selection;
pub mod set;

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ref_cast::RefCast;

/// Name of the repository at the root of a worktree. Never recorded there, and never entered in other directories.
pub const REPOSITORY: &[u8] = b".undo";

/// Whether bytes are a valid name: not empty, not `.` or `..`, without `/` and NUL.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name != b"." && name != b".." && !name.iter().any(|&b| b == b'/' || b == 0)
}

/// A path below the root of a worktree, with components separated by `/`. Empty for the root.
#[derive(PartialEq, Eq, Hash, RefCast)]
#[repr(transparent)]
pub struct RepoPath([u8]);

impl RepoPath {
    /// The root of the worktree.
    pub fn root() -> &'static RepoPath {
        RepoPath::unchecked(&[])
    }

    fn unchecked(bytes: &[u8]) -> &RepoPath {
        RepoPath::ref_cast(bytes)
    }

    /// Creates a path from bytes; `None` if a component is not a valid name.
    pub fn new(bytes: &[u8]) -> Option<&RepoPath> {
        let valid = bytes.is_empty() || bytes.split(|&b| b == b'/').all(is_name);
        valid.then(|| RepoPath::unchecked(bytes))
    }

    /// The bytes of the path.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path relative to the root of the worktree, for the operating system. Empty for the root.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Whether it is the root of the worktree.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The components from the root down.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|name| !name.is_empty())
    }

    /// The last component; `None` for the root.
    pub fn name(&self) -> Option<&[u8]> {
        self.names().next_back()
    }

    /// The parent directory; `None` for the root.
    pub fn parent(&self) -> Option<&RepoPath> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        Some(RepoPath::unchecked(&self.0[..end]))
    }

    /// The parent directories, from the nearest up to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = &RepoPath> {
        std::iter::successors(self.parent(), |path| path.parent())
    }

    /// Appends a name, which must be valid ([`is_name`]).
    pub fn join(&self, name: &[u8]) -> RepoPathBuf {
        debug_assert!(is_name(name), "{name:?} is not a valid name");
        let mut bytes = Vec::with_capacity(self.0.len() + 1 + name.len());
        bytes.extend_from_slice(&self.0);
        if !bytes.is_empty() {
            bytes.push(b'/');
        }
        bytes.extend_from_slice(name);
        RepoPathBuf(bytes)
    }

    /// Appends a path.
    pub fn join_path(&self, below: &RepoPath) -> RepoPathBuf {
        match (self.is_root(), below.is_root()) {
            (true, _) => below.to_owned(),
            (_, true) => self.to_owned(),
            _ => RepoPathBuf([&self.0, b"/", &below.0].concat()),
        }
    }

    /// Whether the path equals `other` or is below it.
    pub fn is_within(&self, other: &RepoPath) -> bool {
        match self.0.strip_prefix(&other.0) {
            Some(rest) => other.is_root() || rest.is_empty() || rest[0] == b'/',
            None => false,
        }
    }

    /// The part below `other`; `None` if the path is not within it.
    pub fn below(&self, other: &RepoPath) -> Option<&RepoPath> {
        if !self.is_within(other) {
            return None;
        }
        let skip = if other.is_root() { 0 } else { (other.0.len() + 1).min(self.0.len()) };
        Some(RepoPath::unchecked(&self.0[skip..]))
    }

    /// The path relative to a directory of the worktree, as a user in that directory types it: `../f`, or `.` for the
    /// directory itself. `./` precedes a name that an argument parser would take for an option or a pattern.
    pub fn relative_to(&self, directory: &RepoPath) -> Cow<'_, [u8]> {
        let common = self.names().zip(directory.names()).take_while(|(one, other)| one == other).count();
        let up = directory.names().count() - common;
        let needs_dot = |bytes: &[u8]| matches!(bytes.first(), None | Some(b'-' | b':'));
        if common == 0 && up == 0 && !needs_dot(&self.0) {
            return Cow::Borrowed(&self.0);
        }
        let names: Vec<&[u8]> = std::iter::repeat_n(&b".."[..], up).chain(self.names().skip(common)).collect();
        let path = names.join(&b'/');
        match path.first() {
            None => Cow::Borrowed(b"."),
            Some(_) if needs_dot(&path) => Cow::Owned([b"./", path.as_slice()].concat()),
            Some(_) => Cow::Owned(path),
        }
    }

    /// Text for messages, with invalid UTF-8 replaced. The terminal module escapes control characters.
    pub fn display(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

/// Compares component by component, so that the content of a directory comes before its next sibling.
impl Ord for RepoPath {
    fn cmp(&self, other: &RepoPath) -> Ordering {
        let common = common_prefix(&self.0, &other.0);
        let rank = |path: &RepoPath| path.0.get(common).map(|&b| if b == b'/' { 0 } else { u16::from(b) + 1 });
        rank(self).cmp(&rank(other))
    }
}

/// Length of the common prefix of two paths in bytes, which is often long.
fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    const PART: usize = 32;
    let parts = one.chunks_exact(PART).zip(other.chunks_exact(PART));
    let equal = parts.take_while(|(one, other)| one == other).count() * PART;
    equal + one[equal..].iter().zip(&other[equal..]).take_while(|(one, other)| one == other).count()
}

impl PartialOrd for RepoPath {
    fn partial_cmp(&self, other: &RepoPath) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ToOwned for RepoPath {
    type Owned = RepoPathBuf;
    fn to_owned(&self) -> RepoPathBuf {
        RepoPathBuf(self.0.to_vec())
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.display(), f)
    }
}

/// An owned [`RepoPath`].
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct RepoPathBuf(Vec<u8>);

impl RepoPathBuf {
    /// Creates a path from bytes; `None` if a component is not a valid name.
    pub fn new(bytes: Vec<u8>) -> Option<RepoPathBuf> {
        RepoPath::new(&bytes)?;
        Some(RepoPathBuf(bytes))
    }

    /// Appends a name, which must be valid.
    pub fn push(&mut self, name: &[u8]) {
        debug_assert!(is_name(name), "{name:?} is not a valid name");
        if !self.0.is_empty() {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(name);
    }

    /// Removes the last component.
    pub fn pop(&mut self) {
        let end = self.parent().map_or(0, |parent| parent.0.len());
        self.0.truncate(end);
    }
}

impl Deref for RepoPathBuf {
    type Target = RepoPath;
    fn deref(&self) -> &RepoPath {
        RepoPath::unchecked(&self.0)
    }
}

impl Borrow<RepoPath> for RepoPathBuf {
    fn borrow(&self) -> &RepoPath {
        self
    }
}

impl AsRef<RepoPath> for RepoPathBuf {
    fn as_ref(&self) -> &RepoPath {
        self
    }
}

impl Ord for RepoPathBuf {
    fn cmp(&self, other: &RepoPathBuf) -> Ordering {
        (**self).cmp(&**other)
    }
}

impl PartialOrd for RepoPathBuf {
    fn partial_cmp(&self, other: &RepoPathBuf) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for RepoPathBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> &RepoPath {
        RepoPath::new(text.as_bytes()).expect("a valid path")
    }

    #[test]
    fn long_paths_are_ordered_by_component() {
        let long = "directory/".repeat(20);
        for start in ["", "d/", &long[..33], &long[..34], &long[..64], &long[..65], &long] {
            let of = |end: &str| RepoPathBuf::new(format!("{start}x{end}").into_bytes()).unwrap();
            let ordered = [of(""), of("/a"), of("/a/b"), of("/b"), of("\x01"), of("-"), of("0"), of("a")];
            for (n, one) in ordered.iter().enumerate() {
                for (m, other) in ordered.iter().enumerate() {
                    assert_eq!(one.cmp(other), n.cmp(&m), "{one:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn invalid_components_are_rejected() {
        for bad in [&b"/a"[..], b"a/", b"a//b", b".", b"a/../b", b"a/./b", b"a\0b"] {
            assert_eq!(RepoPath::new(bad), None, "{bad:?}");
        }
        assert!(RepoPath::new(b"a\xff\n/..b/c ").is_some());
    }

    #[test]
    fn a_directory_is_followed_by_its_content() {
        let mut paths = ["a.txt", "a", "b", "a/b", "a/b/c", "a-b", "", "a\u{1}"].map(path);
        paths.sort();
        assert_eq!(paths, ["", "a", "a/b", "a/b/c", "a\u{1}", "a-b", "a.txt", "b"].map(path));
    }

    #[test]
    fn relative_paths_lead_from_a_directory() {
        for (to, from, expected) in [
            ("a/b", "", "a/b"),
            ("", "", "."),
            ("a", "a", "."),
            ("a/b/c", "a", "b/c"),
            ("a/b", "a/c/d", "../../b"),
            ("", "a/b", "../.."),
            ("ab", "a", "../ab"),
            ("-x", "", "./-x"),
            ("a/:x", "a", "./:x"),
            ("a/-x", "", "a/-x"),
        ] {
            assert_eq!(path(to).relative_to(path(from)), expected.as_bytes(), "{to} {from}");
        }
    }

    #[test]
    fn parents_components_and_containment() {
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(RepoPath::root()));
        assert_eq!(RepoPath::root().parent(), None);
        assert_eq!(path("a/b").ancestors().collect::<Vec<_>>(), [path("a"), RepoPath::root()]);
        assert!(
            path("a/b").is_within(path("a")) && path("a").is_within(path("a")) && path("a").is_within(RepoPath::root())
        );
        assert!(!path("ab").is_within(path("a")));
        assert_eq!(path("a/b/c").below(path("a")), Some(path("b/c")));
        assert_eq!(path("a").below(path("a")), Some(RepoPath::root()));
        assert_eq!(&*path("a").join_path(path("b/c")), path("a/b/c"));
        assert_eq!(&*path("a").join_path(path("")), path("a"));
        assert_eq!(&*path("").join_path(path("a/b")), path("a/b"));
        let mut built = RepoPath::root().join(b"x");
        built.push(b"y");
        assert_eq!(&*built, path("x/y"));
        built.pop();
        built.pop();
        assert!(built.is_root());
    }
}
