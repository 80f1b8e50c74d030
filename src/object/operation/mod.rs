//! Operations, and what goes with them in the journal: the view that they lead to, the intent that comes before.

mod action;
mod intent;
mod travel;
mod view;

pub use action::{NewCommit, Operation, RefEdit, RefName};
pub use intent::Intent;
pub use travel::{Travel, extras};
pub use view::View;
