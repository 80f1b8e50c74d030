//! Plans a checkout: scans, compares with the wanted commit, and looks for remedies for obstacles.

use crate::checkout::{self, Outcome, Plan, Target};
use crate::error::Result;
use crate::history::entry_at;
use crate::id::CommitId;
use crate::object::{Content, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::repo::Repository;
use crate::snapshot::{self, SavedScan};
use crate::store::Stored;
use crate::worktree::database::database_of;
use crate::worktree::{Scan, Worktree};

use super::PlannedFiles;
use crate::workspace::notice::{self, Notice};
use crate::workspace::ref_updates;
use crate::workspace::request::Request;

/// The result of one attempt to plan a checkout: a remedy to apply before the next attempt, or the plan.
pub(super) enum Attempt {
    /// Give the owner access to these directories.
    OpenDirectories(Vec<RepoPathBuf>),
    /// Record these paths although rules ignore them.
    Cover(Vec<RepoPathBuf>),
    /// The plan is complete.
    Planned(Box<PlannedFiles>, Vec<Notice>),
}

/// The results of earlier attempts.
#[derive(Default)]
pub(super) struct Conditions {
    /// Whether opening directories did not help.
    pub cannot_open: bool,
    /// Paths to record although rules ignore them.
    pub covered: Vec<RepoPathBuf>,
}

/// The inputs of one attempt to plan a checkout.
pub(super) struct Planning<'p> {
    pub repository: &'p Repository,
    pub worktree: &'p Worktree,
    pub request: &'p Request,
    pub to: CommitId,
    pub conditions: &'p Conditions,
}

