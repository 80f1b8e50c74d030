//! The timeline: the user's actions, newest first, and where `undo`, `redo` and `op restore` lead.
//!
//! Undo is sequential. A step back is an action itself. Its operation records the action whose state was restored (the
//! position) and the newest action that `redo` can reach (the tip). So two steps back cross two actions, and steps forward
//! end at the tip. Any other action starts a new line; the actions that it leaves behind stay in the journal, where
//! `op restore` can reach them.
//!
//! A stretch is a run of states between which no action changed the worktree: they share the worktree, even where refs
//! differ. A step within a stretch leaves the worktree alone. A step into another stretch restores the worktree that was
//! last left there.

mod line;

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};
use crate::history::reverted::RevertedHistory;
use crate::history::suggestions;
use crate::id::{CommitId, DirectoryId, IdPrefix, ObjectId, OperationId};
use crate::object::operation::{HistoryEdit, Refs, UndoPosition, Verb, View};
use crate::object::{Intent, Operation};
use crate::repo::Repository;

pub use line::Here;

/// The operations of one command: the last one, and those before it that saved unsaved changes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Id of the last operation, which names the action.
    pub id: OperationId,
    /// The last operation.
    pub last: Operation,
    /// The operations before it, newest first.
    pub before: Vec<Operation>,
}

impl Action {
    /// The action whose state this action led to. `None` means the state before the first action.
    pub fn position(&self) -> Option<OperationId> {
        self.last.undo_position.map_or(Some(self.id), |undo_position| undo_position.position)
    }

    /// The newest commit that the action made.
    pub fn made(&self) -> Option<CommitId> {
        self.last.commits.last().map(|commit| commit.id)
    }

    /// Whether the action did nothing but purge content.
    pub fn is_purge(&self) -> bool {
        self.last.verb == Verb::Purge && self.before.is_empty()
    }

    /// Whether the action did nothing but purge content, all of which is still purged. Undo and redo pass over such an
    /// action, and `op log` does not show it as undone.
    pub fn is_still_purged(&self, view: &View) -> bool {
        self.is_purge() && self.last.history.purges.iter().all(|blob| view.purged.contains_key(&blob.id))
    }

    /// Whether the action only restored the last state of a lost directory. Undo and redo pass over such an action.
    pub fn is_revival(&self) -> bool {
        self.last.verb == Verb::Revive && self.last.worktree.is_some_and(|(before, after)| before == Some(after))
    }

    /// All operations, newest first.
    fn operations(&self) -> impl Iterator<Item = &Operation> {
        std::iter::once(&self.last).chain(&self.before)
    }
}

/// The state that a step leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// Refs in that state.
    pub(crate) refs: Refs,
    /// Reverts what the crossed operations changed in the history.
    pub(crate) history: HistoryEdit,
    /// The commit to check out. `None` leaves the worktree alone.
    pub worktree: Option<CommitId>,
    /// Position and tip to record. `None` for `op restore`, which starts a new line.
    pub undo_position: Option<UndoPosition>,
    /// The actions that are undone or redone, in this order.
    pub crossed: Vec<Action>,
    /// Operations whose commits no longer exist. They are crossed without an effect, and do not count as steps.
    pub passed: Vec<Action>,
    /// Number of nearer states that were passed over, because they need a commit that no longer exists.
    pub skipped: u64,
    /// Number of forgotten commits in that state that no longer exist.
    pub gone: u64,
    /// The interrupted command that is undone first.
    pub interrupted: Option<Verb>,
    /// The newest operation when this was computed. After another operation, this is out of date.
    pub seen: Option<OperationId>,
}

/// The actions of one directory, newest first. Decodes only the operations that a call needs.
///
/// The state after an action has the index of the action; the state before the first action has the number of actions.
pub struct Timeline {
    refs: Refs,
    directory: Option<DirectoryId>,
    /// The newest operation of any directory.
    newest: Option<OperationId>,
    /// Operations of all directories that are not decoded yet.
    operations: Box<dyn Iterator<Item = Result<(OperationId, Operation)>>>,
    actions: Vec<Action>,
    indexes: HashMap<OperationId, usize>,
    /// Events of this directory, newest first, each with the number of newer actions. They are not actions.
    events: Vec<(usize, Action)>,
    /// Operations in other directories, and events, each with the number of newer actions in this directory.
    elsewhere: HashMap<OperationId, usize>,
    /// Whether the operation decoded last is the first one of the journal.
    is_whole: bool,
}

