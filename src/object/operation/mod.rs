//! Operations, and what goes with them in the journal: the view that they lead to, the intent that comes before.

mod action;
mod intent;
mod travel;
mod view;

pub use action::{BRANCHES, NewCommit, Operation, RefEdit, RefName, TAGS};
pub use intent::Intent;
pub use travel::{Travel, extras, intent_extras};
pub use view::View;
