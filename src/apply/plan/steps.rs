//! The steps of a plan, encoded, so that a checkout of a million files takes only tens of bytes per file.

use std::cmp::Ordering;

use crate::codec::{Decoder, Encoder};
use crate::error::Result;
use crate::metadata::Kind;
use crate::object::Entry;
use crate::object::entry::take_named;
use crate::object::fields::Field;
use crate::path::{RepoPath, RepoPathBuf};

use super::{Plan, Verdict};

/// Encoded steps and the directories that they are in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps {
    /// Encoded entries, names and links, one after the other.
    bytes: Vec<u8>,
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
    /// Offset of the directory's entry in the target, if known.
    entry: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    /// Offset of the target's entry, or of the name alone; for a link, of its name and the path it links to.
    content: u64,
    directory: u32,
    verdict: Verdict,
}

/// First bytes that distinguish a name alone, and a name with the path it links to, from an entry.
const NAME: u8 = 0;
const LINK: u8 = 0xff;

/// Panic message for decoding steps, which this module has encoded.
const SOUND: &str = "steps are encoded by this module";

impl Steps {
    fn add(&mut self, encode: impl FnOnce(&mut Encoder)) -> u64 {
        let mut encoder = Encoder::new();
        encode(&mut encoder);
        let offset = self.bytes.len() as u64;
        self.bytes.extend_from_slice(encoder.as_slice());
        offset
    }

    fn decoder(&self, offset: u64) -> Decoder<'_> {
        Decoder::new("step", &self.bytes[offset as usize..])
    }

    fn first_byte(&self, n: usize) -> u8 {
        self.bytes[self.steps[n].content as usize]
    }

    fn name(&self, n: usize) -> &[u8] {
        let mut content = self.decoder(self.steps[n].content);
        content.u8().and_then(|_| content.bytes()).expect(SOUND)
    }

    fn has_entry(&self, n: usize) -> bool {
        !matches!(self.first_byte(n), NAME | LINK)
    }

    fn directory_of(&self, n: usize) -> &RepoPath {
        &self.directories[self.steps[n].directory as usize].path
    }

    fn directory_entry(&self, at: usize) -> Option<Entry> {
        let offset = self.directories[at].entry?;
        Some(self.decoder(offset).take().expect(SOUND))
    }
}

impl Plan {
    /// Adds a step; `entry` is the target's entry. Steps must be added in path order.
    pub(crate) fn push(&mut self, path: &RepoPath, verdict: Verdict, entry: Option<&Entry>) {
        let directory = self.enter(path.parent().unwrap_or(RepoPath::root()));
        let content = self.steps.add(|encoder| match entry {
            Some(entry) => entry.put(encoder),
            None => {
                encoder.u8(NAME).bytes(path.name().unwrap_or_default());
            }
        });
        self.steps.steps.push(Step { content, directory, verdict });
    }

    /// Returns the number of a directory. Adds the directory and its ancestors if they are new.
    fn enter(&mut self, path: &RepoPath) -> u32 {
        let directories = &self.steps.directories;
        // The content of a directory follows it directly, so the directory is the last one, an ancestor of that, or
        // new.
        let mut known = directories.len().checked_sub(1);
        while let Some(at) = known.filter(|at| !path.is_within(&directories[*at].path)) {
            let above = directories[at].above as usize;
            known = (above != at).then_some(above);
        }
        let is_new = |above: &&RepoPath| known.is_none_or(|at| *directories[at].path != **above);
        let new: Vec<&RepoPath> = std::iter::once(path).chain(path.ancestors()).take_while(is_new).collect();
        // A directory that is a step itself directly precedes its content.
        let own = self.end().checked_sub(1).filter(|n| !new.is_empty() && self.kind(*n) == Some(Kind::Directory));
        let own = own.map(|n| (self.path(n), self.steps.steps[n].content));
        let mut number = known.unwrap_or(0) as u32;
        for new in new.into_iter().rev() {
            let above = if new.is_root() { 0 } else { number };
            number = self.steps.directories.len() as u32;
            let entry = own.as_ref().filter(|(path, _)| **path == *new).map(|(_, content)| *content);
            self.steps.directories.push(Directory { path: new.to_owned(), above, entry });
        }
        number
    }

    /// Upper bound of the numbers of steps, exclusive.
    pub(crate) fn end(&self) -> usize {
        self.steps.steps.len()
    }

    /// Verdict for the path with this number.
    pub(crate) fn verdict(&self, n: usize) -> Verdict {
        self.steps.steps[n].verdict
    }

    pub(crate) fn set_verdict(&mut self, n: usize, verdict: Verdict) {
        self.steps.steps[n].verdict = verdict;
    }

