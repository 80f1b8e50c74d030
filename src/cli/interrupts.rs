//! What is said when a signal ends a command that changes something: the state, and what to do next.

use crate::environment::{Environment, Phase};
use crate::error::{Error, ErrorKind, Exit};
use crate::fs;
use crate::terminal::Ui;

/// Lets a signal be answered as failures are told.
pub(super) fn answer(ui: &Ui, environment: &Environment) {
    fs::on_interrupt(environment, |phase, signal| match error(phase) {
        Some(error) => ui.error_text(&error.ends_with(Exit::signal(signal))),
        None => String::new(),
    });
}

fn error(phase: Phase) -> Option<Error> {
    let (message, hint) = match phase {
        Phase::Idle => return None,
        Phase::Locked => ("nothing was recorded, and the directory is as it was", ""),
        Phase::DirectoriesOpened => (
            "nothing was recorded, and directories that were not accessible are now open to you",
            "the next `undo checkout` sets their modes back",
        ),
        Phase::CommandRan => ("what the command did is in the directory, not recorded", "record it with `undo commit`"),
        Phase::Recording => ("the record was being written", "see whether it was: undo op log -n 1"),
        Phase::Applying => (
            "the directory is between two states",
            "finish it with `undo checkout --continue`, or take it back with `undo undo`",
        ),
        Phase::Recorded => ("all was recorded before that", "see it with `undo op log -n 1`"),
    };
    let error = Error::new(ErrorKind::Interrupted, format!("interrupted: {message}"));
    Some(if hint.is_empty() { error } else { error.hint(hint) })
}