impl Timeline {
    /// Opens the timeline of a repository's directory.
    pub(crate) fn open(repository: &Repository) -> Timeline {
        let operations = Box::new(repository.operations());
        let directory = repository.state().directory();
        Timeline::new(repository.view().refs.clone(), directory, repository.operation(), operations)
    }

    fn new(
        refs: Refs,
        directory: Option<DirectoryId>,
        newest: Option<OperationId>,
        operations: Box<dyn Iterator<Item = Result<(OperationId, Operation)>>>,
    ) -> Timeline {
        let (indexes, elsewhere) = (HashMap::new(), HashMap::new());
        let is_whole = newest.is_none();
        let (actions, events) = (Vec::new(), Vec::new());
        Timeline { refs, directory, newest, operations, actions, indexes, events, elsewhere, is_whole }
    }

    /// Decodes the operations of one more action. Returns `false` at the end of the journal.
    fn read_action(&mut self) -> Result<bool> {
        let mut action: Option<Action> = None;
        while action.as_ref().is_none_or(|action| action.before.last().unwrap_or(&action.last).is_joined) {
            let Some((id, operation)) = self.operations.next().transpose()? else { break };
            self.is_whole = operation.parent.is_none();
            if operation.directory != self.directory || operation.is_automatic() {
                self.elsewhere.insert(id, self.actions.len());
                if operation.directory == self.directory {
                    self.events.push((self.actions.len(), Action { id, last: operation, before: Vec::new() }));
                }
                continue;
            }
            match &mut action {
                Some(action) => action.before.push(operation),
                None => action = Some(Action { id, last: operation, before: Vec::new() }),
            }
        }
        let Some(action) = action else { return Ok(false) };
        self.indexes.insert(action.id, self.actions.len());
        self.actions.push(action);
        Ok(true)
    }

    fn read_all(&mut self) -> Result<()> {
        while self.read_action()? {}
        Ok(())
    }

    /// The action at an index; 0 is the newest one.
    pub fn action(&mut self, index: usize) -> Result<Option<&Action>> {
        while self.actions.len() <= index && self.read_action()? {}
        Ok(self.actions.get(index))
    }

    /// The action with this id. [`ErrorKind::NotFound`] if the journal does not go back to it.
    pub fn action_at(&mut self, id: OperationId) -> Result<Option<&Action>> {
        let index = self.index(id)?;
        self.action(index)
    }

    /// [`ErrorKind::NotFound`] if the journal does not go back to this action.
    fn index(&mut self, id: OperationId) -> Result<usize> {
        while !self.indexes.contains_key(&id) && self.read_action()? {}
        self.indexes.get(&id).copied().ok_or_else(shortened)
    }

    /// The state of this directory after an operation of any directory.
    fn state_after(&mut self, operation: Option<OperationId>) -> Result<usize> {
        let Some(id) = operation else {
            self.read_all()?;
            return Ok(self.actions.len());
        };
        while !self.indexes.contains_key(&id) && !self.elsewhere.contains_key(&id) && self.read_action()? {}
        match self.elsewhere.get(&id) {
            Some(index) => Ok(*index),
            None => self.index(id),
        }
    }

    /// The position `steps` actions before another one, and the actions in between.
    fn steps_back(
        &mut self,
        mut position: Option<OperationId>,
        steps: usize,
    ) -> Result<(Option<OperationId>, Vec<Action>)> {
        let mut crossed = Vec::new();
        for _ in 0..steps {
            let Some(here) = position else { return Err(too_far(crossed.len(), "undo")) };
            let index = self.index(here)?;
            crossed.push(self.actions[index].clone());
            position = self.position_before(index)?;
        }
        Ok((position, crossed))
    }