    /// Turns a step into a link to another path, and forgets the target's entry.
    pub(crate) fn set_link(&mut self, n: usize, to: &RepoPath) {
        let name = self.steps.name(n).to_owned();
        let content = self.steps.add(|encoder| {
            encoder.u8(LINK).bytes(&name).bytes(to.as_bytes());
        });
        let step = &mut self.steps.steps[n];
        *step = Step { content, verdict: Verdict::Link, ..*step };
    }

    /// Path with this number.
    pub(crate) fn path(&self, n: usize) -> RepoPathBuf {
        match self.steps.name(n) {
            [] => self.steps.directory_of(n).to_owned(),
            name => self.steps.directory_of(n).join(name),
        }
    }

    /// The target's entry; `None` if it has none, and for a link.
    pub(crate) fn entry(&self, n: usize) -> Option<Entry> {
        let mut content = self.steps.decoder(self.steps.steps[n].content);
        self.steps.has_entry(n).then(|| content.take().expect(SOUND))
    }

    /// Like [`Plan::entry`], without the name.
    pub(super) fn unnamed_entry(&self, n: usize) -> Option<Entry> {
        let mut content = self.steps.decoder(self.steps.steps[n].content);
        self.steps.has_entry(n).then(|| take_named(&mut content).expect(SOUND).2)
    }

    /// Kind of the target's entry.
    pub(crate) fn kind(&self, n: usize) -> Option<Kind> {
        self.unnamed_entry(n).map(|entry| entry.kind())
    }

    /// The path that a link refers to.
    pub(crate) fn linked_to(&self, n: usize) -> Option<RepoPathBuf> {
        let mut content = self.steps.decoder(self.steps.steps[n].content);
        if content.u8().expect(SOUND) != LINK {
            return None;
        }
        let to = content.bytes().and_then(|_| content.bytes()).expect(SOUND);
        RepoPath::new(to).map(RepoPath::to_owned)
    }

    /// The number of the step at a path.
    pub(crate) fn find(&self, path: &RepoPath) -> Option<usize> {
        let (mut low, mut high) = (0, self.end());
        while low < high {
            let middle = low + (high - low) / 2;
            let name = Some(self.steps.name(middle)).filter(|name| !name.is_empty());
            match self.steps.directory_of(middle).names().chain(name).cmp(path.names()) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// The directories that contain steps, at any depth, in path order. Each with its entry in the target, if the target
    /// has it and the directory contains actions.
    pub(crate) fn directories(&self) -> impl Iterator<Item = (&RepoPath, Option<Entry>)> {
        let directories = self.steps.directories.iter().enumerate();
        directories.map(|(at, directory)| (&*directory.path, self.steps.directory_entry(at)))
    }

    /// Entry in the target of one of those directories.
    pub(crate) fn directory_entry(&self, path: &RepoPath) -> Option<Entry> {
        let at = self.steps.directories.binary_search_by(|known| (*known.path).cmp(path)).ok()?;
        self.steps.directory_entry(at)
    }

    /// Sets the target's entries of the directories that contain actions, at any depth: from the steps themselves, or
    /// else from `look_up` in the parent directory. Forgets the entries of all other directories.
    pub(super) fn look_up_directories(
        &mut self,
        root: &Entry,
        mut look_up: impl FnMut(&Entry, &[u8]) -> Result<Option<Entry>>,
    ) -> Result<()> {
        let steps = &mut self.steps;
        let mut has_actions = vec![false; steps.directories.len()];
        for step in steps.steps.iter().filter(|step| step.verdict.is_action()) {
            let mut at = step.directory as usize;
            while !std::mem::replace(&mut has_actions[at], true) {
                at = steps.directories[at].above as usize;
            }
        }
        for (at, has_actions) in has_actions.into_iter().enumerate() {
            let Directory { path, above, entry: known } = &steps.directories[at];
            let entry = match path.name() {
                _ if !has_actions => None,
                _ if known.is_some() => continue,
                None => Some(root.clone()),
                Some(name) => match steps.directory_entry(*above as usize) {
                    Some(above) => look_up(&above, name)?,
                    None => None,
                },
            };
            let entry = entry.filter(|entry| entry.kind() == Kind::Directory);
            let entry = entry.map(|entry| steps.add(|encoder| entry.put(encoder)));
            steps.directories[at].entry = entry;
        }
        Ok(())
    }

    /// Forgets the target's entry of the root, so that its metadata is not changed.
    pub(crate) fn forget_root(&mut self) {
        if let Some(root) = self.steps.directories.first_mut() {
            root.entry = None;
        }
    }
}
