//! The paths at which worktree and target differ, in path order, with the change planned for each. Encoded, so that a
//! checkout of a million files takes only tens of bytes per file.

use std::cmp::Ordering;

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::metadata::Kind;
use crate::object::Entry;
use crate::object::entry::take_named;
use crate::object::fields::Field;
use crate::path::{RepoPath, RepoPathBuf};

use super::arena::{Arena, Position};

/// Planned change at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The path does not exist.
    Create,
    /// The path has other content or another kind, which is saved.
    Replace,
    /// The content matches; the metadata differs.
    Touch,
    /// Content and metadata match; the names of the inode differ.
    Same,
    /// The path becomes a hard link to another path.
    Link,
    /// The path is saved, and the target does not have it.
    Remove,
    /// The path is saved, and the target does not cover it.
    Keep,
    /// An entry at the path would not be saved.
    Unsaved,
}

/// Steps by number, in path order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    arena: Arena,
    /// The directories that contain steps, and their ancestors, in path order.
    directories: Vec<Directory>,
    steps: Vec<Step>,
}

/// A directory that contains steps, at any depth.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Directory {
    path: RepoPathBuf,
    /// Number of the parent directory; the root has its own number.
    above: u32,
    /// The directory's entry in the target, if known.
    entry: Option<Position>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    /// The target's entry, or the name alone; for a link, its name and the path it links to.
    content: Position,
    directory: u32,
    verdict: Verdict,
}

/// First bytes that distinguish a name alone, and a name with the path it links to, from an entry.
const NAME: u8 = 0;
const LINK: u8 = 0xff;

/// Panic message for decoding steps, which this module has encoded.
const SOUND: &str = "steps are encoded by this module";

impl Steps {
    /// Adds a step; `entry` is the target's entry. Steps must be added in path order.
    pub(crate) fn push(&mut self, path: &RepoPath, verdict: Verdict, entry: Option<&Entry>) {
        let directory = self.enter(path.parent().unwrap_or(RepoPath::root()));
        let mut encoder = Encoder::new();
        match entry {
            Some(entry) => entry.put(&mut encoder),
            None => {
                encoder.u8(NAME).bytes(path.name().unwrap_or_default());
            }
        }
        let content = self.arena.add(encoder.as_slice());
        self.steps.push(Step { content, directory, verdict });
    }

    /// Returns the number of a directory. Adds the directory and its ancestors if they are new.
    fn enter(&mut self, path: &RepoPath) -> u32 {
        // The content of a directory follows it directly, so the directory is the last one, an ancestor of that, or
        // new.
        let mut known = self.directories.len().checked_sub(1);
        while let Some(at) = known.filter(|at| !path.is_within(&self.directories[*at].path)) {
            let above = self.directories[at].above as usize;
            known = (above != at).then_some(above);
        }
        let is_new = |above: &&RepoPath| known.is_none_or(|at| *self.directories[at].path != **above);
        let new: Vec<&RepoPath> = std::iter::once(path).chain(path.ancestors()).take_while(is_new).collect();
        // A directory that is a step itself directly precedes its content.
        let own = self.steps.len().checked_sub(1).filter(|n| !new.is_empty() && self.kind(*n) == Some(Kind::Directory));
        let own = own.map(|n| (self.path(n), self.steps[n].content));
        let mut number = known.unwrap_or(0) as u32;
        for new in new.into_iter().rev() {
            let above = if new.is_root() { 0 } else { number };
            number = self.directories.len() as u32;
            let entry = own.as_ref().filter(|(path, _)| **path == *new).map(|(_, content)| *content);
            self.directories.push(Directory { path: new.to_owned(), above, entry });
        }
        number
    }

    pub(crate) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(crate) fn verdict(&self, n: usize) -> Verdict {
        self.steps[n].verdict
    }

    pub(crate) fn set_verdict(&mut self, n: usize, verdict: Verdict) {
        self.steps[n].verdict = verdict;
    }

    /// Turns a step into a link to another path, and forgets the target's entry.
    pub(crate) fn set_link(&mut self, n: usize, to: &RepoPath) {
        let mut encoder = Encoder::new();
        encoder.u8(LINK).bytes(self.name(n)).bytes(to.as_bytes());
        self.steps[n] = Step { content: self.arena.add(encoder.as_slice()), verdict: Verdict::Link, ..self.steps[n] };
    }

