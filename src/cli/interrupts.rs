//! What is said when a signal ends a command that changes something: the state, and what to do next.

use crate::error::{Error, ErrorKind, Exit};
use crate::fs::{self, Reached};
use crate::terminal::Ui;

/// Lets a signal be answered as failures are told.
pub(super) fn answer(ui: &Ui) {
    fs::on_interrupt(|how_far, signal| match error(how_far) {
        Some(error) => ui.last_words(&error.ends_with(Exit::signal(signal))),
        None => String::new(),
    });
}

fn error(how_far: Reached) -> Option<Error> {
    let (message, hint) = match how_far {
        Reached::Nothing => return None,
        Reached::Begun => ("nothing was recorded, and the directory is as it was", ""),
        Reached::Opened => (
            "nothing was recorded, and directories that were not accessible are now open to you",
            "the next `undo checkout` sets their modes back",
        ),
        Reached::Ran => ("what the command did is in the directory, not recorded", "record it with `undo commit`"),
        Reached::Recording => ("the record was being written", "see whether it was: undo op log -n 1"),
        Reached::Halfway => (
            "the directory is between two states",
            "finish it with `undo checkout --continue`, or take it back with `undo undo`",
        ),
        Reached::Recorded => ("all was recorded before that", "see it with `undo op log -n 1`"),
    };
    let error = Error::new(ErrorKind::Interrupted, format!("interrupted: {message}"));
    Some(if hint.is_empty() { error } else { error.hint(hint) })
}
