//! The records of actions in `op log`, `op show` and the dry run of a step: which action is current, which are undone.

use std::collections::HashSet;

use crate::error::Result;
use crate::history::timeline::{Action, Timeline};
use crate::id::OperationId;
use crate::object::operation::View;
use crate::report::operations::{OperationRecord, OperationState};

/// The current position among the actions of a timeline.
pub struct OperationStates {
    position: Option<OperationId>,
    /// Actions that can be redone.
    undone: HashSet<OperationId>,
}

impl OperationStates {
    pub fn of(timeline: &mut Timeline, view: &View) -> Result<OperationStates> {
        let undone = timeline.ahead()?.into_iter().filter(|action| !action.is_still_purged(view));
        let undone = undone.map(|action| action.id).collect();
        Ok(OperationStates { position: timeline.position()?, undone })
    }

    pub fn record(&self, action: &Action) -> OperationRecord {
        let is_current = self.position == Some(action.id);
        let state = OperationState { is_current, is_undone: self.undone.contains(&action.id) };
        OperationRecord::new(&action.last, &action.before, state)
    }
}