    /// Leads to the state in which `operation` was the newest one (`None`: the state before the first action) and checks
    /// out `worktree` there. Crosses all actions since.
    pub fn back_to(&mut self, operation: Option<OperationId>, worktree: CommitId) -> Result<Destination> {
        let end = self.state_after(operation)?;
        let (position, cursor) = (self.position_at(end)?, self.cursor_at(end)?);
        // Steps among the actions since may have left the line of the position. Then the tip is the one before all of them.
        let is_on_line = self.line_from(position)?.is_some();
        let tip = self.tip_at(if is_on_line { 0 } else { end })?;
        let crossed = self.actions[..end].to_vec();
        let undo_position = UndoPosition { position: cursor, tip };
        let destination = self.destination_for(position, Some(undo_position), crossed)?;
        Ok(Destination { worktree: Some(worktree), ..destination })
    }

    /// Leads to the state after an action, or to the state that an event recorded.
    pub fn restore(&mut self, id: OperationId) -> Result<Destination> {
        let index = self.state_after(Some(id))?;
        let crossed = self.actions[..index].to_vec();
        let destination = self.destination_for(Some(id), None, crossed)?;
        let event = self.events.iter().find(|(_, event)| event.id == id);
        let recorded = event.and_then(|(_, event)| event.last.worktree).map(|(_, state)| state);
        Ok(Destination { worktree: recorded.or(destination.worktree), ..destination })
    }

    /// Finds an action or an event by its id or the start of its id. `@` is the newest action.
    pub fn find(&mut self, text: &str) -> Result<&Action> {
        if text == "@" {
            return self.action(0)?.ok_or_else(|| unknown_operation(text));
        }
        let prefix = IdPrefix::parse(text).ok_or_else(|| unknown_operation(text))?;
        self.read_all()?;
        let all = self.actions.iter().chain(self.events.iter().map(|(_, event)| event));
        let found: Vec<&Action> = all.filter(|action| prefix.matches(&action.id.0)).collect();
        match found.as_slice() {
            [] => Err(unknown_operation(text)),
            [action] => Ok(action),
            several => {
                let described = |action: &&Action| (ObjectId(action.id.0), action.last.describe());
                Err(suggestions::ambiguous(text, "operations", several.iter().map(described).collect()))
            }
        }
    }

    /// Leads `steps` actions back, counting an interrupted command as the first: to the state before that command.
    pub fn back_before(&mut self, intent: &Intent, steps: usize) -> Result<Destination> {
        let end = self.state_after(intent.before)?;
        let (cursor, position, tip) = (self.cursor_at(end)?, self.position_at(end)?, self.tip_at(end)?);
        let (position, further) = match steps {
            1 => (cursor, Vec::new()),
            steps => self.steps_back(position, steps - 1)?,
        };
        let crossed = self.actions[..end].iter().cloned().chain(further).collect();
        let mut destination = self.destination_for(position, Some(UndoPosition { position, tip }), crossed)?;
        destination.worktree = destination.worktree.or(intent.from);
        destination.interrupted = Some(intent.verb.clone());
        Ok(destination)
    }

    /// The undone actions that `redo` can redo, next one first.
    pub fn ahead(&mut self) -> Result<Vec<Action>> {
        let here = self.position()?;
        Ok(self.line_from(here)?.unwrap_or_default())
    }

    /// The actions from a position to the tip. `None` if the position is not on the line of the tip, or if the journal does
    /// not go back to it.
    fn line_from(&mut self, here: Option<OperationId>) -> Result<Option<Vec<Action>>> {
        let mut line = Vec::new();
        let mut position = self.tip_at(0)?;
        while position != here {
            let Some(id) = position else { return Ok(None) };
            let step = self.index(id).and_then(|index| Ok((index, self.position_before(index)?)));
            let (index, before) = match step {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                step => step?,
            };
            line.push(self.actions[index].clone());
            position = before;
        }
        line.reverse();
        Ok(Some(line))
    }

    /// Reverts what the operations since a position changed in the history.
    pub fn history_edit(&mut self, position: Option<OperationId>) -> Result<HistoryEdit> {
        self.destination_for(position, None, Vec::new()).map(|destination| destination.history)
    }

    /// The action whose state is the current one. `None` means the state before the first action.
    pub fn position(&mut self) -> Result<Option<OperationId>> {
        self.position_at(0)
    }

    fn position_at(&mut self, index: usize) -> Result<Option<OperationId>> {
        let position = self.action(index)?.and_then(Action::position);
        self.action_of(position)
    }

