//! Operations, and other records of the journal: views, and intents of checkouts.

mod action;
mod intent;
mod undo_position;
mod verb;
mod view;

pub use action::{BRANCHES, NewCommit, Operation, RefEdit, RefName, TAGS};
pub use intent::Intent;
pub use undo_position::{UndoPosition, extras, intent_extras};
pub use verb::Verb;
pub use view::View;
