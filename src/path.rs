//! Where something is in a worktree: byte-exact relative paths, what a name may be, and THE order of paths.
//!
//! Names are any bytes but `/` and NUL. Every list of paths in the project (scan, index, tree, diff, plan) is in the one
//! order defined here, name by name, so that comparing two of them is always a merge.

use std::borrow::{Borrow, Cow};
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::fmt;
use std::ops::Deref;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use ref_cast::RefCast;

/// The repository's name at the root of a worktree; never recorded there, and never descended into below it.
pub const REPOSITORY: &[u8] = b".undo";

/// Whether bytes may be the name of an entry: not empty, not `.` or `..`, without `/` and NUL.
pub fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name != b"." && name != b".." && !name.iter().any(|&b| b == b'/' || b == 0)
}

/// A path below the root of a worktree, names separated by `/`; empty for the root itself.
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

    /// Takes bytes for a path if every name in them is one.
    pub fn new(bytes: &[u8]) -> Option<&RepoPath> {
        let valid = bytes.is_empty() || bytes.split(|&b| b == b'/').all(is_name);
        valid.then(|| RepoPath::unchecked(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The path for the operating system, relative to the root of the worktree; empty for the root.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Whether it is the root of the worktree.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The names from the root down.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|name| !name.is_empty())
    }

    /// The last name; `None` for the root.
    pub fn name(&self) -> Option<&[u8]> {
        self.names().next_back()
    }

    /// The directory it is in; `None` for the root.
    pub fn parent(&self) -> Option<&RepoPath> {
        if self.is_root() {
            return None;
        }
        let end = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        Some(RepoPath::unchecked(&self.0[..end]))
    }

    /// The directories it is in, from its own parent up to the root.
    pub fn ancestors(&self) -> impl Iterator<Item = &RepoPath> {
        std::iter::successors(self.parent(), |path| path.parent())
    }

    /// This path with one more name. The name must be one (`is_name`).
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

    /// This path with another one below it.
    pub fn join_path(&self, below: &RepoPath) -> RepoPathBuf {
        match (self.is_root(), below.is_root()) {
            (true, _) => below.to_owned(),
            (_, true) => self.to_owned(),
            _ => RepoPathBuf([&self.0, b"/", &below.0].concat()),
        }
    }

    /// Whether it is `other` or lies below it.
    pub fn is_within(&self, other: &RepoPath) -> bool {
        match self.0.strip_prefix(&other.0) {
            Some(rest) => other.is_root() || rest.is_empty() || rest[0] == b'/',
            None => false,
        }
    }

    /// The part below `other`, if it is within it.
    pub fn below(&self, other: &RepoPath) -> Option<&RepoPath> {
        if !self.is_within(other) {
            return None;
        }
        let skip = if other.is_root() { 0 } else { (other.0.len() + 1).min(self.0.len()) };
        Some(RepoPath::unchecked(&self.0[skip..]))
    }

    /// As text for people; bytes that are not UTF-8 are replaced. `ui` makes it safe for a terminal.
    pub fn display(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

/// Name by name, so a directory is followed by all that is below it before its next sibling.
impl Ord for RepoPath {
    fn cmp(&self, other: &RepoPath) -> Ordering {
        let common = common_prefix(&self.0, &other.0);
        let rank = |path: &RepoPath| path.0.get(common).map(|&b| if b == b'/' { 0 } else { u16::from(b) + 1 });
        rank(self).cmp(&rank(other))
    }
}

/// Length of the common prefix of two paths, in bytes. Paths that are compared often have a long one.
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
    /// Takes bytes for a path if every name in them is one.
    pub fn new(bytes: Vec<u8>) -> Option<RepoPathBuf> {
        RepoPath::new(&bytes)?;
        Some(RepoPathBuf(bytes))
    }

    /// Adds a name in place.
    pub fn push(&mut self, name: &[u8]) {
        debug_assert!(is_name(name), "{name:?} is not a valid name");
        if !self.0.is_empty() {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(name);
    }

    /// Takes the last name away.
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
    fn long_paths_are_ordered_name_by_name() {
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
    fn what_could_lead_outside_is_no_path() {
        for bad in [&b"/a"[..], b"a/", b"a//b", b".", b"a/../b", b"a/./b", b"a\0b"] {
            assert_eq!(RepoPath::new(bad), None, "{bad:?}");
        }
        assert!(RepoPath::new(b"a\xff\n/..b/c ").is_some());
    }

    #[test]
    fn a_directory_is_followed_by_what_is_in_it() {
        let mut paths = ["a.txt", "a", "b", "a/b", "a/b/c", "a-b", "", "a\u{1}"].map(path);
        paths.sort();
        assert_eq!(paths, ["", "a", "a/b", "a/b/c", "a\u{1}", "a-b", "a.txt", "b"].map(path));
    }

    #[test]
    fn parents_names_and_containment() {
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