    pub(crate) fn path(&self, n: usize) -> RepoPathBuf {
        let directory = self.directory_path(self.steps[n].directory as usize);
        match self.name(n) {
            [] => directory.to_owned(),
            name => directory.join(name),
        }
    }

    fn name(&self, n: usize) -> &[u8] {
        let mut content = Decoder::new("step", self.content(n));
        content.u8().and_then(|_| content.bytes()).expect(SOUND)
    }

    fn content(&self, n: usize) -> &[u8] {
        self.arena.get(self.steps[n].content)
    }

    /// The target's entry; `None` if it has none, and for a link.
    pub(crate) fn entry(&self, n: usize) -> Option<Entry> {
        let content = self.content(n);
        is_entry(content).then(|| decode(content))
    }

    /// Like [`Steps::entry`], without the name.
    pub(super) fn unnamed_entry(&self, n: usize) -> Option<Entry> {
        let content = self.content(n);
        is_entry(content).then(|| take_named(&mut Decoder::new("step", content)).expect(SOUND).2)
    }

    /// Kind of the target's entry.
    pub(crate) fn kind(&self, n: usize) -> Option<Kind> {
        self.unnamed_entry(n).map(|entry| entry.kind())
    }

    /// The path that a link refers to.
    pub(super) fn linked_to(&self, n: usize) -> Option<RepoPathBuf> {
        let mut content = Decoder::new("step", self.content(n));
        if content.u8().expect(SOUND) != LINK {
            return None;
        }
        let to = content.bytes().and_then(|_| content.bytes()).expect(SOUND);
        RepoPath::new(to).map(RepoPath::to_owned)
    }

