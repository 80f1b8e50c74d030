//! Resolves the arguments of commands: directories, paths, patterns, revisions and times.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::commands::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::when::{self, Day};
use crate::history::{self, last_version};
use crate::id::CommitId;
use crate::message::Message;
use crate::path::selection::{PathSelection, is_pattern};
use crate::path::{RepoPath, RepoPathBuf};
use crate::quote::{shell_path, shell_word};
use crate::repo::Repository;
use crate::time::Timestamp;
use crate::workspace::Workspace;
use crate::worktree::paths::{self, has_magic};

impl Context<'_> {
    /// Resolves a path argument relative to the current directory. The result has no `.` and no trailing slash.
    pub fn place(&self, path: &Path) -> Result<PathBuf> {
        if self.is_removed && path.is_relative() {
            let message =
                format!("`{}` does not exist: the current directory of this shell was removed", path.display());
            return Err(Error::new(ErrorKind::Usage, message).hint(go_to(&self.cwd)));
        }
        Ok(self.cwd.join(path).components().collect())
    }

    /// Resolves path arguments to paths in the worktree.
    pub fn paths(&self, repository: &Repository, arguments: &[PathBuf]) -> Result<Vec<RepoPathBuf>> {
        arguments.iter().try_for_each(|path| self.place(path).map(drop))?;
        paths::resolve(&repository.layout.worktree, &self.cwd, arguments)
    }

    /// Parses the values of `--since` and `--until`.
    pub fn period(
        &self,
        since: &Option<String>,
        until: &Option<String>,
    ) -> Result<(Option<Timestamp>, Option<Timestamp>)> {
        let time = |text: &Option<String>, day| {
            text.as_ref().map(|text| when::parse(text, day, &self.environment)).transpose()
        };
        Ok((time(since, Day::Begin)?, time(until, Day::End)?))
    }

    /// Resolves an argument to a commit. If the argument is a path, the error suggests the command `instead`.
    pub fn commit(&self, repository: &Repository, text: &str, instead: &str) -> Result<CommitId> {
        history::resolve(repository, text).map_err(|error| {
            let is_path = || fs::exists(&self.cwd.join(text)).unwrap_or(false);
            match error.kind() == ErrorKind::NotFound && is_path() {
                true => error.hint(format!("to name a path: {instead} {}", shell_word(text.as_bytes()))),
                false => error,
            }
        })
    }

    /// Resolves paths, patterns and exclusions.
    pub fn selection(&self, workspace: &Workspace, arguments: &[PathBuf]) -> Result<PathSelection> {
        self.selection_in(workspace, arguments, &[])
    }

    /// Like [`Context::selection`], for arguments that may name paths of these commits.
    pub fn selection_in(
        &self,
        workspace: &Workspace,
        arguments: &[PathBuf],
        commits: &[CommitId],
    ) -> Result<PathSelection> {
        arguments.iter().try_for_each(|path| self.place(path).map(drop))?;
        workspace.select_paths(arguments, commits)
    }

    /// Splits words into revisions and paths. As in git, the paths begin at the first word that names no commit, and that is a
    /// pattern, or exists in the directory or in any commit.
    pub fn split_paths(&self, workspace: &Workspace, words: &[OsString]) -> (Vec<String>, Vec<PathBuf>) {
        let revisions: Vec<String> = words.iter().map_while(|word| self.as_revision(workspace, word)).collect();
        let paths = words[revisions.len()..].iter().map(PathBuf::from).collect();
        (revisions, paths)
    }

    /// The word, unless it is a path.
    fn as_revision(&self, workspace: &Workspace, word: &OsStr) -> Option<String> {
        let repository = &workspace.repository;
        let text = word.to_str().filter(|_| !has_magic(word.as_bytes()))?;
        let resolved = match history::resolve_range(repository, text) {
            Ok(None) => history::resolve(repository, text).map(drop),
            range => range.map(drop),
        };
        let is_path = match resolved {
            Ok(()) => false,
            Err(_) if is_pattern(word.as_bytes()) => true,
            Err(error) => error.kind() == ErrorKind::NotFound && self.is_known_path(workspace, word),
        };
        (!is_path).then(|| text.to_owned())
    }

    /// Whether a path exists in the directory, or was ever recorded.
    fn is_known_path(&self, workspace: &Workspace, word: &OsStr) -> bool {
        let is_recorded = || {
            let path = workspace.resolve_paths(&[PathBuf::from(word)]).ok()?.pop()?;
            last_version(&workspace.repository, &path).ok()?
        };
        fs::exists(&self.cwd.join(word)).unwrap_or(false) || is_recorded().is_some()
    }

    /// Resolves a word that [`Context::split_paths`] did not take for a path.
    pub fn revision(&self, workspace: &Workspace, text: &str) -> Result<CommitId> {
        let shown = text.escape_debug();
        history::resolve(&workspace.repository, text).map_err(|error| match error.hint_text() {
            _ if error.to_string() != format!("revision `{shown}` does not exist") => error,
            hint => {
                let message = format!("`{shown}` is neither a revision nor a path");
                let hint = hint.filter(|hint| hint.starts_with("did you mean") || hint.contains('@'));
                let lists = "to list commits: undo log; to list paths: undo ls -R";
                Error::new(ErrorKind::NotFound, message).hint(hint.unwrap_or_else(|| lists.to_owned()))
            }
        })
    }

    /// Resolves an argument to a commit and a path in it. An argument that is only a path means its last recorded version.
    pub fn commit_path(&self, workspace: &Workspace, text: &OsStr) -> Result<(CommitId, Option<RepoPathBuf>)> {
        history::resolve_path(&workspace.repository, text.as_bytes()).or_else(|error| {
            match self.last_recorded(workspace, text) {
                Some(found) if error.kind() == ErrorKind::NotFound => Ok(found),
                _ => Err(error),
            }
        })
    }

    /// The newest commit that has a path, and the path from the root.
    fn last_recorded(&self, workspace: &Workspace, text: &OsStr) -> Option<(CommitId, Option<RepoPathBuf>)> {
        let path = workspace.resolve_paths(&[PathBuf::from(text)]).ok()?.pop()?;
        let id = last_version(&workspace.repository, &path).ok()??;
        if Some(id) != workspace.view().at() {
            self.ui
                .status(format_args!("the current commit does not have it; the last one that does is {}", id.short()));
        }
        Some((id, Some(path)))
    }

    /// Adds the commit that last had the path which an error is about, or where it may be, as an argument of `command`.
    pub fn explain_missing(
        &self,
        workspace: &Workspace,
        error: Error,
        command: impl FnOnce(CommitId, &RepoPath) -> Message,
    ) -> Error {
        let [path] = error.path_list() else { return error };
        let path = path.clone();
        match last_version(&workspace.repository, &path) {
            Ok(Some(id)) if error.kind() == ErrorKind::NotFound => {
                error.hint(Message::from(format!("it was last in {}: ", id.short())) + command(id, &path))
            }
            Ok(None) if error.kind() == ErrorKind::NotFound => {
                let start = &workspace.repository.layout.start;
                let relative = start.join_path(&path);
                match last_version(&workspace.repository, &relative) {
                    Ok(Some(id)) if !start.is_root() => {
                        error.hint(Message::from("the current directory has this path: ") + command(id, &relative))
                    }
                    _ => error,
                }
            }
            _ => error,
        }
    }
}

pub(super) fn go_to(directory: &Path) -> String {
    format!("change to an existing directory: cd {}", shell_path(directory))
}
