//! Operations, and other records of the journal: refs, and intents of checkouts.

mod action;
mod intent;
mod refs;
mod undo_position;
mod verb;

pub use action::{BRANCHES, NewCommit, Operation, RefEdit, RefName, TAGS};
pub use intent::Intent;
pub use refs::{Refs, View};
pub use undo_position::{UndoPosition, extras, intent_extras};
pub use verb::Verb;
