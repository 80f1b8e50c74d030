//! The plan of a checkout or an export, as data. Only the actions in the plan are performed.

use std::collections::BTreeMap;
use std::fmt;

use crate::error::{Error, Result};
use crate::history::entry_in;
use crate::id::BlobId;
use crate::message::Message;
use crate::metadata::Kind;
use crate::object::{Content, Entry, Objects};
use crate::path::{REPOSITORY, RepoPath, RepoPathBuf};
use crate::worktree::index::{Builder, Record, Update};

use super::verdict::{Steps, Verdict};

/// One step of a plan, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create an entry at an unused path.
    Create(RepoPathBuf, Entry),
    /// Replace the entry: by other content or another kind, or to separate a file from its other hard links.
    Replace(RepoPathBuf, Entry),
    /// Make the first path a hard link to the second. An entry at the first path is replaced.
    Link(RepoPathBuf, RepoPathBuf),
    /// Set mode, owner, time or attributes.
    Touch(RepoPathBuf, Entry),
    /// Remove.
    Remove(RepoPathBuf),
}

impl Action {
    /// The path that the action changes.
    pub fn path(&self) -> &RepoPath {
        match self {
            Action::Create(path, _)
            | Action::Replace(path, _)
            | Action::Link(path, _)
            | Action::Touch(path, _)
            | Action::Remove(path) => path,
        }
    }

    /// Entry that the path will have; `None` for a link or a removal.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Action::Create(_, entry) | Action::Replace(_, entry) | Action::Touch(_, entry) => Some(entry),
            Action::Link(..) | Action::Remove(_) => None,
        }
    }

    /// Whether the action changes more than the metadata of a directory.
    pub fn is_worth_counting(&self) -> bool {
        !matches!(self, Action::Touch(_, entry) if entry.kind() == Kind::Directory)
    }

    /// The name of the action in messages and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Create(..) => "create",
            Action::Replace(..) => "replace",
            Action::Link(..) => "link",
            Action::Touch(..) => "touch",
            Action::Remove(..) => "remove",
        }
    }
}

/// Writes the name of the action and the path. Directories end with a slash.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.word(), self.path().display())?;
        match self {
            Action::Link(_, to) => write!(f, " -> {}", to.display()),
            _ if self.entry().is_some_and(|entry| entry.kind() == Kind::Directory) => f.write_str("/"),
            _ => Ok(()),
        }
    }
}

/// Looks up what is known of entries in the worktree.
#[derive(Clone, Copy)]
pub(crate) struct Known<'k> {
    /// Covered entries.
    pub index: &'k Builder,
    /// Uncovered entries that a plan has compared with the target.
    pub alike: &'k BTreeMap<RepoPathBuf, Record>,
}

impl Known<'_> {
    pub(crate) fn find(&self, path: &RepoPath) -> Option<Record> {
        self.alike.get(path).cloned().or_else(|| self.index.find(path))
    }
}

/// Whether a verdict requires an action.
pub(super) fn is_action(verdict: Verdict) -> bool {
    !matches!(verdict, Verdict::Same | Verdict::Keep | Verdict::Unsaved)
}

/// Rejects a tree that would write into the repository: no commit has made it.
pub(crate) fn check_not_repository(path: &RepoPath, entry: Option<&Entry>) -> Result<()> {
    match entry.is_some() && path.names().next() == Some(REPOSITORY) {
        true => Err(Error::damaged(Message::from("a recorded tree has ") + Message::path(path) + " in it")),
        false => Ok(()),
    }
}

