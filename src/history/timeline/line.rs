//! The line of actions and events that `undo` and `redo` step along.
//!
//! An event records the state of the directory at one point. It is not an action: it starts no line, and what was undone
//! before it can still be redone. A step back leads to the state before the last action, or to the last event whose state
//! differs from the directory, whichever is nearer; a step forward leads the same way back.

use std::collections::HashSet;

use super::{Action, Destination, Timeline, shortened, too_far};
use crate::error::Result;
use crate::id::{CommitId, OperationId};
use crate::object::operation::UndoPosition;

/// The state of the directory.
pub struct Here<'h> {
    /// A commit of it; `None` if no event has recorded it.
    pub commit: Option<CommitId>,
    /// Whether two commits have the same content.
    pub is_same: &'h dyn Fn(CommitId, CommitId) -> bool,
}

impl Here<'_> {
    /// A state that no event has recorded.
    pub const UNKNOWN: Here<'static> = Here { commit: None, is_same: &|a, b| a == b };
}

/// An action or an event, by its index among those that the timeline has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Action(usize),
    Event(usize),
}

/// The entries before and after the current position.
#[derive(Clone, Debug, Default)]
struct Line {
    /// Oldest first.
    back: Vec<Entry>,
    /// The next one last.
    ahead: Vec<Entry>,
    /// Whether the line begins with the first operation of the journal.
    is_complete: bool,
}

/// The position at which an action began a new line, and the entries that were ahead then, the next one last.
type Dropped = (Option<Entry>, Vec<Entry>);

/// A position on the line that steps lead to.
struct Walked {
    line: Line,
    crossed: Vec<Action>,
    /// The state of an event that was reached, or of an action crossed after it.
    worktree: Option<CommitId>,
    /// Whether an event was reached.
    has_events: bool,
}

impl Timeline {
    /// Leads `steps` actions or events back. [`ErrorKind::NotFound`](crate::error::ErrorKind::NotFound) if there are fewer.
    pub fn back(&mut self, steps: usize, here: &Here<'_>) -> Result<Destination> {
        let mut actions = steps + 1;
        loop {
            let line = self.line(actions)?;
            let is_complete = line.is_complete;
            match self.walk_back(line, steps, here)? {
                Some(walked) => return self.walked_to(walked),
                None if is_complete => return Err(shortened()),
                None => actions *= 2,
            }
        }
    }

    /// Leads `steps` undone actions or events forward. [`ErrorKind::NotFound`](crate::error::ErrorKind::NotFound) if there are
    /// fewer.
    pub fn forward(&mut self, steps: usize, here: &Here<'_>) -> Result<Destination> {
        let line = self.line(1)?;
        let walked = self.walk_forward(line, steps, here)?;
        self.walked_to(walked)
    }

    /// Whether the next steps back, or forward, depend on the state of the directory: there are events among them.
    pub fn depends_on_state(&mut self, is_back: bool, steps: usize) -> Result<bool> {
        let line = self.line(steps)?;
        let next = if is_back { &line.back } else { &line.ahead };
        Ok(next.iter().rev().take(steps).any(|entry| matches!(entry, Entry::Event(_))))
    }

    /// The state of the event at the current position. `None` if an action is there.
    pub fn event_here(&mut self) -> Result<Option<CommitId>> {
        Ok(match self.line(1)?.back.last() {
            Some(&Entry::Event(index)) => Some(self.event(index).0),
            _ => None,
        })
    }

    /// The current position: the newest action or event on the line that is not undone.
    pub fn cursor(&mut self) -> Result<Option<OperationId>> {
        self.cursor_at(0)
    }

    /// The position in the state after the action at an index.
    pub(super) fn cursor_at(&mut self, index: usize) -> Result<Option<OperationId>> {
        let position = self.action(index)?.and_then(Action::position);
        Ok(self.events_after(index).first().map(|(_, event)| event.id).or(position))
    }

    /// The events between the action at an index and the next one, newest first. That action must have been read.
    fn events_after(&self, index: usize) -> &[(usize, Action)] {
        let start = self.events.partition_point(|(newer, _)| *newer < index);
        let end = self.events.partition_point(|(newer, _)| *newer <= index);
        &self.events[start..end]
    }

    /// The events between the action at an index and the next one, newest first. That action must have been read.
    pub fn events_since(&self, index: usize) -> impl Iterator<Item = &Action> {
        self.events_after(index).iter().map(|(_, event)| event)
    }

