//! The plan of a checkout or an export, as data. Only the actions in the plan are performed.

mod steps;
#[cfg(test)]
mod tests;

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

use super::action::Action;
use steps::Steps;

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

impl Verdict {
    /// Whether the verdict requires an action.
    fn is_action(self) -> bool {
        !matches!(self, Verdict::Same | Verdict::Keep | Verdict::Unsaved)
    }
}

/// All steps of a checkout: the paths at which worktree and target differ, with a verdict for each. Steps are identified
/// by number, in path order, and decoded on request, because there may be millions.
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
    /// Files of the target whose content was purged, in path order. Nothing is written to their paths.
    pub purged: Vec<RepoPathBuf>,
    /// Paths at which the directory and the target differ, or may differ, and at and below which everything stays because it is out of
    /// reach; with reasons.
    pub unreachable: Vec<(RepoPathBuf, &'static str)>,
    /// Number of entries that need no change, apart from metadata of directories.
    pub unchanged: u64,
    /// Number of actions, and bytes of the files that they write.
    actions: usize,
    bytes: u64,
}

/// Rejects a tree that would write into the repository: no commit has made it.
pub(crate) fn check_not_repository(path: &RepoPath, entry: Option<&Entry>) -> Result<()> {
    match entry.is_some() && path.names().next() == Some(REPOSITORY) {
        true => Err(Error::damaged(Message::from("a recorded tree has ") + Message::path(path) + " in it")),
        false => Ok(()),
    }
}

impl Plan {
    /// Looks up the directories of the actions, and counts. To be called when all verdicts and conflicts are final;
    /// `root` is the wanted root entry.
    pub(crate) fn complete(&mut self, objects: &dyn Objects, root: &Entry) -> Result<()> {
        self.look_up_directories(root, |above, name| match above.tree() {
            Some(tree) => entry_in(objects, tree, name),
            None => Ok(None),
        })?;
        let is_busy = |n: &usize| self.is_worth_counting(*n) && self.verdict(*n) != Verdict::Remove;
        let busy = self.conflicts.len() + self.purged.len() + self.numbers().filter(is_busy).count();
        let entries = match root.content {
            Content::Directory { entries, .. } => entries,
            _ => 0,
        };
        self.unchanged = entries.saturating_sub(busy as u64);
        self.bytes = self.numbers().filter_map(|n| self.file(n)).map(|(_, size)| size).sum();
        self.actions = self.numbers().count();
        Ok(())
    }

    /// The record of a path: of an uncovered entry that the plan has compared with the target, or in the index.
    pub(crate) fn record(&self, index: &Builder, path: &RepoPath) -> Option<Record> {
        self.alike.get(path).cloned().or_else(|| index.find(path))
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
        (0..self.end()).filter(|n| self.verdict(*n).is_action())
    }

    /// Content and size of a file that is written.
    pub(crate) fn file(&self, n: usize) -> Option<(BlobId, u64)> {
        if !matches!(self.verdict(n), Verdict::Create | Verdict::Replace) {
            return None;
        }
        match self.unnamed_entry(n)?.content {
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
            Verdict::Link => Action::Link(path, self.linked_to(n)?),
            Verdict::Remove => Action::Remove(path),
            Verdict::Same | Verdict::Keep | Verdict::Unsaved => return None,
        })
    }

    /// Whether the action changes more than the metadata of a directory.
    pub(crate) fn is_worth_counting(&self, n: usize) -> bool {
        self.verdict(n) != Verdict::Touch || self.kind(n) != Some(Kind::Directory)
    }

    /// Number of the action that creates or touches a directory.
    pub(super) fn find_directory(&self, path: &RepoPath) -> Option<usize> {
        self.find(path).filter(|n| self.verdict(*n).is_action() && self.kind(*n) == Some(Kind::Directory))
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
        // The root comes first in path order.
        let has_root = self.numbers().next().is_some_and(|n| self.path(n).is_root());
        ((self.actions - usize::from(has_root)) as u64, self.bytes)
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