/// All steps of a checkout. Actions are identified by number, in path order, and decoded on request, because there may
/// be millions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    steps: Steps,
    /// Uncovered content in the way, in path order. Such a plan is refused.
    pub conflicts: Vec<RepoPathBuf>,
    /// Uncovered entries in the way that have the wanted content but other metadata, in path order. They must be recorded
    /// before they get the metadata of the target.
    pub metadata_conflicts: Vec<(RepoPathBuf, Kind)>,
    /// Records of uncovered entries that have the wanted content, and therefore may change.
    pub(crate) alike: BTreeMap<RepoPathBuf, Record>,
    /// Topmost directories that the target does not have and that stay because something in them is not covered; in
    /// path order.
    pub kept: Vec<RepoPathBuf>,
    /// Uncovered journals of database files that the plan changes, in path order. They must be recorded, and then added
    /// to the plan.
    pub unsaved_journals: Vec<RepoPathBuf>,
    /// Journals that are ignored in the worktree or in the target, and change because their database file does.
    pub journals: Vec<RepoPathBuf>,
    /// Journals that stay although the target has others, because the target does not cover their database file.
    pub left_journals: Vec<RepoPathBuf>,
    /// Paths of the target over which something is mounted: everything at and below them stays.
    pub mounts: Vec<RepoPathBuf>,
    /// Number of entries that need no change, apart from metadata of directories.
    pub unchanged: u64,
    /// Number of actions, and bytes of the files that they write.
    actions: usize,
    bytes: u64,
}

impl Plan {
    /// Creates a plan from these steps and looks up their directories; `root` is the wanted root entry.
    pub(crate) fn new(
        objects: &dyn Objects,
        mut steps: Steps,
        root: &Entry,
        conflicts: Vec<RepoPathBuf>,
    ) -> Result<Plan> {
        steps.look_up_directories(root, is_action, |above, name| match above.tree() {
            Some(tree) => entry_in(objects, tree, name),
            None => Ok(None),
        })?;
        let plan = Plan { steps, conflicts, ..Plan::default() };
        let (mut actions, mut bytes, mut busy) = (0, 0, plan.conflicts.len() as u64);
        for n in plan.numbers() {
            actions += 1;
            bytes += plan.file(n).map_or(0, |(_, size)| size);
            busy += u64::from(plan.is_worth_counting(n) && plan.verdict(n) != Verdict::Remove);
        }
        let entries = match root.content {
            Content::Directory { entries, .. } => entries,
            _ => 0,
        };
        Ok(Plan { actions, bytes, unchanged: entries.saturating_sub(busy), ..plan })
    }

    /// Combines the index of the scan with the uncovered entries that the plan has compared.
    pub(crate) fn known<'k>(&'k self, index: &'k Builder) -> Known<'k> {
        Known { index, alike: &self.alike }
    }

    /// Adds the uncovered entries that the plan has compared with the target.
    pub(crate) fn update_index(&self, index: &mut Builder) {
        if !self.alike.is_empty() {
            let mut update = Update::new(index);
            self.alike.iter().for_each(|(path, record)| update.set(path, record.clone()));
            update.finish();
        }
    }

    /// Whether the plan has no actions.
    pub fn is_empty(&self) -> bool {
        self.actions == 0
    }

