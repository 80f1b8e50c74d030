//! A prepared checkout: planned and checked, with nothing changed yet. `apply` saves and changes.
//!
//! A checkout that will be applied is prepared under the lock and keeps it, so nothing can change between the check and the
//! change. A dry run takes no lock and writes nothing; if it is applied after all, it is prepared again under the lock.

mod planning;
mod preview;

use std::sync::Arc;

use crate::apply::fetched_files::FetchedFiles;
use crate::checkout::{self, Access, Checkout, Origin, Outcome, Plan, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::history::thinning;
use crate::id::CommitId;
use crate::message::Message;
use crate::object::Objects;
use crate::object::operation::{ForgottenCommit, Verb};
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::repo::{Repository, Transaction};
use crate::snapshot::{self, SavedScan, StoredScan};
use crate::store::Stored;
use crate::worktree::Worktree;

use planning::{Attempt, Conditions, Planning, is_recorded};

use super::notice::{self, Notice};
use super::request::Request;
use super::{Workspace, ref_updates};

/// A checkout that has been planned and checked. Nothing changes until it is applied.
#[must_use]
pub struct PreparedCheckout<'w> {
    request: Request,
    /// `None` if only refs change.
    files: Option<Box<PlannedFiles>>,
    lock: Lock<'w>,
}

/// The part of a checkout that concerns files.
struct PlannedFiles {
    target: Target,
    plan: Plan,
    /// Whether there are unsaved changes, which `apply` records first.
    is_unsaved: bool,
    /// Directories that must be opened first, in a dry run. The plan does not know their content.
    closed: Vec<RepoPathBuf>,
    /// Why the checkout is refused.
    refusal: Option<Error>,
    /// The expected outcome, if it is a dry run or there is nothing to do.
    expected: Option<Outcome>,
    /// The stored scan, unless it is a dry run or there is nothing to do.
    save: Option<(StoredScan, Stored)>,
}

/// Whether the repository stays locked until the checkout is applied.
enum Lock<'w> {
    /// A dry run.
    Free(&'w mut Workspace),
    Held(Box<Held<'w>>),
}

/// The lock, and the state that was read under it.
struct Held<'w> {
    transaction: Transaction<'w>,
    worktree: &'w mut Worktree,
    notices: &'w mut Vec<Notice>,
    access: Access,
    origin: Origin,
    /// The current commit before anything was saved.
    at: Option<CommitId>,
    /// Automatic commits to forget with the last record.
    thins: Option<Vec<ForgottenCommit>>,
}

impl Workspace {
    /// Scans, plans and checks. Tries remedies for obstacles first: opens closed directories (not in a dry run), and scans
    /// ignored files that may be replaced.
    pub(super) fn prepare(&mut self, request: Request, progress: &dyn Progress) -> Result<PreparedCheckout<'_>> {
        match request.mode.dry_run {
            true => self.prepare_dry_run(request, progress),
            false => self.prepare_locked(request, progress),
        }
    }

    fn prepare_dry_run(&mut self, request: Request, progress: &dyn Progress) -> Result<PreparedCheckout<'_>> {
        self.repository.check_usable()?;
        check_request(&self.repository, &self.worktree, &request)?;
        let mut conditions = Conditions::default();
        let mut files = None;
        while let (Some(to), None) = (request.to, &files) {
            let (repository, worktree) = (&self.repository, &self.worktree);
            let planning = Planning { repository, worktree, request: &request, to, conditions: &conditions };
            match planning.attempt(None, progress)? {
                Attempt::Cover(paths) => conditions.covered = paths,
                Attempt::Planned(planned, notices) => {
                    self.notices.extend(notices);
                    files = Some(planned);
                }
                Attempt::OpenDirectories(_) => unreachable!("a dry run does not open directories"),
            }
        }
        Ok(PreparedCheckout { request, files, lock: Lock::Free(self) })
    }

    fn prepare_locked(&mut self, mut request: Request, progress: &dyn Progress) -> Result<PreparedCheckout<'_>> {
        let Workspace { repository, worktree, notices, .. } = self;
        let mut transaction = repository.begin()?;
        // Read under the lock, because another command may have moved refs before.
        let at = transaction.repository().view().at();
        let mut origin = Origin::now(transaction.repository(), request.ends_unfinished());
        if request.verb == Verb::Revive {
            // The directory was lost in that state. Undoing its revival restores nothing older.
            origin.worktree = request.to;
        }
        check_request(transaction.repository(), worktree, &request)?;
        remove_staged(transaction.repository(), worktree, notices)?;
        if let Some(intent) = &request.resumed {
            transaction.continue_interrupted(intent)?;
        }
        let mut access = Access::new(transaction.repository(), worktree)?;
        let mut scan = request.scan.take();
        let mut conditions = Conditions::default();
        let mut files = None;
        while let (Some(to), None) = (request.to, &files) {
            let repository = transaction.repository();
            let planning = Planning { repository, worktree, request: &request, to, conditions: &conditions };
            match planning.attempt(scan.take(), progress) {
                Ok(Attempt::OpenDirectories(closed)) => {
                    let is_recorded = |path: &RepoPath| is_recorded(repository, to, path);
                    conditions.cannot_open = !access.open(worktree, closed, &is_recorded)?;
                }
                Ok(Attempt::Cover(paths)) => conditions.covered = paths,
                Ok(Attempt::Planned(planned, found)) => {
                    notices.extend(found);
                    files = Some(planned);
                }
                // Once the scan is recorded, the checkout may free space.
                Err(error) if error.kind() == ErrorKind::NoSpace && transaction.release_reserve() => {}
                Err(error) => return Err(error),
            }
        }
        // Selected now, because the records of this command say nothing about the clock.
        let named: Vec<CommitId> = request.to.into_iter().chain(at).collect();
        let thins = thinning::due(transaction.repository(), &named).ok().flatten();
        let held = Held { transaction, worktree, notices, access, origin, at, thins };
        Ok(PreparedCheckout { request, files, lock: Lock::Held(Box::new(held)) })
    }
}

