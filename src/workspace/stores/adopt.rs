//! Attaches a directory whose history belongs to another one: as its replacement, or as a copy with its own branch.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs::{self, Dir};
use crate::quote::shell_path;
use crate::repo::layout::{Attachment, Layout};
use crate::repo::membership::branch_for;
use crate::repo::{Joining, Repository, outside};
use crate::workspace::{Notice, Workspace};

use super::{KnownDirectory, KnownStore, known};

impl Workspace {
    /// Continues the history of another directory in this one: of the directory that its `.undo` names, or without `.undo`, of the one
    /// that was at its path or that `from` names. Its files are not changed.
    pub fn adopt(directory: &Path, from: Option<&Path>, environment: Environment) -> Result<Workspace> {
        let directory = &fs::canonicalize(directory)?;
        let mut notices = Vec::new();
        let attached = match (Layout::at(directory)?, from) {
            (Some(layout), None) => {
                let mut repository = Repository::open(layout, environment)?;
                check_outside(&repository)?;
                check_owner(directory, &repository.layout.repository)?;
                repository.join(&Joining::Moved)?;
                repository
            }
            (Some(layout), Some(_)) => {
                let message =
                    format!("`{}` already has a repository, `{}`", directory.display(), layout.repository.display());
                let marker = shell_path(&layout.marker()).into_owned();
                let hint = match layout.attachment {
                    Attachment::Store(_) => format!("to detach it, which keeps that history: rm {marker}"),
                    _ => "name another directory".to_owned(),
                };
                return Err(Error::new(ErrorKind::Exists, message).hint(hint));
            }
            (None, from) => {
                let Found { store, directory: known, .. } = find(directory, from, &environment)?;
                check_owner(directory, &store.path)?;
                notices.extend(newer_history(&store, &known.path, &environment));
                Repository::attach(directory, &store.path, known.id, &Joining::Moved, environment)?
            }
        };
        let mut workspace = Workspace::of(attached, directory.to_owned())?;
        workspace.notices.extend(notices);
        Ok(workspace)
    }

    /// Makes a copy of a directory a separate directory of the same store, on its own branch. Without a name, the branch is named after the
    /// directory.
    pub fn split(directory: &Path, branch: Option<&str>, environment: Environment) -> Result<Workspace> {
        let directory = &fs::canonicalize(directory)?;
        let layout = Layout::at(directory)?.ok_or_else(|| {
            Error::new(ErrorKind::NoRepository, format!("`{}` has no `.undo`", directory.display()))
                .hint("name the copy of a directory whose history is outside")
        })?;
        let mut repository = Repository::open(layout, environment)?;
        check_outside(&repository)?;
        check_owner(directory, &repository.layout.repository)?;
        let name = branch.map_or_else(|| free_name(&repository), str::to_owned);
        repository.join(&Joining::Branch(name))?;
        Workspace::of(repository, directory.to_owned())
    }
}

/// The name of the directory, with a number if a branch has that name.
fn free_name(repository: &Repository) -> String {
    let name = branch_for(&repository.layout.worktree);
    let branches = &repository.view().branches;
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names.find(|name| !branches.contains_key(name)).unwrap_or(name)
}

fn check_outside(repository: &Repository) -> Result<()> {
    if matches!(repository.layout.attachment, Attachment::Store(_)) {
        return Ok(());
    }
    let message =
        format!("the history of `{}` is not stored outside the directory", repository.layout.worktree.display());
    Err(Error::new(ErrorKind::Usage, message).hint("to list the stores outside: undo stores"))
}

/// [`ErrorKind::Refused`] if a directory and a store have different owners.
pub(super) fn check_owner(directory: &Path, store: &Path) -> Result<()> {
    let owner = |path: &Path| Ok::<_, Error>(Dir::open(path)?.stat_self()?.metadata.uid);
    let (here, there) = (owner(directory)?, owner(store)?);
    if here == there {
        return Ok(());
    }
    let (shown, store) = (directory.display(), store.display());
    let (here, there) = (fs::name_of_user(here), fs::name_of_user(there));
    Err(Error::new(
        ErrorKind::Refused,
        format!("`{shown}` belongs to `{here}`, but the store `{store}` belongs to `{there}`"),
    )
    .hint(format!("give them the same owner, for example: sudo chown -R {there} {}", shell_path(directory))))
}

