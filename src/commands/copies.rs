//! The copies of the history in targets, for `status` and the overview.

use crate::commands::Context;
#[cfg(feature = "targets")]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::report::copies::CopyRecord;
use crate::terminal::human::age;
use crate::terminal::text::behind;
use crate::workspace::Workspace;

/// The copies, in the order of the settings. None if another user, who does not share what is known of them, owns the repository.
#[cfg(feature = "targets")]
pub fn records(workspace: &Workspace) -> Result<Vec<CopyRecord>> {
    match workspace.copies() {
        Err(error) if error.kind() == ErrorKind::Permission => Ok(Vec::new()),
        copies => Ok(copies?.iter().map(CopyRecord::new).collect()),
    }
}

/// Without targets there are no copies.
#[cfg(not(feature = "targets"))]
pub fn records(_: &Workspace) -> Result<Vec<CopyRecord>> {
    Ok(Vec::new())
}

/// Says how to make the first copy.
pub fn hint_first_push(context: &Context<'_>, copies: &[CopyRecord]) {
    if let [first, ..] = copies
        && copies.iter().all(|copy| copy.state.pushed.is_none())
    {
        context.ui.hint(format!("to copy the history there: undo push {}", first.target));
    }
}

/// Warns about copies that are too old, and about missing drills.
pub fn warn(context: &Context<'_>, copies: &[CopyRecord]) {
    let ui = context.ui;
    let age = |time| age(time, &context.environment);
    for CopyRecord { target, state } in copies {
        if let Some(pushed) = state.pushed.filter(|_| state.overdue) {
            ui.warning(format!(
                "the copy on {target} is {}; the last complete push was {}",
                behind(state),
                age(pushed)
            ));
            ui.hint(format!("to copy the history there: undo push {target}"));
        }
        if state.drill_overdue {
            ui.warning(match state.drilled {
                Some(drilled) => format!("the last drill of {target} was {}", age(drilled)),
                None => format!("no drill has shown yet that the copy on {target} can be restored"),
            });
            ui.hint(format!("to restore the copy into a temporary directory and compare it: undo drill {target}"));
        }
    }
}