    /// `None` if the line must be longer.
    fn walk_back(&mut self, line: Line, steps: usize, here: &Here<'_>) -> Result<Option<Walked>> {
        let mut walked = Walked { line, crossed: Vec::new(), worktree: None, has_events: false };
        let mut current = here.commit;
        for step in 0..steps {
            loop {
                let Some(&entry) = walked.line.back.last() else {
                    return match self.is_whole && walked.line.is_complete {
                        true => Err(too_far(step, "undo")),
                        false => Ok(None),
                    };
                };
                match entry {
                    Entry::Event(index) => {
                        let (commit, event) = self.event(index);
                        if current.is_none_or(|current| !(here.is_same)(current, commit)) {
                            walked.reach(event, commit);
                            current = Some(commit);
                            break;
                        }
                        walked.line.step_back();
                    }
                    Entry::Action(index) => {
                        walked.line.step_back();
                        walked.crossed.push(self.actions[index].clone());
                        if self.actions[index].last.worktree.is_some() {
                            walked.worktree = self.left_in(index + 1)?;
                            current = walked.worktree.or(here.commit);
                        }
                        break;
                    }
                }
            }
        }
        let is_there = !walked.line.back.is_empty() || self.is_whole && walked.line.is_complete;
        Ok(is_there.then_some(walked))
    }

    fn walk_forward(&mut self, line: Line, steps: usize, here: &Here<'_>) -> Result<Walked> {
        let mut walked = Walked { line, crossed: Vec::new(), worktree: None, has_events: false };
        let mut current = here.commit;
        for step in 0..steps {
            loop {
                let Some(&entry) = walked.line.ahead.last() else { return Err(too_far(step, "redo")) };
                match entry {
                    Entry::Event(index) => {
                        let (commit, event) = self.event(index);
                        if current.is_none_or(|current| !(here.is_same)(current, commit)) {
                            // What followed the event before is redone.
                            let named = match walked.line.back.last() {
                                Some(&Entry::Event(before)) => self.event(before).1,
                                _ => event,
                            };
                            walked.reach(named, commit);
                            current = Some(commit);
                            walked.line.step_forward();
                            break;
                        }
                        walked.line.step_forward();
                    }
                    Entry::Action(index) => {
                        walked.line.step_forward();
                        walked.crossed.push(self.actions[index].clone());
                        if self.actions[index].last.worktree.is_some() {
                            self.enter_stretch_after(index, &mut walked, here)?;
                            current = walked.worktree.or(here.commit);
                        }
                        break;
                    }
                }
            }
        }
        Ok(walked)
    }

    /// Restores the worktree after an action that is redone: the one that was last left there, except if the undo that left it began
    /// beyond an event after the action. Several single steps would have left the state of that event, and the next step redoes what
    /// followed it.
    fn enter_stretch_after(&mut self, index: usize, walked: &mut Walked, here: &Here<'_>) -> Result<()> {
        walked.worktree = self.left_in(index)?;
        if let (Some(left), Some(&Entry::Event(event))) = (walked.worktree, walked.line.ahead.last()) {
            let (recorded, _) = self.event(event);
            if !(here.is_same)(left, recorded) {
                walked.worktree = Some(recorded);
                walked.has_events = true;
            }
        }
        Ok(())
    }

    fn walked_to(&mut self, walked: Walked) -> Result<Destination> {
        let Walked { line, crossed, worktree, has_events } = walked;
        let position = line.back.last().map(|entry| self.id(*entry));
        let tip = line.ahead.first().map(|entry| self.id(*entry)).or(position);
        let destination = self.destination_for(position, Some(UndoPosition { position, tip }), crossed)?;
        Ok(if has_events { Destination { worktree, ..destination } } else { destination })
    }

    fn id(&self, entry: Entry) -> OperationId {
        match entry {
            Entry::Action(index) => self.actions[index].id,
            Entry::Event(index) => self.events[index].1.id,
        }
    }

    /// The state that an event has recorded, and its operation.
    fn event(&self, index: usize) -> (CommitId, Action) {
        let event = &self.events[index].1;
        let (_, commit) = event.last.worktree.expect("an event records a state");
        (commit, event.clone())
    }

    /// Follows the operations since some action to the current position. The line begins with at least this number of actions
    /// that were not steps, and with everything that the steps since name.
    fn line(&mut self, actions: usize) -> Result<Line> {
        let (count, is_complete) = self.find_start(actions)?;
        let mut line = Line { is_complete, ..Line::default() };
        let mut dropped: Vec<Dropped> = Vec::new();
        let newest_first: Vec<Entry> = self.entries(count, is_complete);
        for entry in newest_first.into_iter().rev() {
            let Entry::Action(index) = entry else {
                line.back.push(entry);
                continue;
            };
            match self.actions[index].last.undo_position {
                Some(undo_position) => self.follow(&mut line, undo_position, &dropped),
                None => {
                    dropped.push((line.back.last().copied(), std::mem::take(&mut line.ahead)));
                    line.back.push(entry);
                }
            }
        }
        Ok(line)
    }

