//! Prepares checkouts and restores.

use std::path::Path;

use crate::checkout::{self, Access};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::timeline::Timeline;
use crate::history::{self, reflog::no_commit};
use crate::id::CommitId;
use crate::object::operation::{HistoryEdit, Verb};
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::quote::shell_word;
use crate::repo::{Repository, refname};

use super::request::Request;
use super::{CheckoutMode, PreparedCheckout, Workspace};

impl Workspace {
    /// Prepares to restore the whole worktree to a commit. A branch name switches to that branch; anything else moves
    /// the current branch.
    pub fn prepare_checkout(
        &mut self,
        revision: &str,
        mode: CheckoutMode,
        progress: &dyn Progress,
    ) -> Result<PreparedCheckout<'_>> {
        let view = self.repository.view();
        let branch = if revision == "-" { branch_before(&self.repository)? } else { Some(revision.to_owned()) };
        let branch = branch.filter(|name| *name != view.current && view.branches.contains_key(name));
        let to = self.resolve_commit(branch.as_deref().unwrap_or(revision))?;
        let relative = self.relative_name(revision);
        self.prepare(Request { relative, branch, ..Request::new(Some(to), Verb::Checkout, mode) }, progress)
    }

    /// Prepares to create a branch, to switch to it, and to restore the whole worktree to a commit. Without a revision the
    /// branch starts at the current commit, and the worktree is neither read nor changed.
    ///
    /// [`ErrorKind::Exists`] if there is a branch or tag of this name.
    pub fn prepare_checkout_of_new_branch(
        &mut self,
        name: &str,
        revision: Option<&str>,
        mode: CheckoutMode,
        progress: &dyn Progress,
    ) -> Result<PreparedCheckout<'_>> {
        let view = self.repository.view();
        refname::check(name)?;
        for (word, refs) in [("branch", &view.branches), ("tag", &view.tags)] {
            if refs.contains_key(name) {
                let message = format!("{word} `{name}` already exists");
                let hint = format!("to restore it: undo checkout {}", shell_word(name.as_bytes()));
                return Err(Error::new(ErrorKind::Exists, message).hint(hint));
            }
        }
        let to = revision.map(|revision| self.resolve_commit(revision)).transpose()?;
        if to.is_none() && view.at().is_none() {
            return Err(no_commit(view));
        }
        // Without a revision this must not end an unfinished checkout, like everything that is relative to `@`.
        let relative = revision.map_or(Some("@".to_owned()), |revision| self.relative_name(revision));
        let branch = Some(name.to_owned());
        self.prepare(Request { relative, branch, ..Request::new(to, Verb::Checkout, mode) }, progress)
    }

    /// Whether an interrupted or cancelled checkout has left the worktree half old, half new.
    pub fn is_checkout_unfinished(&self) -> bool {
        self.repository.unfinished().is_some()
    }

    /// Prepares to restore some paths to their state in a commit. The branch does not move.
    pub fn prepare_restore(
        &mut self,
        revision: &str,
        paths: Vec<RepoPathBuf>,
        mode: CheckoutMode,
        progress: &dyn Progress,
    ) -> Result<PreparedCheckout<'_>> {
        let to = self.resolve_commit(revision)?;
        let relative = self.relative_name(revision);
        self.prepare(Request { relative, paths, ..Request::new(Some(to), Verb::Restore, mode) }, progress)
    }

    /// Prepares to finish an interrupted checkout.
    pub fn prepare_continue(&mut self, mode: CheckoutMode, progress: &dyn Progress) -> Result<PreparedCheckout<'_>> {
        self.repository.check_same_worktree()?;
        if !mode.dry_run {
            self.close_directories()?;
        }
        let Some(intent) = self.repository.unfinished().cloned() else {
            return Err(Error::new(ErrorKind::NotFound, "no checkout was interrupted").hint("undo status"));
        };
        let request = Request::new(Some(intent.to), intent.verb.clone(), mode);
        let (paths, branch) = (intent.paths.clone(), intent.switch.clone());
        let history = match intent.undo_position {
            // Without the operations since, the files can still be restored.
            Some(position) => Timeline::open(&self.repository).history_edit(position.position).unwrap_or_default(),
            None => HistoryEdit::default(),
        };
        self.prepare(Request { paths, branch, history, resumed: Some(intent), ..request }, progress)
    }

    /// Restores the modes of directories that a killed command had opened, before its intent was in the journal.
    fn close_directories(&mut self) -> Result<()> {
        if !checkout::has_left_open(&self.repository.layout) {
            return Ok(());
        }
        let transaction = self.repository.begin()?;
        Access::new(transaction.repository(), &self.worktree).map(drop)
    }

    /// The commit that a revision names.
    fn resolve_commit(&self, revision: &str) -> Result<CommitId> {
        history::resolve(&self.repository, revision).map_err(|error| {
            let is_path = || fs::exists(&self.directory.join(Path::new(revision))).unwrap_or(false);
            match error.kind() == ErrorKind::NotFound && is_path() {
                true => error.hint(format!("to name a path: undo restore {}", shell_word(revision.as_bytes()))),
                false => error,
            }
        })
    }

    /// The revision, if it is relative to the current state.
    fn relative_name(&self, revision: &str) -> Option<String> {
        let is_current = revision == self.repository.view().current;
        let is_relative = is_current || matches!(revision, "-" | "latest") || revision.starts_with('@');
        is_relative.then(|| revision.to_owned())
    }
}

/// The branch from which the last checkout switched, if it did.
fn branch_before(repository: &Repository) -> Result<Option<String>> {
    for operation in repository.own_operations() {
        let (_, operation) = operation?;
        if operation.worktree.is_some() && !operation.is_automatic() {
            return Ok(operation.switched.map(|(old, _)| old));
        }
    }
    Ok(None)
}