    /// The number of the step at a path.
    pub(crate) fn find(&self, path: &RepoPath) -> Option<usize> {
        let (mut low, mut high) = (0, self.steps.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let directory = self.directory_path(self.steps[middle].directory as usize);
            let name = Some(self.name(middle)).filter(|name| !name.is_empty());
            match directory.names().chain(name).cmp(path.names()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Number of directories that contain steps, at any depth.
    pub(super) fn directory_count(&self) -> usize {
        self.directories.len()
    }

    pub(super) fn directory_path(&self, at: usize) -> &RepoPath {
        &self.directories[at].path
    }

    /// The directory's entry in the target, if known.
    pub(super) fn directory_entry(&self, at: usize) -> Option<Entry> {
        self.directories[at].entry.map(|entry| decode(self.arena.get(entry)))
    }

    /// Number of a directory that contains steps.
    pub(super) fn find_directory(&self, path: &RepoPath) -> Option<usize> {
        self.directories.binary_search_by(|known| (*known.path).cmp(path)).ok()
    }

    /// Sets the target's entries of the `wanted` directories that contain these steps, at any depth: from the steps
    /// themselves, or else from `look_up` in the parent directory. Forgets the entries of all other directories.
    pub(super) fn look_up_directories(
        &mut self,
        root: &Entry,
        wanted: impl Fn(Verdict) -> bool,
        mut look_up: impl FnMut(&Entry, &[u8]) -> Result<Option<Entry>>,
    ) -> Result<()> {
        let mut is_wanted = vec![false; self.directories.len()];
        for step in self.steps.iter().filter(|step| wanted(step.verdict)) {
            let mut at = step.directory as usize;
            while !std::mem::replace(&mut is_wanted[at], true) {
                at = self.directories[at].above as usize;
            }
        }
        for (at, is_wanted) in is_wanted.into_iter().enumerate() {
            let above = self.directories[at].above as usize;
            let known = self.directories[at].entry;
            let entry = match self.directory_path(at).name() {
                _ if !is_wanted => None,
                _ if known.is_some() => continue,
                None => Some(root.clone()),
                Some(name) => match self.directory_entry(above) {
                    Some(above) => look_up(&above, name)?,
                    None => None,
                },
            };
            let entry = entry.filter(|entry| entry.kind() == Kind::Directory);
            self.directories[at].entry = entry.map(|entry| {
                let mut encoder = Encoder::new();
                entry.put(&mut encoder);
                self.arena.add(encoder.as_slice())
            });
        }
        Ok(())
    }

    /// Forgets the target's entry of the root.
    pub(super) fn forget_root(&mut self) {
        if let Some(root) = self.directories.first_mut() {
            root.entry = None;
        }
    }
}

fn is_entry(content: &[u8]) -> bool {
    !matches!(content.first(), Some(&NAME | &LINK))
}

fn decode(content: &[u8]) -> Entry {
    Decoder::new("step", content).take().expect(SOUND)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{BlobId, TreeId};
    use crate::metadata::Metadata;
    use crate::object::Content;

    fn path(text: &str) -> RepoPathBuf {
        RepoPathBuf::new(text.as_bytes().to_vec()).unwrap()
    }

    fn entry(path: &RepoPath, content: Content) -> Entry {
        let name = path.name().unwrap_or_default().to_vec();
        Entry { name, metadata: Metadata { mode: 0o644, ..Metadata::default() }, attributes: None, content }
    }

    fn file(path: &RepoPath) -> Entry {
        entry(path, Content::File { blob: BlobId([7; 32]), size: 5 })
    }

    fn directory(path: &RepoPath) -> Entry {
        entry(path, Content::Directory { tree: TreeId([1; 32]), entries: 1, size: 5 })
    }

    const PATHS: [&str; 9] = ["", "a", "a/b", "a/b/c/d/e", "a/b/f", "a-", "a.txt", "b/c/d", "e"];

    fn steps() -> Steps {
        let mut steps = Steps::default();
        for text in PATHS {
            let path = path(text);
            let entry = match text {
                "e" => None,
                "" | "a" | "a/b" => Some(directory(&path)),
                _ => Some(file(&path)),
            };
            steps.push(&path, if entry.is_some() { Verdict::Create } else { Verdict::Remove }, entry.as_ref());
        }
        steps
    }

    #[test]
    fn steps_are_found_by_path_and_decoded() {
        let mut steps = steps();
        steps.set_link(4, &path("a.txt"));
        for (n, text) in PATHS.iter().enumerate() {
            let path = path(text);
            assert_eq!((steps.find(&path), &steps.path(n)), (Some(n), &path));
            let expected = match n {
                4 | 8 => None,
                0..=2 => Some(directory(&path)),
                _ => Some(file(&path)),
            };
            assert_eq!(steps.entry(n), expected, "{text}");
            assert_eq!(steps.kind(n), expected.map(|entry| entry.kind()));
        }
        assert_eq!((steps.verdict(4), steps.linked_to(4)), (Verdict::Link, Some(path("a.txt"))));
        for text in ["0", "a/a", "a/b/c", "b", "b/c/e", "f"] {
            assert_eq!(steps.find(&path(text)), None, "{text}");
        }
    }

    #[test]
    fn parent_directories_come_from_steps_or_lookup() {
        let mut steps = steps();
        steps.set_verdict(7, Verdict::Keep);
        let mut asked = Vec::new();
        let look_up = |_: &Entry, name: &[u8]| {
            asked.push(String::from_utf8_lossy(name).into_owned());
            // A file in the target is not a directory.
            Ok(Some(if name == b"d" { file(&path("d")) } else { directory(&path("c")) }))
        };
        steps.look_up_directories(&directory(RepoPath::root()), |verdict| verdict != Verdict::Keep, look_up).unwrap();
        assert_eq!(asked, ["c", "d"]);
        let known: Vec<_> = (0..steps.directory_count())
            .map(|at| (steps.directory_path(at).display().into_owned(), steps.directory_entry(at).is_some()))
            .collect();
        let expected =
            [("", true), ("a", true), ("a/b", true), ("a/b/c", true), ("a/b/c/d", false), ("b", false), ("b/c", false)];
        assert_eq!(known, expected.map(|(path, known)| (path.to_owned(), known)));
        assert_eq!(steps.find_directory(&path("a/b/c")), Some(3));
        assert_eq!(steps.find_directory(&path("a/c")), None);
    }
}
