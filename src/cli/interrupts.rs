//! The message printed when a signal interrupts a command: the state, and what to do next.

use crate::environment::{Environment, Phase};
use crate::error::{Error, ErrorKind, Exit};
use crate::fs;
use crate::terminal::Ui;

/// Prints the message before the signal ends the process.
pub(super) fn install(ui: &Ui, environment: &Environment) {
    fs::on_interrupt(environment, |phase, signal| match error(phase) {
        Some(error) => ui.error_text(&error.ends_with(Exit::signal(signal))),
        None => String::new(),
    });
}

fn error(phase: Phase) -> Option<Error> {
    let (message, hint) = match phase {
        Phase::Idle => return None,
        Phase::Locked => ("nothing was recorded, and the directory is unchanged", ""),
        Phase::DirectoriesOpened => (
            "nothing was recorded, and some inaccessible directories are now accessible to you",
            "the next `undo checkout` restores their modes",
        ),
        Phase::CommandRan => {
            ("the changes of the command are in the directory but not recorded", "record it with `undo commit`")
        }
        Phase::Recording => ("the operation was being recorded", "to see whether it was recorded: undo op log -n 1"),
        Phase::Applying => (
            "the directory is half old, half new",
            "finish it with `undo checkout --continue`, or undo it with `undo undo`",
        ),
        Phase::Collecting => ("nothing is lost", "run it again: undo gc"),
        Phase::Recorded => ("the operation was already recorded", "to see it: undo op log -n 1"),
    };
    let error = Error::new(ErrorKind::Interrupted, format!("interrupted: {message}"));
    Some(if hint.is_empty() { error } else { error.hint(hint) })
}
