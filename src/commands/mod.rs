//! One file a command: open, resolve, do, show.

mod branch;
mod cat;
mod commit;
pub mod complete;
pub mod completions;
mod contents;
mod diff;
mod help;
mod home;
mod init;
mod ls;
mod man;
mod refs;
mod sides;
mod status;
mod tag;

use std::path::{Path, PathBuf};

use crate::error::{ErrorKind, Exit, Result};
use crate::history;
use crate::id::CommitId;
use crate::object::commit::{Reason, Uncovered};
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::Repository;
use crate::ui::{Ui, commits};
use crate::worktree::{Worktree, paths};

/// What every command needs.
pub struct Context<'u> {
    /// Where it shows and says things.
    pub ui: &'u Ui,
    /// The directory that it was started in.
    pub cwd: PathBuf,
    /// The tree of commands.
    pub command_line: fn() -> clap::Command,
}

/// The commands. The first line of each one's documentation is its help.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Init(init::Args),
    Commit(commit::Args),
    #[command(visible_alias = "st")]
    Status(status::Args),
    Diff(diff::Args),
    Branch(branch::Args),
    Tag(tag::Args),
    Ls(ls::Args),
    Cat(cat::Args),
    Completions(completions::Args),
    Man(man::Args),
    Help(help::Args),
}

/// Runs a command; without one, says where you are.
pub fn run(context: &Context<'_>, command: Option<Command>) -> Result<Exit> {
    match command {
        None => home::run(context),
        Some(Command::Init(args)) => init::run(context, &args),
        Some(Command::Commit(args)) => commit::run(context, &args),
        Some(Command::Status(args)) => status::run(context, &args),
        Some(Command::Diff(args)) => diff::run(context, &args),
        Some(Command::Branch(args)) => branch::run(context, &args),
        Some(Command::Tag(args)) => tag::run(context, &args),
        Some(Command::Ls(args)) => ls::run(context, &args),
        Some(Command::Cat(args)) => cat::run(context, &args),
        Some(Command::Completions(args)) => completions::run(context, &args),
        Some(Command::Man(args)) => man::run(context, &args),
        Some(Command::Help(args)) => help::run(context, &args),
    }
}

impl Context<'_> {
    /// The repository at or above the current directory. Says so if a checkout in it did not end.
    pub fn repository(&self) -> Result<Repository> {
        let repository = Repository::discover(&self.cwd)?;
        if let Some(intent) = repository.unfinished() {
            let to = intent.to.short();
            self.ui.warning(format_args!(
                "a {} to {to} did not end; finish it with `undo checkout --continue`, or take it back with `undo undo`",
                intent.verb
            ));
        }
        Ok(repository)
    }

    /// The user's directory of a repository.
    pub fn worktree(&self, repository: &Repository) -> Result<Worktree> {
        Worktree::open(repository.layout.worktree.clone(), repository.config.cross_mounts)
    }

    /// Path arguments as paths in the worktree.
    pub fn paths(&self, repository: &Repository, arguments: &[PathBuf]) -> Result<Vec<RepoPathBuf>> {
        paths::resolve(&repository.layout.worktree, &self.cwd, arguments)
    }

    /// The commit that an argument names. If it names a path by mistake, `instead` is the command for paths.
    pub fn commit(&self, repository: &Repository, text: &str, instead: &str) -> Result<CommitId> {
        history::resolve(repository, text).map_err(|error| {
            let is_path = error.kind() == ErrorKind::NotFound
                && crate::fs::exists(&self.cwd.join(Path::new(text))).unwrap_or(false);
            if is_path { error.hint(format!("to name a path: {instead} {text}")) } else { error }
        })
    }

    /// Lists what a commit does not cover on stderr, and says whether that is a failure to record something.
    pub fn tell_uncovered(&self, uncovered: &[Uncovered], torn: &[RepoPathBuf]) -> Exit {
        let (unreadable, left_out): (Vec<_>, Vec<_>) =
            uncovered.iter().partition(|one| one.reason == Reason::Unreadable);
        let lines = |list: &[&Uncovered]| -> Vec<(RepoPathBuf, &'static str)> {
            list.iter().map(|one| (one.path.clone(), commits::reason_words(one.reason))).collect()
        };
        self.tell_paths("not recorded", &lines(&left_out));
        self.tell_paths("not recorded, since they cannot be read", &lines(&unreadable));
        let torn: Vec<_> = torn.iter().map(|path| (path.clone(), "")).collect();
        self.tell_paths("recorded while they were changing, so they may be a mix of two states", &torn);
        if unreadable.is_empty() && torn.is_empty() { Exit::DONE } else { Exit::INCOMPLETE }
    }

    fn tell_paths(&self, what: &str, paths: &[(RepoPathBuf, &'static str)]) {
        if paths.is_empty() {
            return;
        }
        let list: Vec<(&RepoPath, &str)> = paths.iter().map(|(path, reason)| (&**path, *reason)).collect();
        self.ui.warning_about(what, &list);
    }
}
