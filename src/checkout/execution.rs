//! Executes a plan on a saved worktree, between two journal records: the intent before, the operation after.

use std::collections::HashSet;
use std::hash::BuildHasher;

use crate::apply::context::ApplyContext;
use crate::apply::fetched_files::FetchedFiles;
use crate::apply::in_use::{CheckScope, InUsePaths};
use crate::apply::outcome::ApplyOutcome;
use crate::apply::plan::Plan;
use crate::apply::privileges::Limits;
use crate::apply::renames::RenamePlan;
use crate::apply::staging::StagingArea;
use crate::apply::swap::WhenOpen;
use crate::apply::target::Target;
use crate::apply::{apply, in_use, refresh_index, staging};
use crate::error::{Error, Result};
use crate::fs::MappedStores;
use crate::id::CommitId;
use crate::parallel::join;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::{Progress, Unit};
use crate::repo::{NewOperation, Transaction};
use crate::snapshot::SavedScan;
use crate::store::{Store, Stored};
use crate::worktree::index::Builder;
use crate::worktree::{Overlay, Scan, Worktree};

use super::{Options, Outcome, durable, operation};

/// A planned checkout of a saved worktree.
pub struct Checkout {
    /// Proof that commits hold what the plan replaces.
    pub scan: SavedScan,
    /// The wanted state.
    pub target: Target,
    /// Made for this scan and target, and checked.
    pub plan: Plan,
    /// How to apply the plan, and what to record.
    pub options: Options,
}

/// A checkout whose changes to the worktree are durable, but which is not recorded yet.
#[must_use]
pub struct Applied {
    checkout: Checkout,
    outcome: ApplyOutcome,
    left: InUsePaths,
    from: Option<CommitId>,
}

impl Checkout {
    /// Appends the intent, changes the worktree and makes the changes durable. If that fails, the intent stays open and
    /// the error says how to continue.
    pub fn apply(
        mut self,
        transaction: &mut Transaction<'_>,
        worktree: &Worktree,
        progress: &dyn Progress,
    ) -> Result<Applied> {
        let from = self.options.origin.worktree.or(transaction.repository().view().at());
        let continues = transaction.repository().unfinished().is_some();
        let (mut outcome, mut left) = (ApplyOutcome::default(), InUsePaths::default());
        self.plan.update_index(self.scan.index_mut());
        let Checkout { scan, target, plan, options } = &mut self;
        if plan.is_empty() {
            durable::flush(worktree, plan, &outcome, continues).map_err(unfinished)?;
            return Ok(Applied { checkout: self, outcome, left, from });
        }
        staging::check_writable(&worktree.root)?;
        let token = std::hash::RandomState::new().hash_one(());
        transaction.intend(operation::intent(transaction.repository(), token, (from, target.commit), options))?;
        let staging = StagingArea::new(&worktree.root, Some(token));
        if let Some(access) = options.access.take() {
            staging.disturbed().extend(access.hand_over());
        }
        if !options.force {
            left = in_use::find(&worktree.root, &scan.scan().index, plan, CheckScope::Ahead)?;
        }
        let when_open = in_use::when_open(worktree, options.force)?;
        let limits = Limits::of(&transaction.repository().layout, options.trust_owner);
        let how = (&*plan, &left, when_open, limits, options.fetched.as_ref());
        change_worktree(staging, transaction.repository().store(), (scan.scan(), target), how, &mut outcome, progress)
            .and_then(|()| flush_and_refresh(worktree, plan, scan.index_mut(), &mut outcome, continues))
            .map_err(unfinished)?;
        left.add(&worktree.root, &outcome.in_use);
        Ok(Applied { checkout: self, outcome, left, from })
    }
}

impl Applied {
    /// Paths that changed after they were saved, and were not touched.
    pub fn changed(&self) -> impl Iterator<Item = &RepoPathBuf> {
        self.outcome.changed.iter()
    }

    /// The commit that the worktree is recorded to hold now. A restore of some paths does not make it another commit.
    pub fn base(&self) -> CommitId {
        let Checkout { target, options, .. } = &self.checkout;
        let is_whole = options.paths.is_empty() || options.paths.iter().any(|path| path.is_root());
        self.from.filter(|_| !is_whole).unwrap_or(target.commit)
    }