/// A newer history of another directory that was at a path, and has moved since.
pub(super) fn newer_history(continued: &KnownStore, path: &Path, environment: &Environment) -> Option<Notice> {
    let is_newer = |other: &KnownStore| {
        other.path != continued.path
            && other.has_commits
            && other.time > continued.time
            && outside::was_made_for(&other.path, path)
    };
    let newer = known(environment).ok()?.into_iter().filter(is_newer).max_by_key(|other| other.time)?;
    let directory = newer.directories.into_iter().find(|known| !known.is_missing)?.path;
    Some(Notice::NewerHistory { continued: continued.time?, store: newer.path, directory })
}

/// A history that a directory continues.
pub(super) struct Found {
    pub store: KnownStore,
    pub directory: KnownDirectory,
    /// Other stores that have a history of the same path, newest first.
    pub others: Vec<PathBuf>,
}

/// The store and the directory whose history a directory without `.undo` continues: `from` is the former path of the directory, or the
/// path of its store. Without `from`, the directory was at this path.
pub(super) fn find(directory: &Path, from: Option<&Path>, environment: &Environment) -> Result<Found> {
    let mut stores = known(environment)?;
    let wanted = fs::canonicalize_existing(from.unwrap_or(directory))?;
    let is_named = |store: &KnownStore| fs::is_same_dir(&store.path, &wanted).unwrap_or(false);
    if let Some(place) = from.and_then(|_| stores.iter().position(is_named)) {
        let (store, directory) = only_directory(stores.swap_remove(place))?;
        return Ok(Found { store, directory, others: Vec::new() });
    }
    if from.is_some() && outside::is_store(&wanted) {
        let (word, store) = (shell_path(directory), shell_path(&wanted));
        let message = format!("the store `{}` is not in the user's state directory", wanted.display());
        return Err(Error::new(ErrorKind::NotFound, message).hint(format!(
            "to attach it: undo init {word} --store {store}; then restore its current commit: undo -C {word} checkout @"
        )));
    }
    let mut found: Vec<(KnownStore, KnownDirectory)> = stores
        .into_iter()
        .filter_map(|store| {
            let known = store.directories.iter().find(|known| known.path == wanted)?.clone();
            Some((store, known))
        })
        .collect();
    found.sort_by_key(|(store, known)| (store.has_commits, !known.is_missing, store.time));
    let (store, directory) = found.pop().ok_or_else(|| {
        let message = format!("no store has the history of `{}`", wanted.display());
        Error::new(ErrorKind::NotFound, message).hint("to list the stores and their directories: undo stores")
    })?;
    let others = found.into_iter().rev().filter(|(store, _)| store.has_commits).map(|(store, _)| store.path);
    Ok(Found { store, directory, others: others.collect() })
}

/// The directory of a store that is named without one.
fn only_directory(store: KnownStore) -> Result<(KnownStore, KnownDirectory)> {
    if let Some(problem) = store.problem.as_ref().filter(|_| store.directories.is_empty()) {
        return Err(Error::damaged(problem.to_string()).hint(problem.hint_text().unwrap_or_default()));
    }
    let missing: Vec<&KnownDirectory> = store.directories.iter().filter(|known| known.is_missing).collect();
    let found = match (missing.as_slice(), store.directories.as_slice()) {
        ([one], _) => (*one).clone(),
        ([], [one]) => one.clone(),
        ([], []) => {
            let message = format!("the store `{}` has no history", store.path.display());
            return Err(
                Error::new(ErrorKind::NotFound, message).hint("to list the stores and their directories: undo stores")
            );
        }
        _ => {
            let paths: Vec<String> =
                store.directories.iter().map(|known| format!("`{}`", known.path.display())).collect();
            let message = format!("the store `{}` has several directories: {}", store.path.display(), paths.join(", "));
            return Err(Error::new(ErrorKind::Ambiguous, message).hint("name the former path of one: --from PATH"));
        }
    };
    Ok((store, found))
}
