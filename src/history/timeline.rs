//! The timeline: what was done, action by action, and where `undo`, `redo` and `op restore` lead.
//!
//! Undoing is sequential. A step back is an action of its own, which remembers the action it came to (its position) and
//! the one that the line ends with (its tip); so two steps back are two actions back, and steps forward end at the tip.
//! Any other action begins a new line. What it left behind stays in the journal, within reach of `op restore`.
//!
//! States between which nothing changed the worktree are a stretch: they share it, whatever refs were. A step within a
//! stretch leaves the worktree alone; a step into another one brings the worktree that was last left there.

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::history::reflog::Refs;
use crate::history::suggestions;
use crate::id::{CommitId, IdPrefix, ObjectId, OperationId};
use crate::object::operation::{UndoPosition, Verb};
use crate::object::{Intent, Operation};
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
        self.last.undo_position().map_or(Some(self.id), |undo_position| undo_position.position)
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
    pub undo_position: Option<UndoPosition>,
    /// The actions that are taken back or done again, in this order.
    pub crossed: Vec<Action>,
    /// The command that was interrupted and is taken back first.
    pub interrupted: Option<Verb>,
    /// The newest operation when this was found out: after another one it is out of date.
    pub seen: Option<OperationId>,
}

/// All actions, newest first.
pub struct Timeline {
    refs: Refs,
    actions: Vec<Action>,
    /// Where each action is in that list.
    places: HashMap<OperationId, usize>,
    /// Of each action: the stretch that the state after it is in.
    stretches: Vec<usize>,
    /// Operations in other directories that share the repository, each with the number of newer actions here.
    elsewhere: HashMap<OperationId, usize>,
    /// Whether only operations of other directories, if any, precede the first action here in the journal.
    is_whole: bool,
    /// The newest operation of any directory.
    newest: Option<OperationId>,
}

/// Actions, newest first, read as they are asked for.
pub fn actions(repository: &Repository) -> Result<impl Iterator<Item = Result<Action>> + '_> {
    Ok(grouped(repository.own_operations()?))
}

/// Operations, newest first, as actions.
fn grouped(operations: impl Iterator<Item = Result<(OperationId, Operation)>>) -> impl Iterator<Item = Result<Action>> {
    let mut operations = operations.peekable();
    std::iter::from_fn(move || {
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
    })
}

impl Timeline {
    /// Reads the journal.
    pub fn read(repository: &Repository) -> Result<Timeline> {
        let (mut own, mut others, mut is_whole) = (Vec::new(), Vec::new(), true);
        for operation in repository.operations()? {
            let (id, operation) = operation?;
            is_whole = operation.parent.is_none();
            match repository.is_own(&operation) {
                true => own.push(Ok((id, operation))),
                false => others.push((id, own.len())),
            }
        }
        let actions: Vec<Action> = grouped(own.into_iter()).collect::<Result<_>>()?;
        let ends = actions.iter().scan(0, |count, action| {
            *count += action.operations().count();
            Some(*count)
        });
        let ends: Vec<usize> = ends.collect();
        let elsewhere = others.into_iter().map(|(id, newer)| (id, ends.partition_point(|end| *end <= newer))).collect();
        let newest = repository.operation();
        Ok(Timeline { elsewhere, is_whole, newest, ..Timeline::new(Refs::of(repository.view()), actions) })
    }

    /// Of actions, newest first, that led to these refs.
    fn new(refs: Refs, actions: Vec<Action>) -> Timeline {
        let places: HashMap<OperationId, usize> = actions.iter().enumerate().map(|(at, it)| (it.id, at)).collect();
        let mut stretches = vec![actions.len(); actions.len() + 1];
        for (at, action) in actions.iter().enumerate().rev() {
            let reached = action.last.undo_position().map(|undo_position| match undo_position.position {
                Some(id) => places.get(&id).map_or(at, |&place| stretches[place]),
                None => actions.len(),
            });
            let fresh = if action.moved_worktree() { at } else { stretches[at + 1] };
            stretches[at] = reached.unwrap_or(fresh);
        }
        let first = actions.last().and_then(|action| action.operations().last());
        let is_whole = first.is_none_or(|first| first.parent.is_none());
        let newest = actions.first().map(|action| action.id);
        Timeline { refs, actions, places, stretches, elsewhere: HashMap::new(), is_whole, newest }
    }

