//! Bare `undo`: where you are, and what you can do next. Changes nothing.

use std::borrow::Cow;
use std::io;

use serde::Serialize;

use crate::commands::Context;
use crate::compare::{Comparison, Side};
use crate::diff;
use crate::error::{ErrorKind, Exit, Result};
use crate::report::Report;
use crate::report::changes::Tally;
use crate::report::place::Where;
use crate::terminal::{Page, Role, sanitize};

#[derive(Serialize)]
struct Home {
    repository: bool,
    #[serde(flatten)]
    place: Option<Where>,
    clean: bool,
    changes: u64,
    next: Vec<Cow<'static, str>>,
    #[serde(skip)]
    words: String,
}

pub fn run(context: &Context<'_>) -> Result<Exit> {
    let repository = match context.repository() {
        Err(error) if error.kind() == ErrorKind::NoRepository => {
            let next = ["undo init", "undo commit --init -m \"as it was\"", "undo help"].map(Cow::from).into();
            let words = format!("no repository here ({})", context.cwd.display());
            context.ui.show(&Home { repository: false, place: None, clean: true, changes: 0, next, words })?;
            return Ok(Exit::DONE);
        }
        result => result?,
    };
    let worktree = context.worktree(&repository)?;
    let at = repository.view().at();
    let old = Side::commit(&repository, at)?;
    let new = Side::live(&repository, &worktree, &[], context.ui.progress())?;
    let comparison = Comparison { repository: &repository, worktree: Some(&worktree), old: &old, new: &new };
    let tally = Tally::from(comparison.changes(&diff::Options::default(), &mut |_| Ok(()))?);
    if let Side::Live(scan) = &new {
        context.warn_about_rules(&scan.ignore_warnings);
        context.warn_about_index(scan);
    }
    let next = match (at, tally.clean, repository.foreign()) {
        (_, _, Some(foreign)) => {
            [foreign.command("checkout --continue").into(), foreign.command("undo").into(), "undo status".into()]
        }
        _ if repository.unfinished().is_some() => {
            ["undo checkout --continue", "undo undo", "undo status"].map(Cow::from)
        }
        (None, ..) => ["undo commit -m \"as it was\"", "undo status", "undo help"].map(Cow::from),
        (Some(_), true, _) => ["undo show", "undo log", "undo help"].map(Cow::from),
        (Some(_), false, _) => ["undo diff", "undo commit", "undo checkout @"].map(Cow::from),
    };
    let next = next.into();
    let words = if tally.clean { "clean".to_owned() } else { tally.words() };
    let place = Some(Where::new(repository.view(), old.as_commit()));
    context.ui.show(&Home {
        repository: true,
        place,
        clean: tally.clean,
        changes: tally.counts.total(),
        next,
        words,
    })?;
    Ok(Exit::DONE)
}

impl Report for Home {
    const TYPE: &'static str = "home";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if let Some(place) = &self.place {
            place.human(page)?;
        }
        page.line(&self.words)?;
        page.line("")?;
        let next: Vec<String> = self.next.iter().map(|command| sanitize::text(command).to_string()).collect();
        let width = next.iter().map(|command| command.chars().count()).max().unwrap_or(0).max(34);
        for command in &next {
            page.line(format_args!("  {command:<width$}  {}", page.paint(Role::Dim, purpose(command))))?;
        }
        Ok(())
    }
}

fn purpose(command: &str) -> &'static str {
    match command.split(' ').nth(1).unwrap_or_default() {
        _ if command.ends_with(" --continue") => "finish what was interrupted",
        _ if command.ends_with(" undo") => "take it back",
        "init" => "start to record this directory",
        "commit" => "record it all as it is now",
        "status" => "what would be recorded",
        "diff" => "what has changed",
        "checkout" => "take all changes back (they are saved first)",
        "show" => "what the last commit changed",
        "log" => "what was recorded",
        _ => "all commands",
    }
}