    /// All actions, decoded.
    pub fn actions(&self) -> impl Iterator<Item = Action> + '_ {
        self.numbers().filter_map(|n| self.action(n))
    }

    /// The numbers of all actions.
    pub(crate) fn numbers(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        (0..self.steps.len()).filter(|n| is_action(self.steps.verdict(*n)))
    }

    /// Upper bound of the numbers, exclusive.
    pub(crate) fn end(&self) -> usize {
        self.steps.len()
    }

    /// Verdict for the path with this number.
    pub(crate) fn verdict(&self, n: usize) -> Verdict {
        self.steps.verdict(n)
    }

    /// Path with this number.
    pub(crate) fn path(&self, n: usize) -> RepoPathBuf {
        self.steps.path(n)
    }

    /// Entry that the path will have. `None` for a link or a removal.
    pub(crate) fn entry(&self, n: usize) -> Option<Entry> {
        self.steps.entry(n).filter(|_| is_action(self.verdict(n)))
    }

    /// Kind of that entry.
    pub(crate) fn kind(&self, n: usize) -> Option<Kind> {
        self.steps.kind(n).filter(|_| is_action(self.verdict(n)))
    }

    /// Content and size of a file that is written.
    pub(crate) fn file(&self, n: usize) -> Option<(BlobId, u64)> {
        if !matches!(self.verdict(n), Verdict::Create | Verdict::Replace) {
            return None;
        }
        match self.steps.unnamed_entry(n)?.content {
            Content::File { blob, size } => Some((blob, size)),
            _ => None,
        }
    }

    /// Action with this number; `None` if nothing must be done.
    pub(super) fn action(&self, n: usize) -> Option<Action> {
        let path = self.path(n);
        Some(match self.verdict(n) {
            Verdict::Create => Action::Create(path, self.entry(n)?),
            Verdict::Replace => Action::Replace(path, self.entry(n)?),
            Verdict::Touch => Action::Touch(path, self.entry(n)?),
            Verdict::Link => Action::Link(path, self.steps.linked_to(n)?),
            Verdict::Remove => Action::Remove(path),
            Verdict::Same | Verdict::Keep | Verdict::Unsaved => return None,
        })
    }

    /// Whether the action changes more than the metadata of a directory.
    pub(crate) fn is_worth_counting(&self, n: usize) -> bool {
        self.verdict(n) != Verdict::Touch || self.kind(n) != Some(Kind::Directory)
    }

    /// Path that the link with this number refers to.
    pub(super) fn linked_to(&self, n: usize) -> Option<RepoPathBuf> {
        self.steps.linked_to(n)
    }

    /// Number of a path that has an action, or at which only the names of the inode change.
    pub(crate) fn find(&self, path: &RepoPath) -> Option<usize> {
        self.steps.find(path)
    }

    /// The directories that contain actions, at any depth, in path order, with their entries in the target (only those
    /// that it has).
    pub(super) fn directories(&self) -> impl Iterator<Item = (&RepoPath, Entry)> {
        (0..self.steps.directory_count())
            .filter_map(|at| Some((self.steps.directory_path(at), self.steps.directory_entry(at)?)))
    }

    /// The paths of all directories that contain steps, at any depth, in path order.
    pub(super) fn directory_paths(&self) -> impl Iterator<Item = &RepoPath> {
        (0..self.steps.directory_count()).map(|at| self.steps.directory_path(at))
    }

    /// Entry of one of those directories, if the target has it.
    pub(super) fn directory(&self, path: &RepoPath) -> Option<Entry> {
        self.steps.directory_entry(self.steps.find_directory(path)?)
    }

    /// The same plan, without a change of the root's metadata.
    pub(crate) fn without_root(mut self) -> Plan {
        self.steps.forget_root();
        self
    }

    /// Adds journals that are covered only because of this plan.
    pub fn add_journals<'j>(&mut self, journals: impl Iterator<Item = &'j RepoPathBuf>) {
        self.journals.extend(journals.cloned());
        self.journals.sort();
        self.journals.dedup();
    }

    /// Paths that a commit must cover, even if rules ignore them, so that nothing in the way is lost. Of a directory with other
    /// metadata only the directory itself, which a path below it selects.
    pub fn to_be_saved(&self) -> Vec<RepoPathBuf> {
        let metadata_conflicts = self.metadata_conflicts.iter().map(|(path, kind)| match kind {
            Kind::Directory => path.join(b"-"),
            _ => path.clone(),
        });
        let uncovered = self.conflicts.iter().chain(&self.unsaved_journals).cloned();
        uncovered.chain(metadata_conflicts).collect()
    }

    /// Number of entries that change, without the root, and bytes of the files that are written.
    pub(crate) fn amounts(&self) -> (u64, u64) {
        let is_root = |n: &usize| self.path(*n).is_root();
        // The root comes first in path order.
        let root = self.numbers().next().filter(is_root);
        ((self.actions - usize::from(root.is_some())) as u64, self.bytes)
    }

    /// Bytes of the files that are written.
    pub(crate) fn bytes_to_write(&self) -> u64 {
        self.bytes
    }
}

/// Writes the actions, then the conflicts, one per line.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.actions().try_for_each(|action| writeln!(f, "{action}"))?;
        self.conflicts.iter().try_for_each(|path| writeln!(f, "conflict {}", path.display()))
    }
}
