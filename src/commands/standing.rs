//! Where operations stand: what `op log` and a dry run say of them alike.

use std::collections::HashSet;

use crate::error::Result;
use crate::history::timeline::{Action, Timeline};
use crate::id::OperationId;
use crate::report::operations::Standing;

/// What is needed to tell it of any.
pub struct Standings {
    position: Option<OperationId>,
    /// Those that can be done again.
    ahead: HashSet<OperationId>,
}

impl Standings {
    pub fn of(timeline: &mut Timeline) -> Result<Standings> {
        let ahead = timeline.ahead()?.into_iter().map(|action| action.id).collect();
        Ok(Standings { position: timeline.position()?, ahead })
    }

    pub fn get(&self, action: &Action) -> Standing {
        Standing { is_current: self.position == Some(action.id), is_taken_back: self.ahead.contains(&action.id) }
    }
}