    /// Appends the operation and writes the index. `aside`: the commit of the paths that changed meanwhile.
    pub fn record(self, transaction: &mut Transaction<'_>, aside: Option<(CommitId, Stored)>) -> Result<Outcome> {
        let worktree = Some((self.from, self.base()));
        let Applied { checkout: Checkout { scan, target, plan, options }, outcome, left, from } = self;
        let (aside, stored) = aside.map_or_else(Default::default, |(commit, stored)| (Some(commit), stored));
        let outcome = Outcome::new(from, &target, plan, outcome, left.list);
        let mut outcome = Outcome { saved: options.saved, aside, ..outcome };
        let repository = transaction.repository();
        let new_operation =
            NewOperation { stored, worktree, ..operation::new_operation(repository, &outcome, &options) };
        let has_acted = !outcome.plan.is_empty();
        let is_needed = has_acted
            || !new_operation.edits.is_empty()
            || new_operation.switch.is_some()
            || !new_operation.history.is_empty()
            || outcome.saved.is_some()
            || operation::changes_undo_position(repository, new_operation.undo_position)?
            || repository.unfinished().is_some();
        if is_needed {
            transaction.record(new_operation).map_err(if has_acted { unfinished } else { |error| error })?;
        }
        outcome.branch.clone_from(&transaction.repository().view().current);
        scan.write_index(&transaction.repository().layout);
        Ok(outcome)
    }
}

/// Files that were saved while they were changing.
fn unstable(scan: &Scan) -> HashSet<&RepoPath> {
    scan.torn.iter().map(|path| &**path).collect()
}

/// The files that a plan moves, apart from those that must be left.
pub(super) fn renames(scan: &Scan, plan: &Plan, left: &InUsePaths) -> RenamePlan {
    let unstable = unstable(scan);
    RenamePlan::of(plan, &scan.index, &|path| !unstable.contains(path) && !left.covers(path))
}

/// The plan, the paths to leave, and how to write the others.
type How<'h> = (&'h Plan, &'h InUsePaths, WhenOpen, Option<Limits>, Option<&'h FetchedFiles>);

/// Applies the plan.
pub(super) fn change_worktree(
    staging: StagingArea<'_>,
    store: &Store,
    (scan, target): (&Scan, &Target),
    (plan, left, when_open, limits, fetched): How<'_>,
    outcome: &mut ApplyOutcome,
    progress: &dyn Progress,
) -> Result<()> {
    let live = Overlay { below: store, objects: &scan.objects };
    let task = progress.start("restoring", Unit::Bytes, Some(plan.bytes_to_write()));
    let is_stat_doubtful = staging.root().file_system()?.mapped_stores == MappedStores::FirstUnlessRead;
    let context = ApplyContext {
        staging,
        is_stat_doubtful,
        store,
        objects: &Overlay { below: &live, objects: &target.objects },
        target: &target.root,
        fetched,
        saved: &scan.index,
        renames: renames(scan, plan, left),
        unstable: unstable(scan),
        left,
        when_open,
        plan,
        limits,
        task: &*task,
        progress,
    };
    apply(&context, outcome)
}

/// Makes the changes durable and updates the index with them; if the flush takes long, both at the same time.
pub(super) fn flush_and_refresh(
    worktree: &Worktree,
    plan: &Plan,
    index: &mut Builder,
    outcome: &mut ApplyOutcome,
    continues: bool,
) -> Result<()> {
    let done = &*outcome;
    let inexact = if durable::is_whole(done, continues) {
        let (inexact, flushed) = join(
            || refresh_index::update(index, &worktree.root, plan, done),
            || durable::flush(worktree, plan, done, continues),
        );
        flushed.and(inexact)
    } else {
        durable::flush(worktree, plan, done, continues)
            .and_then(|()| refresh_index::update(index, &worktree.root, plan, done))
    };
    outcome.inexact.extend(inexact?);
    Ok(())
}

/// Explains a failure after the intent was appended.
fn unfinished(error: Error) -> Error {
    error
        .context("the checkout is not finished")
        .hint("once the cause is gone, `undo checkout --continue` finishes it, and `undo undo` takes it back")
}
