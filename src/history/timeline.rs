//! The timeline: what was done, action by action, and where `undo`, `redo` and `op restore` lead.
//!
//! Undoing is sequential. A step back is an action of its own, which remembers the action it came to (its position) and
//! the one that the line ends with (its tip); so two steps back are two actions back, and steps forward end at the tip.
//! Any other action begins a new line. What it left behind stays in the journal, within reach of `op restore`.

use crate::error::{Error, ErrorKind, Result};
use crate::history::past::Refs;
use crate::history::unknown;
use crate::id::{CommitId, IdPrefix, ObjectId, OperationId};
use crate::object::Operation;
use crate::object::operation::Travel;
use crate::repo::Repository;

/// What one command did: an operation, and those before it that only prepared it (what was unsaved was recorded).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name: the id of its last operation.
    pub id: OperationId,
    /// Its last operation.
    pub last: Operation,
    /// The operations that prepared it, newest first.
    pub before: Vec<Operation>,
}

impl Action {
    /// The action that the state after it is that of; `None`: the state before the first one.
    pub fn position(&self) -> Option<OperationId> {
        self.last.travel().map_or(Some(self.id), |travel| travel.position)
    }

    /// Whether it changed the worktree.
    pub fn moved_worktree(&self) -> bool {
        self.last.worktree.is_some()
    }

    /// The commit that it made last, if any.
    pub fn made(&self) -> Option<CommitId> {
        self.last.commits.last().map(|commit| commit.id)
    }

    /// Its operations, newest first.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        std::iter::once(&self.last).chain(&self.before)
    }
}

/// Where a step leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// What refs are there.
    pub refs: Refs,
    /// The commit that the worktree becomes; `None`: the worktree is left alone.
    pub worktree: Option<CommitId>,
    /// What the operation that goes there remembers; `None` for `op restore`, which begins a new line.
    pub travel: Option<Travel>,
    /// The actions that are taken back or done again, in this order.
    pub crossed: Vec<Action>,
    /// The newest operation when this was found out: after another one it is out of date.
    pub seen: Option<OperationId>,
}

/// All actions, newest first.
pub struct Timeline {
    refs: Refs,
    actions: Vec<Action>,
}

/// Actions, newest first, read as they are asked for.
pub fn actions(repository: &Repository) -> Result<impl Iterator<Item = Result<Action>> + '_> {
    let mut operations = repository.operations()?.peekable();
    Ok(std::iter::from_fn(move || {
        let (id, last) = match operations.next()? {
            Ok(operation) => operation,
            Err(error) => return Some(Err(error)),
        };
        let mut action = Action { id, last, before: Vec::new() };
        let mut is_joined = action.last.is_joined();
        while is_joined && let Some(Ok((_, operation))) = operations.next_if(Result::is_ok) {
            is_joined = operation.is_joined();
            action.before.push(operation);
        }
        Some(Ok(action))
    }))
}

impl Timeline {
    /// Reads the journal.
    pub fn read(repository: &Repository) -> Result<Timeline> {
        Ok(Timeline { refs: Refs::of(repository.view()), actions: actions(repository)?.collect::<Result<_>>()? })
    }

    /// So many steps back. [`ErrorKind::NotFound`] if there are fewer.
    pub fn back(&self, steps: usize) -> Result<Destination> {
        let (mut position, tip) = (self.position(), self.tip());
        let mut crossed = Vec::new();
        for _ in 0..steps {
            let Some(here) = position else { return Err(too_far(crossed.len(), "take back")) };
            let at = self.index(here)?;
            crossed.push(self.actions[at].clone());
            position = self.position_before(at)?;
        }
        self.lead_to(position, Some(Travel { position, tip }), crossed)
    }

    /// So many steps forward: what was taken back is done again. [`ErrorKind::NotFound`] if there are fewer.
    pub fn forward(&self, steps: usize) -> Result<Destination> {
        let (here, tip, ahead) = (self.position(), self.tip(), self.ahead()?);
        if ahead.len() < steps {
            return Err(too_far(ahead.len(), "do again"));
        }
        let crossed: Vec<Action> = ahead.into_iter().take(steps).cloned().collect();
        let position = crossed.last().map_or(here, |action| Some(action.id));
        self.lead_to(position, Some(Travel { position, tip }), crossed)
    }