/// Checks that need no scan.
fn check_request(repository: &Repository, worktree: &Worktree, request: &Request) -> Result<()> {
    if let Some(destination) = &request.destination {
        ref_updates::check_not_outdated(repository, destination)?;
    }
    if let (Some(to), false, None) = (request.to, request.paths.is_empty(), &request.resumed) {
        checkout::check_paths_allowed(repository)?;
        let store = repository.store();
        Target::commit(store, to)?.check_names(store, &worktree.root, &request.paths)?;
    }
    request.relative.as_ref().map_or(Ok(()), |name| checkout::check_not_halfway(repository, name))
}

/// Removes the files that an unfinished checkout has staged. Runs before the scan, because removing them changes directory
/// times.
fn remove_staged(repository: &Repository, worktree: &Worktree, notices: &mut Vec<Notice>) -> Result<()> {
    let Some(intent) = repository.unfinished() else { return Ok(()) };
    let kept = checkout::clean_staged(worktree, repository.store(), intent.token)?;
    if !kept.is_empty() {
        notices.push(Notice::LeftStaged(kept));
    }
    Ok(())
}

impl PreparedCheckout<'_> {
    /// Fails if the checkout is refused, as [`PreparedCheckout::apply`] would. Changes nothing.
    pub fn check(self) -> Result<()> {
        self.files.and_then(|files| files.refusal).map_or(Ok(()), Err)
    }

    /// Moves these files into place instead of writing them again.
    #[cfg(feature = "targets")]
    pub(crate) fn with_fetched(mut self, files: Option<FetchedFiles>) -> Self {
        self.request.fetched = files;
        self
    }

    /// Saves unsaved changes, changes the worktree, and records paths that other programs changed meanwhile.
    pub fn apply(self, progress: &dyn Progress) -> Result<Outcome> {
        let PreparedCheckout { mut request, files, lock } = self;
        let mut held = match lock {
            Lock::Free(workspace) => {
                request.mode.dry_run = false;
                return workspace.prepare(request, progress)?.apply(progress);
            }
            Lock::Held(held) => *held,
        };
        let Some(files) = files else {
            return ref_updates::change_refs(held.transaction, held.access, &request);
        };
        let PlannedFiles { target, plan, refusal, expected, save, .. } = *files;
        match (refusal, save, expected) {
            (Some(refusal), ..) => Err(refusal),
            (None, Some(stored_scan), _) => {
                let saved = held.save(stored_scan, &plan)?;
                let fetched = request.fetched.take();
                held.change(&request, saved, target, plan, fetched, progress)
            }
            (None, None, expected) => Ok(expected.expect("a checkout that saves nothing has its outcome")),
        }
    }
}

impl<'w> Held<'w> {
    /// Makes the scan part of the repository. Files that the plan removes and whose saved copy is damaged are stored again.
    fn save(
        &mut self,
        (stored_scan, stored): (StoredScan, Stored),
        plan: &Plan,
    ) -> Result<(Option<CommitId>, SavedScan)> {
        let (outcome, scan) = stored_scan.record(&mut self.transaction, stored)?;
        let files = checkout::last_copies(self.transaction.repository().store(), scan.scan(), plan);
        if let Some(notice) = notice::of_last_copies(&files) {
            let failed = snapshot::store_again(&mut self.transaction, self.worktree, &files)?;
            if let Some(first) = failed.first() {
                let message = Message::path(first) + " would be removed, but its saved copy is damaged";
                let error = Error::new(ErrorKind::Refused, message).hint("move it away, then see `undo verify`");
                return Err(error.paths(failed));
            }
            self.notices.push(notice);
        }
        Ok((outcome.commit.filter(|commit| Some(*commit) != self.at), scan))
    }

    /// Changes the worktree. Records paths that other programs changed meanwhile in a commit beside the branch.
    fn change(
        self,
        request: &Request,
        (saved, scan): (Option<CommitId>, SavedScan),
        target: Target,
        plan: Plan,
        fetched: Option<FetchedFiles>,
        progress: &dyn Progress,
    ) -> Result<Outcome> {
        let Held { mut transaction, worktree, notices, access, origin, at, thins } = self;
        // If the current commit is lost, everything was recorded again, and the branch stays at that commit.
        let is_lost = at.is_some_and(|id| transaction.repository().store().commit(id).is_err());
        let at = if is_lost { transaction.repository().view().at() } else { at };
        let options = checkout::Options {
            paths: request.paths.clone(),
            force: request.mode.force,
            trust_owner: request.mode.trust_owner,
            refs: Some(ref_updates::refs_after(transaction.repository().view(), at, request)),
            saved,
            at,
            origin,
            undo_position: request.undo_position(),
            history: request.history.clone(),
            thins,
            about: request.about(),
            verb: request.verb.clone(),
            access: Some(access),
            fetched,
        };
        let applied = Checkout { scan, target, plan, options }.apply(&mut transaction, worktree, progress)?;
        let changed: Vec<RepoPathBuf> = applied.changed().cloned().collect();
        let aside = match changed.is_empty() {
            true => Ok(None),
            false => snapshot::set_aside(transaction.repository(), worktree, applied.base(), &changed, progress),
        };
        let aside = aside.unwrap_or_else(|error| {
            notices.push(Notice::SideCommitFailed(Arc::new(error)));
            None
        });
        applied.record(&mut transaction, aside)
    }
}