    /// So many steps back. [`ErrorKind::NotFound`] if there are fewer.
    pub fn back(&self, steps: usize) -> Result<Destination> {
        let (position, crossed) = self.steps_back(self.position(), steps)?;
        self.destination_for(position, Some(UndoPosition { position, tip: self.tip() }), crossed)
    }

    /// The position so many steps before another one, and the actions in between.
    fn steps_back(
        &self,
        mut position: Option<OperationId>,
        steps: usize,
    ) -> Result<(Option<OperationId>, Vec<Action>)> {
        let mut crossed = Vec::new();
        for _ in 0..steps {
            let Some(here) = position else { return Err(too_far(crossed.len(), "take back")) };
            let at = self.index(here)?;
            crossed.push(self.actions[at].clone());
            position = self.position_before(at)?;
        }
        Ok((position, crossed))
    }

    /// To the state in which an operation was the newest (`None`: the one before the first), with all that was done since
    /// taken back; the directory becomes the commit.
    pub fn back_to(&self, operation: Option<OperationId>, worktree: CommitId) -> Result<Destination> {
        let end = match operation {
            Some(id) => self.elsewhere.get(&id).map_or_else(|| self.index(id), |at| Ok(*at))?,
            None => self.actions.len(),
        };
        let position = self.actions.get(end).and_then(Action::position);
        // What was done since may be on a line of its own, if steps were among it: then the line is the one before all that.
        let tip = if self.line_from(position).is_some() { self.tip() } else { self.tip_at(end) };
        let destination =
            self.destination_for(position, Some(UndoPosition { position, tip }), self.actions[..end].to_vec())?;
        Ok(Destination { worktree: Some(worktree), ..destination })
    }

    /// So many steps forward: what was taken back is done again. [`ErrorKind::NotFound`] if there are fewer.
    pub fn forward(&self, steps: usize) -> Result<Destination> {
        let (here, tip, ahead) = (self.position(), self.tip(), self.ahead());
        if ahead.len() < steps {
            return Err(too_far(ahead.len(), "do again"));
        }
        let crossed: Vec<Action> = ahead.into_iter().take(steps).cloned().collect();
        let position = crossed.last().map_or(here, |action| Some(action.id));
        self.destination_for(position, Some(UndoPosition { position, tip }), crossed)
    }

