//! The context of a command: opens the repository, resolves arguments, and reports warnings.

mod arguments;
mod warnings;

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::quote::shell_path;
use crate::repo::Repository;
use crate::repo::layout::{Layout, marker};
use crate::terminal::Ui;
use crate::workspace::{Workspace, notice, stores};

pub use warnings::Remedies;

/// The context of a command.
pub struct Context<'u> {
    /// Prints data and messages.
    pub ui: &'u Ui,
    /// The current directory, or its nearest existing ancestor.
    pub cwd: PathBuf,
    /// Clock, author, arguments and durability.
    pub environment: Environment,
    /// Whether the current directory of the shell was removed.
    pub is_removed: bool,
    /// The tree of commands.
    pub command_line: fn() -> clap::Command,
}

impl Context<'_> {
    /// [`ErrorKind::Usage`] for `-z`: the command prints nothing that it could end with NUL. `instead` is for scripts.
    pub fn check_no_null(&self, instead: &str) -> Result<()> {
        if !self.ui.options().nul || self.ui.options().json {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Usage, "`-z` has no effect on this output").hint(instead))
    }

    /// Opens the repository at or above the current directory. Warns about a checkout that is running or unfinished.
    pub fn repository(&self) -> Result<Repository> {
        let mut repository = self.repository_to_finish()?;
        self.report_checkout(&mut repository)?;
        Ok(repository)
    }

    /// Warns about a checkout that is running or unfinished, here or in another directory of the repository.
    pub fn report_checkout(&self, repository: &mut Repository) -> Result<()> {
        self.report_notices(&notice::of_checkouts(repository)?);
        Ok(())
    }

    /// Like [`Context::workspace`], for commands that finish a checkout: does not warn about it.
    pub fn workspace_to_finish(&self) -> Result<Workspace> {
        Workspace::of(self.repository_to_finish()?, self.cwd.clone())
    }

    /// Like [`Context::repository`], for commands that finish a checkout: does not warn about it.
    pub fn repository_to_finish(&self) -> Result<Repository> {
        if self.is_removed {
            self.warn_directory_removed(&self.cwd);
        }
        let repository = Repository::discover(&self.cwd, self.environment.clone())
            .map_err(|error| self.explain_missing_repository(error))?;
        self.ui.print_paths_from(repository.layout.start.clone());
        self.report_notices(&notice::of_repository(&repository));
        Ok(repository)
    }

    /// Hints at the history of a directory that was removed, or whose file `.undo` is missing.
    fn explain_missing_repository(&self, error: Error) -> Error {
        // A file `.undo` that names a missing store has a hint already.
        let is_unattached = || self.cwd.ancestors().all(|above| !fs::exists(&marker(above)).unwrap_or(true));
        if error.kind() != ErrorKind::NoRepository || !is_unattached() {
            return error;
        }
        let find = |directory: &Path| stores::lost_directory(directory, &self.environment);
        let here = self.is_removed.then(fs::removed_dir).flatten();
        let Some(lost) = here.and_then(|here| find(&here)).or_else(|| find(&self.cwd)) else { return error };
        let word = shell_path(&lost.path);
        let list = if lost.has_others { ", or list all: undo stores" } else { "" };
        error.hint(match lost.exists {
            true => {
                format!(
                    "a directory that was here has a history outside; to continue it: undo stores adopt {word}{list}"
                )
            }
            false => format!("to revive a directory that was removed: undo revive {word}{list}"),
        })
    }

    /// Explains a permission error if other users own files in the repository.
    pub fn explain_owners(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Permission {
            return error;
        }
        match Layout::discover(&self.cwd) {
            Ok(layout) => layout.explain_owners(error),
            Err(_) => error,
        }
    }

    /// Opens the workspace at or above the current directory. Warns like [`Context::repository`].
    pub fn workspace(&self) -> Result<Workspace> {
        Workspace::of(self.repository()?, self.cwd.clone())
    }
}
