//! The past of refs: what they were at a time or before an operation, found by walking the operations back.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};
use crate::id::{CommitId, OperationId};
use crate::object::Operation;
use crate::object::operation::{RefName, View};
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

    /// Those before the operation that led to these.
    pub fn revert(&mut self, operation: &Operation) {
        for edit in operation.edits.iter().rev() {
            let (names, name) = match &edit.name {
                RefName::Branch(name) => (&mut self.branches, name),
                RefName::Tag(name) => (&mut self.tags, name),
            };
            match edit.old {
                Some(commit) => names.insert(name.clone(), commit),
                None => names.remove(name),
            };
        }
        if let Some((before, _)) = &operation.switched {
            self.current.clone_from(before);
        }
    }
}

/// What refs were at a time. [`ErrorKind::NotFound`] before the first operation.
pub fn refs_at(repository: &Repository, time: Timestamp) -> Result<Refs> {
    let mut refs = Refs::of(repository.view());
    let mut oldest = None;
    for operation in repository.operations()? {
        let (_, operation) = operation?;
        if operation.time <= time {
            return Ok(refs);
        }
        refs.revert(&operation);
        oldest = Some(operation.time);
    }
    Err(match oldest {
        Some(oldest) => {
            Error::new(ErrorKind::NotFound, format!("there is no history at {time}: it begins at {oldest}"))
                .hint("see all operations with `undo log`")
        }
        None => no_commit(),
    })
}

/// What refs were after an operation. [`ErrorKind::NotFound`] if there is none of this id.
pub fn refs_after(repository: &Repository, id: OperationId) -> Result<Refs> {
    let mut refs = Refs::of(repository.view());
    for operation in repository.operations()? {
        let (found, operation) = operation?;
        if found == id {
            return Ok(refs);
        }
        refs.revert(&operation);
    }
    Err(Error::new(ErrorKind::NotFound, format!("no operation `{}`", id.short())).hint("see all with `undo log`"))
}

/// `-`: the commit that was current before `@` last moved without growing.
pub fn before_last_move(repository: &Repository) -> Result<CommitId> {
    let mut refs = Refs::of(repository.view());
    for operation in repository.operations()? {
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

/// What a revision fails with in a new repository.
pub fn no_commit() -> Error {
    Error::new(ErrorKind::NotFound, "there is no commit yet").hint("make the first one with `undo commit`")
}
