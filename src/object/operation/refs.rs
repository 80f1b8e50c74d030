//! Refs: the names of commits, and views, which also have the heads. Journal checkpoints contain views.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};

use super::action::{NewCommit, Operation, RefEdit, RefName};
use super::history_edit::{Forgotten, ForgottenCommits, HistoryEdit, Purged, forgotten_count, kept_parents};
use crate::error::Result;
use crate::id::{BlobId, CommitId};
use crate::object::fields;
use crate::time::Timestamp;

/// The first byte of a view.
const KIND: u8 = 0x11;

/// Values of branches and tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refs {
    /// The current branch, which may have no commit yet.
    pub current: String,
    /// Branches, which follow new commits.
    pub branches: BTreeMap<String, CommitId>,
    /// Tags.
    pub tags: BTreeMap<String, CommitId>,
}

/// The refs, and what the history consists of, at one point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// All refs.
    pub refs: Refs,
    /// All heads: commits without a child, on a branch or not.
    pub heads: BTreeSet<CommitId>,
    /// Commits that are no longer part of the history, but that other commits still name.
    pub forgotten: ForgottenCommits,
    /// Contents that were destroyed, or will be.
    pub purged: BTreeMap<BlobId, Purged>,
}

impl Refs {
    /// The commit of the current branch. `None` before its first commit.
    pub fn at(&self) -> Option<CommitId> {
        self.branches.get(&self.current).copied()
    }

    /// The commit of a ref.
    pub fn get(&self, name: &RefName) -> Option<CommitId> {
        match name {
            RefName::Branch(name) => self.branches.get(name).copied(),
            RefName::Tag(name) => self.tags.get(name).copied(),
        }
    }

    /// Sets or deletes a ref.
    pub fn set(&mut self, name: &RefName, commit: Option<CommitId>) {
        let (names, name) = match name {
            RefName::Branch(name) => (&mut self.branches, name),
            RefName::Tag(name) => (&mut self.tags, name),
        };
        match commit {
            Some(commit) => names.insert(name.clone(), commit),
            None => names.remove(name),
        };
    }

    /// The edits that turn other refs into these, sorted by name.
    pub fn edits_from(&self, before: &Refs) -> Vec<RefEdit> {
        let branches = before.branches.keys().chain(self.branches.keys()).cloned().map(RefName::Branch);
        let tags = before.tags.keys().chain(self.tags.keys()).cloned().map(RefName::Tag);
        let names: BTreeSet<RefName> = branches.chain(tags).collect();
        let edits = names.into_iter().map(|name| RefEdit { old: before.get(&name), new: self.get(&name), name });
        edits.filter(|edit| edit.old != edit.new).collect()
    }

    /// Reverts an operation in the same directory.
    pub fn revert(&mut self, operation: &Operation) {
        self.revert_edits(operation);
        if let Some((before, _)) = &operation.switched {
            self.current.clone_from(before);
        }
    }

    /// Reverts the ref changes of an operation in any directory; keeps the current branch.
    pub fn revert_edits(&mut self, operation: &Operation) {
        for edit in operation.edits.iter().rev() {
            self.set(&edit.name, edit.old);
        }
    }
}

impl Deref for View {
    type Target = Refs;

    fn deref(&self) -> &Refs {
        &self.refs
    }
}

impl DerefMut for View {
    fn deref_mut(&mut self) -> &mut Refs {
        &mut self.refs
    }
}

impl View {
    /// A view without commits, with this current branch.
    pub fn new(current: &str) -> View {
        View { refs: Refs { current: current.to_owned(), ..Refs::default() }, ..View::default() }
    }

    /// The commits that heads, branches and tags name: from these, the whole history can be reached.
    pub fn starting_points(&self) -> impl Iterator<Item = CommitId> {
        self.heads.iter().chain(self.refs.branches.values()).chain(self.refs.tags.values()).copied()
    }

    /// The nearest ancestors of a commit that are part of the history, given its parents.
    pub fn kept_parents(&self, parents: &[CommitId]) -> Vec<CommitId> {
        kept_parents(&self.forgotten, parents)
    }

    /// Number of forgotten commits between a commit with these parents and its nearest ancestors in the history.
    pub fn forgotten_count(&self, parents: &[CommitId]) -> u64 {
        forgotten_count(&self.forgotten, parents)
    }

    /// Whether a commit was forgotten, and can still be recalled.
    pub fn can_recall(&self, id: CommitId) -> bool {
        self.forgotten.get(&id).is_some_and(|forgotten| forgotten.time.is_some())
    }

    /// Applies an operation that was recorded at this time.
    pub fn apply(&mut self, operation: &Operation, time: Timestamp) {
        for edit in &operation.edits {
            self.refs.set(&edit.name, edit.new);
        }
        if let Some((_, current)) = &operation.switched {
            self.refs.current.clone_from(current);
        }
        self.add_commits(&operation.commits);
        self.edit_history(&operation.history, time);
    }

    /// Adds new commits to the heads, in place of their parents. A commit of the same id may have been forgotten and swept.
    pub fn add_commits(&mut self, commits: &[NewCommit]) {
        for commit in commits {
            self.forgotten.remove(&commit.id);
            for parent in &commit.parents {
                self.heads.remove(parent);
            }
            self.heads.insert(commit.id);
        }
    }

    /// Changes what the history keeps.
    pub fn edit_history(&mut self, edit: &HistoryEdit, time: Timestamp) {
        for commit in &edit.forgets {
            let forgotten = Forgotten { parents: commit.parents.clone(), count: 1, time: Some(time) };
            self.forgotten.insert(commit.id, forgotten);
        }
        for commit in &edit.recalls {
            self.forgotten.remove(&commit.id);
        }
        for head in &edit.heads_removed {
            self.heads.remove(head);
        }
        self.heads.extend(&edit.heads_added);
        self.purged.extend(edit.purges.iter().map(|blob| (blob.id, Purged { size: blob.size, time: Some(time) })));
        for blob in &edit.unpurges {
            self.purged.remove(blob);
        }
    }

    /// Applies a sweep of everything that was forgotten or purged at `horizon` or before. `substitutes` are the forgotten
    /// commits that are still named.
    pub fn sweep(&mut self, horizon: Timestamp, substitutes: &ForgottenCommits) {
        self.forgotten.retain(|_, forgotten| forgotten.time.is_some_and(|time| time > horizon));
        self.forgotten.extend(substitutes.iter().map(|(id, forgotten)| (*id, forgotten.clone())));
        for purged in self.purged.values_mut() {
            purged.time = purged.time.filter(|time| *time > horizon);
        }
    }

    /// Encodes the view.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = fields::begin(KIND, 1);
        encoder.put(&self.refs.current).put(&self.refs.branches).put(&self.refs.tags).put(&self.heads);
        encoder.put(&self.forgotten).put(&self.purged);
        encoder.finish()
    }

    /// Decodes a view.
    pub fn decode(bytes: &[u8]) -> Result<View> {
        let (mut decoder, _) = fields::expect("view", KIND, 1, bytes)?;
        let refs = Refs { current: decoder.take()?, branches: decoder.take()?, tags: decoder.take()? };
        let view = View { refs, heads: decoder.take()?, forgotten: decoder.take()?, purged: decoder.take()? };
        decoder.finish()?;
        Ok(view)
    }
}
