//! Past values of refs, computed by reverting operations from the newest one on.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, ErrorKind, Result};
use crate::id::CommitId;
use crate::object::Operation;
use crate::object::operation::{RefEdit, RefName, View};
use crate::repo::Repository;
use crate::time::Timestamp;

/// Values of branches and tags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refs {
    /// Current branch.
    pub current: String,
    /// Branches.
    pub branches: BTreeMap<String, CommitId>,
    /// Tags.
    pub tags: BTreeMap<String, CommitId>,
}

impl Refs {
    /// The refs of a view.
    pub fn of(view: &View) -> Refs {
        Refs { current: view.current.clone(), branches: view.branches.clone(), tags: view.tags.clone() }
    }

    /// The commit of the current branch.
    pub fn at(&self) -> Option<CommitId> {
        self.branches.get(&self.current).copied()
    }

    /// The edits that turn a view into these refs, sorted by name.
    pub fn edits_from(&self, view: &View) -> Vec<RefEdit> {
        let branches = edits(&view.branches, &self.branches, RefName::Branch);
        branches.into_iter().chain(edits(&view.tags, &self.tags, RefName::Tag)).collect()
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

    /// Reverts an operation in the same directory.
    pub fn revert(&mut self, operation: &Operation) {
        self.revert_edits(operation);
        if let Some((before, _)) = &operation.switched {
            self.current.clone_from(before);
        }
    }

    /// Reverts the ref changes of an operation in any directory; keeps the current branch.
    fn revert_edits(&mut self, operation: &Operation) {
        for edit in operation.edits.iter().rev() {
            self.set(&edit.name, edit.old);
        }
    }
}

type Names = BTreeMap<String, CommitId>;

fn edits(before: &Names, after: &Names, name: fn(String) -> RefName) -> Vec<RefEdit> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let edit = |text: &String| RefEdit {
        name: name(text.clone()),
        old: before.get(text).copied(),
        new: after.get(text).copied(),
    };
    names.into_iter().map(edit).filter(|edit| edit.old != edit.new).collect()
}

/// The refs at a time. [`ErrorKind::NotFound`] before the first operation.
pub fn refs_at(repository: &Repository, time: Timestamp) -> Result<Refs> {
    let mut refs = Refs::of(repository.view());
    let mut oldest = None;
    for operation in repository.operations() {
        let (_, operation) = operation?;
        if operation.time <= time {
            return Ok(refs);
        }
        match repository.is_own(&operation) {
            true => refs.revert(&operation),
            false => refs.revert_edits(&operation),
        }
        oldest = Some(operation.time);
    }
    Err(match oldest {
        Some(oldest) => {
            let [time, oldest] = [time, oldest].map(|time| time.to_local(repository.environment.time_zone()));
            Error::new(ErrorKind::NotFound, format!("no history at {time}: the history begins at {oldest}"))
                .hint("to list operations: undo op log")
        }
        None => no_commit(repository.view()),
    })
}

/// `-`: the commit that was current before the last checkout.
pub fn before_last_move(repository: &Repository) -> Result<CommitId> {
    let mut refs = Refs::of(repository.view());
    for operation in repository.own_operations() {
        let (_, operation) = operation?;
        let after = refs.at();
        refs.revert(&operation);
        let has_grown = after.is_some_and(|after| operation.commits.iter().any(|commit| commit.id == after));
        if has_grown || after == refs.at() {
            continue;
        }
        // Unsaved changes are in the commit that the worktree was saved in before the checkout.
        let left = operation.worktree.map_or(refs.at(), |(from, _)| from);
        if let Some(left) = left.filter(|left| Some(*left) != after) {
            return Ok(left);
        }
    }
    Err(Error::new(ErrorKind::NotFound, "there is no earlier checkout, so `-` names no commit")
        .hint("list commits with `undo log`"))
}

/// The error for a current branch without commits: in a new repository, or after undoing its first commit.
pub fn no_commit(view: &View) -> Error {
    match view.heads.is_empty() {
        true => Error::new(ErrorKind::NotFound, "there are no commits yet").hint("create one with `undo commit`"),
        false => Error::new(ErrorKind::NotFound, format!("`{}` has no commits now", view.current))
            .hint("restore the newest one with `undo checkout latest`, or see all with `undo log`"),
    }
}