    /// To the state after an action.
    pub fn restore(&self, id: OperationId) -> Result<Destination> {
        let at = self.index(id)?;
        self.lead_to(Some(id), None, self.actions[..at].to_vec())
    }

    /// The action that a text names by its id or the beginning of it; `@` is the newest.
    pub fn find(&self, text: &str) -> Result<&Action> {
        if text == "@" {
            return self.actions.first().ok_or_else(|| unknown_operation(text));
        }
        let prefix = IdPrefix::parse(text).ok_or_else(|| unknown_operation(text))?;
        let found: Vec<&Action> = self.actions.iter().filter(|action| prefix.matches(&action.id.0)).collect();
        match found.as_slice() {
            [] => Err(unknown_operation(text)),
            [action] => Ok(action),
            several => {
                let told = |action: &&Action| (ObjectId(action.id.0), action.last.in_words());
                Err(unknown::ambiguous(text, "operations", several.iter().map(told).collect()))
            }
        }
    }

    /// The state before what was interrupted, if the newest action only prepared that: it recorded what was unsaved.
    pub fn before_interrupted(&self, verb: &str, from: Option<CommitId>) -> Result<Destination> {
        let prepared = self
            .actions
            .first()
            .filter(|action| action.last.verb == verb && action.made().is_some() && action.made() == from);
        let (position, crossed) = match prepared {
            Some(action) => (self.position_before(0)?, vec![action.clone()]),
            None => (self.position(), Vec::new()),
        };
        let mut destination = self.lead_to(position, Some(Travel { position, tip: position }), crossed)?;
        destination.worktree = from;
        Ok(destination)
    }

    /// All of them, newest first.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Those that were taken back and can be done again, next one first.
    pub fn ahead(&self) -> Result<Vec<&Action>> {
        let here = self.position();
        let mut ahead = Vec::new();
        let mut position = self.tip();
        while position != here {
            let Some(id) = position else { return Ok(Vec::new()) };
            let at = self.index(id)?;
            ahead.push(&self.actions[at]);
            position = self.position_before(at)?;
        }
        ahead.reverse();
        Ok(ahead)
    }

    /// The action whose state this is; `None`: the state before the first one.
    pub fn position(&self) -> Option<OperationId> {
        self.actions.first().and_then(Action::position)
    }

    fn tip(&self) -> Option<OperationId> {
        let newest = self.actions.first()?;
        newest.last.travel().map_or(Some(newest.id), |travel| travel.tip)
    }

    fn index(&self, id: OperationId) -> Result<usize> {
        let at = self.actions.iter().position(|action| action.id == id);
        at.ok_or_else(|| unknown_operation(&id.short()))
    }

    /// The position of the state before the action at an index.
    fn position_before(&self, at: usize) -> Result<Option<OperationId>> {
        match self.actions.get(at + 1) {
            Some(before) => Ok(before.position()),
            None if self.actions[at].operations().last().is_some_and(|first| first.parent.is_none()) => Ok(None),
            None => Err(Error::new(ErrorKind::NotFound, "the journal does not go back any further")
                .hint("see what is there with `undo op log`, and all commits with `undo log`")),
        }
    }

    fn lead_to(
        &self,
        position: Option<OperationId>,
        travel: Option<Travel>,
        crossed: Vec<Action>,
    ) -> Result<Destination> {
        let end = match position {
            Some(id) => self.index(id)?,
            None => self.actions.len(),
        };
        let mut refs = self.refs.clone();
        let later = &self.actions[..end];
        later.iter().flat_map(Action::operations).for_each(|operation| refs.revert(operation));
        // What the worktree was: what the first action after that found in it.
        let next = later.iter().rev().find(|action| action.moved_worktree());
        let left = next.and_then(|action| action.last.worktree).and_then(|(before, _)| before);
        let worktree = left.filter(|_| crossed.iter().any(Action::moved_worktree));
        let seen = self.actions.first().map(|action| action.id);
        Ok(Destination { refs, worktree, travel, crossed, seen })
    }
}

fn too_far(possible: usize, what: &str) -> Error {
    let message = match possible {
        0 => format!("there is nothing to {what}"),
        1 => format!("there is only 1 operation to {what}"),
        possible => format!("there are only {possible} operations to {what}"),
    };
    Error::new(ErrorKind::NotFound, message).hint("see what was done with `undo op log`")
}

fn unknown_operation(text: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no operation `{}`", text.escape_debug()))
        .hint("see all of them with `undo op log`")
}