    /// To the state after an action.
    pub fn restore(&self, id: OperationId) -> Result<Destination> {
        let at = self.index(id)?;
        self.destination_for(Some(id), None, self.actions[..at].to_vec())
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
                let told = |action: &&Action| (ObjectId(action.id.0), action.last.describe());
                Err(suggestions::ambiguous(text, "operations", several.iter().map(told).collect()))
            }
        }
    }

    /// So many steps back, of which what was interrupted is the first: to all that was before that command.
    pub fn back_before(&self, intent: &Intent, steps: usize) -> Result<Destination> {
        let end = match intent.before() {
            Some(Some(before)) => self.elsewhere.get(&before).map_or_else(|| self.index(before), |at| Ok(*at))?,
            Some(None) => self.actions.len(),
            None => 0,
        };
        let (position, tip) = (self.actions.get(end).and_then(Action::position), self.tip_at(end));
        let (position, further) = self.steps_back(position, steps - 1)?;
        let crossed = self.actions[..end].iter().cloned().chain(further).collect();
        let mut destination = self.destination_for(position, Some(UndoPosition { position, tip }), crossed)?;
        destination.worktree = destination.worktree.or(intent.from);
        destination.interrupted = Some(intent.verb.clone());
        Ok(destination)
    }

    /// All of them, newest first.
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// Those that were taken back and can be done again, next one first.
    pub fn ahead(&self) -> Vec<&Action> {
        self.line_from(self.position()).unwrap_or_default()
    }

    /// The actions from a position to the tip; `None`: the position is not on the line that ends there.
    fn line_from(&self, here: Option<OperationId>) -> Option<Vec<&Action>> {
        let mut line = Vec::new();
        let mut position = self.tip();
        while position != here {
            // Not this side of where the journal begins now.
            let at = position.and_then(|id| self.index(id).ok())?;
            line.push(&self.actions[at]);
            position = self.position_before(at).ok()?;
        }
        line.reverse();
        Some(line)
    }

    /// The action whose state this is; `None`: the state before the first one.
    pub fn position(&self) -> Option<OperationId> {
        self.actions.first().and_then(Action::position)
    }

    fn tip(&self) -> Option<OperationId> {
        self.tip_at(0)
    }

    /// The tip of the line after the action at an index.
    fn tip_at(&self, at: usize) -> Option<OperationId> {
        let action = self.actions.get(at)?;
        action.last.undo_position().map_or(Some(action.id), |undo_position| undo_position.tip)
    }

    fn index(&self, id: OperationId) -> Result<usize> {
        self.places.get(&id).copied().ok_or_else(shortened)
    }

    /// The position of the state before the action at an index.
    fn position_before(&self, at: usize) -> Result<Option<OperationId>> {
        match self.actions.get(at + 1) {
            Some(before) => Ok(before.position()),
            None if self.is_whole => Ok(None),
            None => Err(shortened()),
        }
    }

    fn destination_for(
        &self,
        position: Option<OperationId>,
        undo_position: Option<UndoPosition>,
        crossed: Vec<Action>,
    ) -> Result<Destination> {
        let end = match position {
            Some(id) => self.index(id)?,
            None => self.actions.len(),
        };
        let mut refs = self.refs.clone();
        let later = &self.actions[..end];
        later.iter().flat_map(Action::operations).for_each(|operation| refs.revert(operation));
        let worktree = match undo_position {
            Some(_) => self.left_in(self.stretches[end]),
            None => first_left(later),
        };
        Ok(Destination { refs, worktree, undo_position, crossed, interrupted: None, seen: self.newest })
    }

    /// The worktree that was last left in a stretch; `None`: it is the one that is there.
    fn left_in(&self, stretch: usize) -> Option<CommitId> {
        if self.stretches[0] == stretch {
            return None;
        }
        let mut moves = self.actions.iter().enumerate().filter(|(_, action)| action.moved_worktree());
        let (_, left) = moves.find(|(at, _)| self.stretches[at + 1] == stretch)?;
        left.last.worktree.and_then(|(before, _)| before)
    }
}

/// The worktree before the first of these actions (newest first) that changed it.
fn first_left(actions: &[Action]) -> Option<CommitId> {
    let first = actions.iter().rev().find(|action| action.moved_worktree())?;
    first.last.worktree.and_then(|(before, _)| before)
}

fn too_far(possible: usize, what: &str) -> Error {
    let message = match possible {
        0 => format!("there is nothing to {what}"),
        1 => format!("there is only 1 operation to {what}"),
        possible => format!("there are only {possible} operations to {what}"),
    };
    Error::new(ErrorKind::NotFound, message).hint("see what was done with `undo op log`")
}

/// Old parts of the journal may be gone.
fn shortened() -> Error {
    Error::new(ErrorKind::NotFound, "the journal does not go back any further")
        .hint("see what is there with `undo op log`, and all commits with `undo log`")
}

fn unknown_operation(text: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no operation `{}`", text.escape_debug()))
        .hint("see all of them with `undo op log`")
}

#[cfg(test)]
mod tests;