    /// The number of newest actions to follow, and whether that is the whole journal.
    fn find_start(&mut self, actions: usize) -> Result<(usize, bool)> {
        let (mut named, mut needs_start, mut found) = (HashSet::new(), false, 0);
        for index in 0.. {
            let Some(action) = self.action(index)? else { return Ok((index, true)) };
            let (id, undo_position) = (action.id, action.last.undo_position);
            for (_, event) in self.events_after(index) {
                named.remove(&event.id);
            }
            named.remove(&id);
            match undo_position {
                Some(UndoPosition { position, tip }) => {
                    needs_start |= position.is_none();
                    named.extend(position.into_iter().chain(tip));
                }
                None => found += 1,
            }
            if undo_position.is_none() && found >= actions && named.is_empty() && !needs_start {
                return Ok((index + 1, false));
            }
        }
        unreachable!("the loop ends with the journal")
    }

    /// The newest `count` actions and the events since, newest first; with the events before all actions if `is_complete`.
    fn entries(&self, count: usize, is_complete: bool) -> Vec<Entry> {
        let (mut entries, mut events) = (Vec::new(), self.events.iter().enumerate().peekable());
        for index in 0..count {
            while let Some((at, _)) = events.next_if(|(_, (newer, _))| *newer <= index) {
                entries.push(Entry::Event(at));
            }
            entries.push(Entry::Action(index));
        }
        if is_complete {
            entries.extend(events.map(|(at, _)| Entry::Event(at)));
        }
        entries
    }

    /// Moves to the position of a step, and ends the line at its tip. `dropped` are the entries ahead when each action began a
    /// new line, with the position then: a step that undoes an interrupted command takes them up again.
    fn follow(&self, line: &mut Line, undo_position: UndoPosition, dropped: &[Dropped]) {
        let UndoPosition { position, tip } = undo_position;
        let is_at = |entry: &Entry, id: Option<OperationId>| Some(self.id(*entry)) == id;
        if !self.move_to(line, position, dropped) {
            // The journal does not go back to it.
            *line = Line { is_complete: line.is_complete, ..Line::default() };
        }
        let last = |ahead: &[Entry]| ahead.iter().position(|entry| is_at(entry, tip));
        if let Some(beyond) = last(&line.ahead) {
            line.ahead.drain(..beyond);
            return;
        }
        line.ahead.clear();
        let here = line.back.last().copied();
        let mut lines = dropped.iter().rev().filter(|(position, _)| *position == here && tip != undo_position.position);
        if let Some((ahead, beyond)) = lines.find_map(|(_, ahead)| Some((ahead, last(ahead)?))) {
            line.ahead.extend_from_slice(&ahead[beyond..]);
        }
    }

    /// Moves to a position, which may be on a line that an action has left. Returns `false` if no line leads there.
    fn move_to(&self, line: &mut Line, position: Option<OperationId>, dropped: &[Dropped]) -> bool {
        let is_there = |entry: &Entry| Some(self.id(*entry)) == position;
        if position.is_none() {
            while line.step_back() {}
            return true;
        }
        if line.back.iter().any(is_there) {
            while !line.back.last().is_some_and(is_there) && line.step_back() {}
            return true;
        }
        if !line.ahead.iter().any(is_there) {
            let left = dropped.iter().rev().find(|(_, ahead)| ahead.iter().any(is_there));
            let Some((start, ahead)) = left else { return false };
            // The start is older than what followed it, so this ends.
            if !self.move_to(line, start.map(|entry| self.id(entry)), dropped) {
                return false;
            }
            line.ahead.clone_from(ahead);
        }
        while !line.back.last().is_some_and(is_there) && line.step_forward() {}
        true
    }
}

impl Line {
    fn step_back(&mut self) -> bool {
        let entry = self.back.pop();
        self.ahead.extend(entry);
        entry.is_some()
    }

    fn step_forward(&mut self) -> bool {
        let entry = self.ahead.pop();
        self.back.extend(entry);
        entry.is_some()
    }
}

impl Walked {
    fn reach(&mut self, event: Action, commit: CommitId) {
        self.crossed.push(event);
        self.worktree = Some(commit);
        self.has_events = true;
    }
}
