//! `undo` without a command: shows the position, the state, and what to do next. Changes nothing.

use std::borrow::Cow;

use crate::commands::{Context, copies};
use crate::error::{ErrorKind, Result};
use crate::report::changes::Tally;
use crate::report::refs::{Overview, Position};
use crate::terminal::text::describe;
use crate::workspace::DiffOptions;

/// Prints the overview.
pub fn run(context: &Context<'_>) -> Result<()> {
    let workspace = match context.workspace() {
        Err(error) if error.kind() == ErrorKind::NoRepository => {
            let next = ["undo init", "undo commit --init -m \"as it was\"", "undo help"].map(Cow::from).into();
            let state = format!("no repository here ({})", context.cwd.display());
            context.ui.show(&Overview {
                repository: false,
                position: None,
                clean: true,
                changes: 0,
                copies: Vec::new(),
                next,
                state,
            })?;
            return Ok(());
        }
        result => result?,
    };
    let differences = workspace.status(DiffOptions::default(), context.ui.progress())?;
    let tally = Tally::from(differences.count()?);
    if let Some(scan) = differences.scan() {
        context.warn_about_scan(scan);
    }
    let copies = copies::records(&workspace)?;
    let (repository, at) = (&workspace.repository, workspace.view().at());
    let next = match (at, tally.clean, repository.foreign()) {
        (_, _, Some(foreign)) => {
            [foreign.command("checkout --continue").into(), foreign.command("undo").into(), "undo status".into()]
        }
        _ if repository.unfinished().is_some() => {
            ["undo checkout --continue", "undo undo", "undo status"].map(Cow::from)
        }
        (None, ..) => ["undo commit -m \"as it was\"", "undo status", "undo help"].map(Cow::from),
        (Some(_), true, _) => ["undo show", "undo log", "undo help"].map(Cow::from),
        (Some(_), false, _) => ["undo diff", "undo commit", "undo log"].map(Cow::from),
    };
    let next = next.into();
    let state = if tally.clean { "clean".to_owned() } else { describe(&tally.counts) };
    let position = Some(Position::new(workspace.view(), differences.old_commit()));
    copies::warn(context, &copies);
    context.warn_if_automatic_waits(&workspace)?;
    copies::hint_first_push(context, &copies);
    context.ui.show(&Overview {
        repository: true,
        position,
        clean: tally.clean,
        changes: tally.counts.total(),
        copies,
        next,
        state,
    })
}