    /// The position among the actions, for a position that may be an event.
    fn action_of(&mut self, mut position: Option<OperationId>) -> Result<Option<OperationId>> {
        while let Some(id) = position
            && !self.indexes.contains_key(&id)
        {
            match self.state_after(position) {
                Ok(state) if !self.indexes.contains_key(&id) => {
                    position = self.action(state)?.and_then(Action::position);
                }
                // The journal does not go back to it.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => break,
            }
        }
        Ok(position)
    }

    /// The tip of the line after the action at an index.
    fn tip_at(&mut self, index: usize) -> Result<Option<OperationId>> {
        let Some(action) = self.action(index)? else { return Ok(None) };
        let tip = action.last.undo_position.map_or(Some(action.id), |undo_position| undo_position.tip);
        self.action_of(tip)
    }

    /// The position of the state before the action at an index.
    fn position_before(&mut self, index: usize) -> Result<Option<OperationId>> {
        match self.action(index + 1)?.map(Action::position) {
            Some(position) => self.action_of(position),
            None if self.is_whole => Ok(None),
            None => Err(shortened()),
        }
    }

    fn destination_for(
        &mut self,
        position: Option<OperationId>,
        undo_position: Option<UndoPosition>,
        crossed: Vec<Action>,
    ) -> Result<Destination> {
        let end = self.state_after(position)?;
        let mut refs = self.refs.clone();
        let later = &self.actions[..end];
        let mut history = RevertedHistory::default();
        for operation in later.iter().flat_map(Action::operations) {
            refs.revert(operation);
            history.revert(&operation.history);
        }
        let worktree = match undo_position {
            Some(_) => self.left_in(end)?,
            None => later.iter().rev().find_map(|action| action.last.worktree).and_then(|(before, _)| before),
        };
        let (history, seen) = (history.into_edit(), self.newest);
        Ok(Destination {
            refs,
            history,
            worktree,
            undo_position,
            crossed,
            passed: Vec::new(),
            skipped: 0,
            gone: 0,
            interrupted: None,
            seen,
        })
    }

    /// The worktree that was last left in the stretch of a state. `None` if it is the current one.
    fn left_in(&mut self, state: usize) -> Result<Option<CommitId>> {
        if self.is_same_stretch(0, state)? {
            return Ok(None);
        }
        for index in 0.. {
            let Some(action) = self.action(index)? else { break };
            let Some((before, _)) = action.last.worktree else { continue };
            if self.is_same_stretch(index + 1, state)? {
                return Ok(before);
            }
        }
        Ok(None)
    }

    /// Whether two states share the worktree. Follows the newer one back until the two meet, so reads no further than that.
    fn is_same_stretch(&mut self, a: usize, b: usize) -> Result<bool> {
        let (mut newer, mut older) = (a.min(b), a.max(b));
        while newer != older {
            let Some(before) = self.before_in_stretch(newer)? else { return Ok(false) };
            (newer, older) = (before.min(older), before.max(older));
        }
        Ok(true)
    }

    /// An older state with the same worktree. `None` if the action changed the worktree.
    fn before_in_stretch(&mut self, state: usize) -> Result<Option<usize>> {
        let Some(action) = self.action(state)? else { return Ok(None) };
        let changes_worktree = action.last.worktree.is_some();
        let before = match action.last.undo_position {
            Some(UndoPosition { position, .. }) => self.state_after(position),
            None if changes_worktree => return Ok(None),
            None => return Ok(Some(state + 1)),
        };
        match before {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            before => Ok(Some(before?).filter(|before| *before > state)),
        }
    }
}

fn too_far(possible: usize, verb: &str) -> Error {
    let message = match possible {
        0 => format!("there is nothing to {verb}"),
        1 => format!("there is only 1 operation to {verb}"),
        possible => format!("there are only {possible} operations to {verb}"),
    };
    Error::new(ErrorKind::NotFound, message).hint("to list operations: undo op log")
}

/// Old segments of the journal may be gone.
fn shortened() -> Error {
    Error::new(ErrorKind::NotFound, "the journal has no older operations")
        .hint("to list operations: undo op log; to list commits: undo log")
}

fn unknown_operation(text: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no operation `{}`", text.escape_debug()))
        .hint("to list operations: undo op log")
}

#[cfg(test)]
mod tests;