impl Planning<'_> {
    /// Scans, unless there is a scan, plans, looks for remedies, decides, and stores the scanned content if the plan will be applied.
    pub fn attempt(&self, saved: Option<SavedScan>, progress: &dyn Progress) -> Result<Attempt> {
        let session = (!self.request.mode.dry_run).then(|| self.repository.store().session());
        let (repository, worktree, options) = (self.repository, self.worktree, self.save_options());
        let scan = || snapshot::scan(repository, worktree, session.as_ref(), &options, progress);
        let scanned = match saved.zip(session.as_ref()) {
            Some((saved, session)) => {
                snapshot::reuse(repository, worktree, session, saved, &options)?.map_or_else(scan, Ok)?
            }
            None => scan()?,
        };
        let (target, mut plan) = self.plan(scanned.scan())?;
        let closed = self.closed_directories(scanned.scan(), &plan)?;
        plan.conflicts.retain(|path| !closed.iter().any(|directory| path.is_within(directory)));
        if let Some(remedy) = self.find_remedy(&plan, &closed)? {
            return Ok(remedy);
        }
        plan.add_journals(self.conditions.covered.iter().filter(|path| database_of(path).is_some()));
        let mut files = self.decide(scanned.scan(), scanned.outcome().created, target, plan)?;
        files.closed = closed;
        let mut notices = notice::of_scan(scanned.outcome().damage.as_ref(), scanned.scan());
        notices.extend(self.foresee_damage(scanned.scan(), &files));
        let stored_scan = files.will_be_applied(self.request).then(|| scanned.store()).transpose()?;
        files.save = match (stored_scan, session) {
            (Some(scan), Some(session)) if scan.has_new_commit() => Some((scan, session.finish()?)),
            (scan, _) => scan.map(|scan| (scan, Stored::default())),
        };
        Ok(Attempt::Planned(Box::new(files), notices))
    }

    fn save_options(&self) -> snapshot::Options {
        snapshot::Options {
            message: format!("before {} {}", self.request.verb, self.to.short()),
            automatic: true,
            prepares: true,
            despite_rules: self.conditions.covered.clone(),
            verb: self.request.verb.clone(),
            ..snapshot::Options::default()
        }
    }

    /// Plans the changes from the scanned worktree to the requested commit.
    fn plan(&self, scan: &Scan) -> Result<(Target, Plan)> {
        let store = self.repository.store();
        let mut target = Target::commit(store, self.to)?.only(store, scan, &self.request.paths)?;
        if let Some(intent) = self.repository.unfinished() {
            target.halfway = intent.from.into_iter().chain([intent.to]).collect();
        }
        let mut plan = checkout::plan(store, self.worktree, scan, &target)?;
        checkout::add_unreachable(&mut plan, self.repository, scan, &target, &self.request.paths)?;
        Ok((target, plan))
    }

    /// Closed directories that must be opened for a plan, sorted: the current commit or the wanted one covers their
    /// content.
    fn closed_directories(&self, scan: &Scan, plan: &Plan) -> Result<Vec<RepoPathBuf>> {
        let mut recorded = Vec::new();
        if !self.conditions.cannot_open {
            for directory in checkout::closed_directories(self.worktree, scan, plan) {
                if is_recorded(self.repository, self.to, &directory)? {
                    recorded.push(directory);
                }
            }
        }
        recorded.sort();
        Ok(recorded)
    }

    /// A remedy to apply before the next attempt: to open these directories, or to record obstacles. Those may be recorded
    /// and replaced with `force`, if only their metadata would be lost, or if an unfinished checkout has hidden them.
    fn find_remedy(&self, plan: &Plan, closed: &[RepoPathBuf]) -> Result<Option<Attempt>> {
        if !self.request.mode.dry_run && !closed.is_empty() {
            return Ok(Some(Attempt::OpenDirectories(closed.to_vec())));
        }
        let unsaved = plan.to_be_saved();
        if unsaved.is_empty() || !self.conditions.covered.is_empty() {
            return Ok(None);
        }
        let may_cover = self.request.mode.force
            || plan.conflicts.is_empty()
            || self.request.ends_unfinished() && checkout::are_hidden_halfway(self.repository, &plan.conflicts)?;
        Ok(may_cover.then_some(Attempt::Cover(unsaved)))
    }

    /// Checks the plan. Adds the expected outcome if nothing will be saved and changed.
    fn decide(&self, scan: &Scan, has_unsaved: bool, target: Target, plan: Plan) -> Result<PlannedFiles> {
        let (repository, worktree, request) = (self.repository, self.worktree, self.request);
        let has_covered = !self.conditions.covered.is_empty();
        let refusal = checkout::check(repository.store(), worktree, scan, &target, &plan, has_covered).err();
        // A restore that changes nothing does not record unsaved changes either.
        let is_nothing = plan.is_empty() && !request.paths.is_empty() && !request.ends_unfinished();
        let expected = match refusal.is_none() && (request.mode.dry_run || is_nothing) {
            true => {
                let (plan, view, force) = (plan.clone(), repository.view(), request.mode.force);
                let outcome = checkout::expected_outcome(repository, worktree, scan, &target, plan, force)?;
                Some(Outcome { branch: ref_updates::refs_after(view, view.at(), request).current, ..outcome })
            }
            false => None,
        };
        let is_unsaved = has_unsaved && !is_nothing;
        Ok(PlannedFiles { target, plan, is_unsaved, closed: Vec::new(), refusal, expected, save: None })
    }

    /// Reports in a dry run which saved copies are damaged, so that the checkout would store the files again.
    fn foresee_damage(&self, scan: &Scan, files: &PlannedFiles) -> Option<Notice> {
        if !self.request.mode.dry_run || files.refusal.is_some() {
            return None;
        }
        let mut last_copies = checkout::last_copies(self.repository.store(), scan, &files.plan);
        // Blobs that the store does not contain are unsaved changes.
        last_copies.retain(|(_, blob)| self.repository.store().contains_blob(*blob));
        notice::of_last_copies(&last_copies)
    }
}

impl PlannedFiles {
    fn will_be_applied(&self, request: &Request) -> bool {
        !request.mode.dry_run && self.refusal.is_none() && self.expected.is_none()
    }
}

/// Whether the current commit or the wanted one has a directory at a path, and covers its content.
pub(super) fn is_recorded(repository: &Repository, to: CommitId, path: &RepoPath) -> Result<bool> {
    let store = repository.store();
    for id in std::iter::once(to).chain(repository.view().at()) {
        // A damaged current commit is recorded again.
        let Ok(commit) = store.commit(id) else { continue };
        let is_unknown = || commit.uncovered.iter().any(|one| one.path.is_within(path) || path.is_within(&one.path));
        match entry_at(store, &commit.root, path)?.map(|entry| entry.content) {
            Some(Content::Directory { entries, .. }) if entries > 0 || !is_unknown() => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}
