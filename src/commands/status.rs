//! `undo status`: what differs between the current commit and the worktree.

use std::io;
use std::path::PathBuf;

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use crate::commands::changes::Style;
use crate::commands::sides::Side;
use crate::commands::{self, Context, complete};
use crate::diff;
use crate::error::{Exit, Result};
use crate::object::{Commit, Objects};
use crate::repo::Repository;
use crate::time::Timestamp;
use crate::ui::changes::Listing;
use crate::ui::{Page, Report, Role, sanitize};

/// Show what has changed since the current commit
///
/// Changed modification times alone do not count.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo status
  undo status --json data")]
pub struct Args {
    /// Show changed modification times too
    #[arg(long)]
    metadata: bool,
    /// Look only at these
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(complete::live_paths))]
    paths: Vec<PathBuf>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let repository = context.repository()?;
    let worktree = context.worktree(&repository)?;
    let paths = context.paths(&repository, &args.paths)?;
    let old = Side::commit(&repository, repository.view().at())?;
    let new = Side::live(context.ui, &repository, &worktree, &paths)?;
    let options = context.ui.options();
    if !options.json && !options.nul {
        context.ui.show(&Where::new(&repository)?)?;
    }
    let selected = diff::Options { mtimes: args.metadata, paths };
    let style = Style::List(Listing::Words);
    commands::changes::show(context, &repository, Some(&worktree), (&old, &new), &selected, style)?;
    if let Side::Live(scan) = &new {
        return Ok(context.tell_incomplete(&scan.uncovered, &scan.torn));
    }
    Ok(Exit::DONE)
}

/// The branch and the commit you are on.
#[derive(Serialize)]
pub struct Where {
    branch: String,
    id: String,
    #[serde(skip)]
    commit: Option<(String, Timestamp, String)>,
}

impl Where {
    pub fn new(repository: &Repository) -> Result<Where> {
        let view = repository.view();
        let at = view.at();
        let commit: Option<Commit> = at.map(|id| repository.store().commit(id)).transpose()?;
        let commit = at.zip(commit).map(|(id, commit)| {
            (id.short(), commit.time, commit.message.lines().next().unwrap_or_default().to_owned())
        });
        Ok(Where { branch: view.current.clone(), id: at.map(|id| id.to_string()).unwrap_or_default(), commit })
    }
}

impl Report for Where {
    const TYPE: &'static str = "where";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let branch = page.paint(Role::Branch, sanitize::name(self.branch.as_bytes()));
        match &self.commit {
            None => page.line(format_args!("on {branch}, no commits yet")),
            Some((short, time, subject)) => {
                let (id, age) = (page.paint(Role::Id, short), page.age(*time));
                let line = format!("on {branch} at {id}, {age}  {}", sanitize::name(subject.as_bytes()));
                page.line(line.trim_end())
            }
        }
    }
}
