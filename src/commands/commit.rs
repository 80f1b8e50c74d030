//! `undo commit`: records the worktree.

use std::io;
use std::path::{Path, PathBuf};

use clap_complete::engine::ArgValueCompleter;
use serde::Serialize;

use crate::commands::{Context, complete, init, sides};
use crate::diff;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::fs;
use crate::metadata::Kind;
use crate::path::RepoPathBuf;
use crate::repo::Repository;
use crate::repo::layout::marker;
use crate::snapshot::{self, Outcome};
use crate::ui::changes::Tally;
use crate::ui::commits::{JsonUncovered, json_uncovered};
use crate::ui::human::Size;
use crate::ui::{JsonPath, Page, Report, Role, json_paths};
use crate::worktree::paths;

/// Record the directory as it is now
///
/// All of it, or only PATHs and the rest as it was. Nothing is written outside `.undo`.
/// If nothing has changed, no commit is made, and that is no failure.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo commit -m \"before the upgrade\"
  undo commit && ./risky-script
  undo commit --init          start a repository here if there is none")]
pub struct Args {
    /// Why
    #[arg(short, long, value_name = "MSG", default_value = "", hide_default_value = true)]
    message: String,
    /// Start a repository in the current directory if there is none
    #[arg(long)]
    init: bool,
    /// Only show how much would be recorded
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// Record only these; the rest stays as in the last commit
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(complete::live_paths))]
    paths: Vec<PathBuf>,
}

#[derive(Serialize)]
struct Committed {
    id: String,
    branch: String,
    created: bool,
    added: u64,
    modified: u64,
    deleted: u64,
    files: u64,
    bytes: u64,
    bytes_read: u64,
    bytes_stored: u64,
    uncovered: Vec<JsonUncovered>,
    torn: Vec<JsonPath>,
    #[serde(skip)]
    short: String,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<Exit> {
    let mut repository = open(context, args)?;
    let worktree = context.worktree(&repository)?;
    let paths = context.paths(&repository, &args.paths)?;
    if args.dry_run {
        return plan(context, &repository, &paths);
    }
    let message = args.message.clone();
    let options = snapshot::Options { message, paths, verb: "commit".to_owned(), ..snapshot::Options::default() };
    let mut transaction = repository.begin()?;
    let (outcome, _) = snapshot::take(&mut transaction, &worktree, &options, context.ui.progress())?;
    drop(transaction);
    let committed = Committed::new(&outcome, &repository);
    context.ui.outcome(&committed)?;
    context.tell_damage(outcome.damage.as_deref());
    let exit = context.tell_incomplete(&outcome.uncovered, &outcome.torn);
    if outcome.created {
        context.tell_left_out(&outcome.uncovered);
        context.ui.hint(format_args!("come back to this state: undo checkout {}", committed.short));
    }
    Ok(exit)
}

fn open(context: &Context<'_>, args: &Args) -> Result<Repository> {
    match context.repository() {
        Err(error) if error.kind() == ErrorKind::NoRepository && args.init => {
            let here = context.place(Path::new("."))?;
            if fs::stat(&marker(&here))?.is_some_and(|stat| stat.kind == Kind::File) {
                // The store that it names is not there: no reason to make another one.
                return Err(error);
            }
            // Nothing is made for a mistyped path.
            for path in paths::resolve(&here, &here, &args.paths)? {
                if !fs::exists(&here.join(path.as_path()))? {
                    return Err(Error::new(ErrorKind::NotFound, format!("no `{}` here", path.display()))
                        .hint("name what is there, or nothing for all of it"));
                }
            }
            init::make(context, &here, None)
        }
        result => result,
    }
}

fn plan(context: &Context<'_>, repository: &Repository, paths: &[RepoPathBuf]) -> Result<Exit> {
    let worktree = context.worktree(repository)?;
    let old = sides::Side::commit(repository, repository.view().at())?;
    let new = sides::Side::live(context.ui, repository, &worktree, paths)?;
    let options = diff::Options { paths: paths.to_vec(), ..diff::Options::default() };
    let mut tally = Tally::new();
    sides::compare(repository, (&old, &new), &options, &mut |change| {
        tally.count(change.status);
        Ok(())
    })?;
    context.ui.show(&tally)?;
    Ok(Exit::DONE)
}

impl Committed {
    fn new(outcome: &Outcome, repository: &Repository) -> Committed {
        Committed {
            id: outcome.commit.map(|id| id.to_string()).unwrap_or_default(),
            branch: repository.view().current.clone(),
            created: outcome.created,
            added: outcome.changes.added,
            modified: outcome.changes.modified,
            deleted: outcome.changes.deleted,
            files: outcome.totals.files,
            bytes: outcome.totals.bytes,
            bytes_read: outcome.bytes_read,
            bytes_stored: outcome.bytes_stored,
            uncovered: json_uncovered(&outcome.uncovered),
            torn: json_paths::<&RepoPathBuf>(&outcome.torn),
            short: outcome.commit.map(|id| id.short()).unwrap_or_default(),
        }
    }
}

impl Report for Committed {
    const TYPE: &'static str = "commit";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let id = page.paint(Role::Id, &self.short);
        match (self.created, self.id.is_empty()) {
            (false, true) => page.line("nothing to record"),
            (false, false) => page.line(format_args!("nothing new since {id}")),
            (true, _) => page.line(format_args!(
                "{} {id}  {} added, {} modified, {} deleted  ({} read, {} stored)",
                page.paint(Role::Branch, &self.branch),
                self.added,
                self.modified,
                self.deleted,
                Size(self.bytes_read),
                Size(self.bytes_stored)
            )),
        }
    }
}
