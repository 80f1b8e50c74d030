//! Recreates a missing directory from its store outside.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir};
use crate::id::{CommitId, DirectoryId};
use crate::metadata::Kind;
use crate::object::operation::Verb;
use crate::object::{Mark, Objects};
use crate::path::{REPOSITORY, RepoPathBuf};
use crate::progress::Progress;
use crate::quote::{shell_path, shell_word};
use crate::repo::layout::Layout;
use crate::repo::staged_markers::remove_staged_markers;
use crate::repo::{Joining, Repository};
use crate::time::Timestamp;
use crate::workspace::request::Request;
use crate::workspace::{CheckoutMode, CheckoutOutcome, Workspace};

use super::adopt::{Found, check_owner, find, newer_history};

/// How to revive a directory.
#[derive(Clone, Debug, Default)]
pub struct ReviveOptions {
    /// The former path of the directory, or the path of its store. `None` if the directory was at the same path.
    pub from: Option<PathBuf>,
    /// As root, also restore owners, set-id bits, capabilities and devices recorded by another user.
    pub trust_owner: bool,
}

/// A directory that was revived.
pub struct Revived {
    /// The workspace of the directory.
    pub workspace: Workspace,
    /// Path of the store.
    pub store: PathBuf,
    /// The former path of the directory.
    pub former: PathBuf,
    /// The state that was restored.
    pub commit: CommitId,
    /// The time of the state.
    pub time: Timestamp,
    /// Alarms about the state.
    pub alarms: Vec<Mark>,
    /// Other stores that have a history of the former path, newest first.
    pub others: Vec<PathBuf>,
    /// Whether an interrupted call was continued.
    pub is_continued: bool,
    /// What was written.
    pub checkout: CheckoutOutcome,
}

impl Workspace {
    /// Creates a directory with the last recorded state of one that is missing, and continues its history there. Automatic commits count; the
    /// branch stays where it was. The directory must be missing or empty, or have an unfinished call of this function, which is
    /// continued.
    ///
    /// [`ErrorKind::NotFound`] if no store has its history, [`ErrorKind::Refused`] if that directory still exists.
    pub fn revive(
        directory: &Path,
        options: &ReviveOptions,
        environment: Environment,
        progress: &dyn Progress,
    ) -> Result<Revived> {
        let mode = CheckoutMode { trust_owner: options.trust_owner, ..CheckoutMode::default() };
        let names = remove_staged_markers(directory)?;
        let is_attached = names.contains(&REPOSITORY.to_vec());
        let (repository, found) = match is_attached {
            true => {
                let other = options.from.as_deref().map(|from| find(directory, Some(from), &environment));
                let repository = reopen(directory, names.len() == 1, environment)?;
                // After an interruption, the attached store no longer has the former path.
                if let Some(Ok(Found { store, .. })) = other {
                    check_attached_to(&repository, &store.path)?;
                }
                (repository, None)
            }
            false if names.is_empty() => {
                let (repository, found) = attach(directory, options.from.as_deref(), environment)?;
                (repository, Some(found))
            }
            false => return Err(not_empty(directory)),
        };
        let is_continued = found.is_none();
        let environment = &repository.environment;
        let newer = found.as_ref().and_then(|found| newer_history(&found.store, &found.directory.path, environment));
        let (former, others) = match found {
            Some(found) => (found.directory.path, found.others),
            None => (repository.layout.worktree.clone(), Vec::new()),
        };
        let store = repository.layout.repository.clone();
        let resumed = repository.unfinished().map(|intent| intent.to);
        let commit = resumed.or_else(|| last_state(&repository)).ok_or_else(|| no_commits(&store))?;
        // Before the directory changes: no error may follow a finished checkout.
        let restored = repository.store().commit(commit)?;
        let at = repository.view().at();
        let mut workspace = Workspace::of(repository, directory.to_owned())?;
        workspace.notices.extend(newer);
        let prepared = if resumed.is_some() {
            workspace.prepare_continue(mode, progress)?
        } else {
            // The branch does not follow to an automatic commit beside it.
            let paths = if at == Some(commit) { Vec::new() } else { vec![RepoPathBuf::default()] };
            workspace.prepare(Request { paths, ..Request::new(Some(commit), Verb::Revive, mode) }, progress)?
        };
        let checkout = prepared.apply(progress)?;
        let (time, alarms) = (restored.time, restored.marks());
        Ok(Revived { workspace, store, former, commit, time, alarms, others, is_continued, checkout })
    }
}

/// [`ErrorKind::Refused`] if a directory is attached to another store than the one that the user named.
fn check_attached_to(repository: &Repository, store: &Path) -> Result<()> {
    let layout = &repository.layout;
    if fs::is_same_dir(&layout.repository, store)? {
        return Ok(());
    }
    let (directory, attached) = (layout.worktree.display(), layout.repository.display());
    let message = format!("`{directory}` is attached to the store `{attached}`, not to `{}`", store.display());
    Err(Error::new(ErrorKind::Refused, message)
        .hint(format!("to detach it, which keeps that history: rm {}", shell_path(&layout.marker()))))
}

