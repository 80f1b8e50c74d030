//! Operations, and other records of the journal: refs, and intents of checkouts.

mod action;
mod history_edit;
mod intent;
mod refs;
mod undo_position;
mod verb;

pub use action::{BRANCHES, NewCommit, Operation, PARTIAL, RefEdit, RefName, TAGS};
pub use history_edit::{
    Forgotten, ForgottenCommit, ForgottenCommits, HistoryEdit, Purged, PurgedBlob, forgotten_count, kept_parents,
};
pub use intent::Intent;
pub use refs::{Refs, View};
pub use undo_position::UndoPosition;
pub use verb::Verb;
