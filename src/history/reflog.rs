//! The past of refs: what they were at a time or before an operation, found by walking the operations back.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::{Error, ErrorKind, Result};
use crate::id::CommitId;
use crate::object::Operation;
use crate::object::operation::{RefEdit, RefName, View};
use crate::repo::Repository;
use crate::time::Timestamp;

/// What branches and tags were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refs {
    /// The branch that was current.
    pub current: String,
    /// Names that follow commits.
    pub branches: BTreeMap<String, CommitId>,
    /// Names that stay.
    pub tags: BTreeMap<String, CommitId>,
}

impl Refs {
    /// Those of a view.
    pub fn of(view: &View) -> Refs {
        Refs { current: view.current.clone(), branches: view.branches.clone(), tags: view.tags.clone() }
    }

    /// `@`.
    pub fn at(&self) -> Option<CommitId> {
        self.branches.get(&self.current).copied()
    }

    /// The changes that make a view these, sorted by name.
    pub fn edits_from(&self, view: &View) -> Vec<RefEdit> {
        let branches = edits(&view.branches, &self.branches, RefName::Branch);
        branches.into_iter().chain(edits(&view.tags, &self.tags, RefName::Tag)).collect()
    }

    /// Lets a name stand for a commit, or for none.
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

    /// The refs before the operation that led to these, in the same directory.
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

/// What refs were at a time. [`ErrorKind::NotFound`] before the first operation.
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
            Error::new(ErrorKind::NotFound, format!("there is no history at {time}: it begins at {oldest}"))
                .hint("to list operations: undo op log")
        }
        None => no_commit(repository.view()),
    })
}

/// `-`: the commit that was current before `@` last moved without growing.
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
        // What was unsaved is in the commit that the worktree was left with.
        let left = operation.worktree.map_or(refs.at(), |(from, _)| from);
        if let Some(left) = left.filter(|left| Some(*left) != after) {
            return Ok(left);
        }
    }
    Err(Error::new(ErrorKind::NotFound, "there is no `-`: you have not gone from one commit to another yet")
        .hint("see where you have been with `undo log`"))
}

/// What `@` fails with: in a new repository, and where the branch was stepped back to before its first commit.
pub fn no_commit(view: &View) -> Error {
    match view.heads.is_empty() {
        true => Error::new(ErrorKind::NotFound, "there is no commit yet").hint("make the first one with `undo commit`"),
        false => Error::new(ErrorKind::NotFound, format!("`{}` has no commit any more", view.current))
            .hint("go to the newest one with `undo checkout latest`, or see all with `undo log`"),
    }
}