/// Creates the directory and attaches it to the store of the lost one. Checks everything that needs no directory before.
fn attach(directory: &Path, from: Option<&Path>, environment: Environment) -> Result<(Repository, Found)> {
    if fs::exists(directory)? && fs::target_kind(directory)? != Some(Kind::Directory) {
        let message = format!("`{}` already exists and is not a directory", directory.display());
        return Err(Error::new(ErrorKind::Exists, message).hint("name a directory, or a new one"));
    }
    let found = find(directory, from, &environment)?;
    let (store, known) = (&found.store, &found.directory);
    if !fs::exists(directory)? {
        check_user(&store.path)?;
    }
    if !known.is_missing {
        let path = known.path.display();
        let message = format!("`{path}` still exists and uses the store `{}`", store.path.display());
        return Err(Error::new(ErrorKind::Refused, message)
            .hint(format!("to get an older state of it: undo -C {} log", shell_path(&known.path))));
    }
    let lost = Repository::open_detached(&store.path, known.id, environment.clone())?;
    if last_state(&lost).is_none() {
        return Err(no_commits(&store.path));
    }
    drop(lost);
    let missing: Vec<PathBuf> =
        directory.ancestors().take_while(|path| !fs::exists(path).unwrap_or(true)).map(Path::to_owned).collect();
    fs::create_dir_all(directory)?;
    match attach_created(directory, &store.path, known.id, environment) {
        Ok(repository) => Ok((repository, found)),
        Err(error) => {
            for path in missing {
                let _ = fs::remove_empty_dir(&path);
            }
            Err(error)
        }
    }
}

/// [`ErrorKind::Refused`] if the store belongs to another user than the directory that is about to be created.
fn check_user(store: &Path) -> Result<()> {
    let (owner, user) = (Dir::open(store)?.stat_self()?.metadata.uid, fs::effective_uid());
    if owner == user {
        return Ok(());
    }
    let (owner, user) = (fs::name_of_user(owner), fs::name_of_user(user));
    let message = format!("the store `{}` belongs to `{owner}`, not to `{user}`", store.display());
    Err(Error::new(ErrorKind::Refused, message)
        .hint(format!("run it as the owner: sudo -u {} undo revive DIR", shell_word(owner.as_bytes()))))
}

fn attach_created(directory: &Path, store: &Path, id: DirectoryId, environment: Environment) -> Result<Repository> {
    check_owner(directory, store)?;
    if let Some(parent) = directory.parent() {
        fs::sync_dir(parent, environment.durability())?;
    }
    Repository::attach(directory, store, id, &Joining::Ask, environment)
}

/// Opens the repository of a directory in which an earlier call was interrupted: the directory is empty, or its checkout is
/// unfinished.
fn reopen(directory: &Path, is_empty: bool, environment: Environment) -> Result<Repository> {
    let layout = Layout::at(&fs::canonicalize(directory)?)?.ok_or_else(|| not_empty(directory))?;
    let repository = Repository::open(layout, environment)?;
    repository.membership().check(&repository.layout)?;
    let is_revived = repository.unfinished().is_some_and(|intent| intent.verb == Verb::Revive);
    if is_revived || is_empty && repository.layout.is_elsewhere() {
        return Ok(repository);
    }
    let (error, directory) = (not_empty(directory), shell_path(directory));
    Err(match repository.unfinished() {
        Some(_) => error.hint(format!("to finish the checkout in it: undo -C {directory} checkout --continue")),
        None => error.hint(format!("it has a repository: undo -C {directory} status")),
    })
}

/// The last state of the directory that the history has, which may be an automatic commit beside the branch. Without operations, the
/// commit of the branch.
fn last_state(repository: &Repository) -> Option<CommitId> {
    let view = repository.view();
    let is_kept = |id: &CommitId| !view.forgotten.contains_key(id) && repository.store().commit(*id).is_ok();
    // Older operations may be damaged or gone; the branch is in the state of the journal.
    let newest = repository.own_operations().map_while(Result::ok).find_map(|(_, operation)| operation.state_after());
    newest.filter(is_kept).or(view.at())
}

fn not_empty(directory: &Path) -> Error {
    let message = format!("`{}` is not empty", directory.display());
    Error::new(ErrorKind::Exists, message)
        .hint(format!("to revive at another path what was here: undo revive NEW --from {}", shell_path(directory)))
}

fn no_commits(store: &Path) -> Error {
    Error::new(ErrorKind::NotFound, format!("the store `{}` has no recorded state of this directory", store.display()))
        .hint("to list the stores and their directories: undo stores")
}
