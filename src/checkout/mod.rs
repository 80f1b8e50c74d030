//! Outgoing back: the worktree becomes a commit. Down the back stairs: revision → commit → tree → diff → plan → apply.
//!
//! What is promised: nothing is overwritten or removed that is not saved; what no commit covers is never touched; every
//! name changes at once; and after a failure the same command, or `checkout --continue`, reaches an exact state. `docs/metadata.md`
//! says what is restored.

mod access;
mod applier;
mod apply;
mod apply_metadata;
mod arena;
mod cleanup;
mod clone;
mod context;
mod copied_up;
mod directories;
mod durable;
pub mod export;
mod export_plan;
mod files;
mod in_place;
mod in_use;
mod journals;
mod limits;
mod links;
mod obstacles;
mod operation;
mod outcome;
mod patch;
pub mod pieces;
mod plan;
mod planner;
mod proof;
mod questions;
mod refresh_index;
mod remove;
mod renames;
mod sorted;
mod space;
mod staging;
mod swap;
mod tar;
mod target;
mod unfinished;
mod verdict;
mod write;
mod write_buffer;

use std::collections::HashSet;
use std::hash::BuildHasher;

use crate::error::{Error, ErrorKind, Result};
use crate::fs::MappedStores;
use crate::history::reflog::Refs;
use crate::id::{BlobId, CommitId};
use crate::number::{self, pluralize};
use crate::object::commit::Uncovered;
use crate::object::operation::{UndoPosition, Verb};
use crate::parallel;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::{Progress, Unit};
use crate::repo::{NewOperation, Repository, Transaction};
use crate::store::{Outgoing, Store, Stored};
use crate::worktree::ignore::{self, TreeRules};
use crate::worktree::index::Builder;
use crate::worktree::{Overlay, Scan, Worktree};

use context::ApplyContext;
use in_use::{Left, Look};
use obstacles::Obstacles;
use outcome::ApplyOutcome;
use questions::Questions;
use renames::RenamePlan;
use staging::StagingArea;
use swap::WhenOpen;
use verdict::Verdict;

pub use access::{Access, closed_directories, has_left_open};
pub use cleanup::clean_staged;
pub use in_use::InUse;
pub use limits::Limits;
pub use operation::describe;
pub use plan::{Action, Plan};
pub use space::check_free_space;
pub use target::Target;
pub use unfinished::{
    HALF_DONE, Origin, are_hidden_halfway, check_no_mix, check_not_halfway, check_paths_allowed, refs_to_finish,
};

/// How a checkout goes.
#[derive(Debug, Default)]
pub struct Options {
    /// Only these paths (`restore`); the branch stays where it is. Empty: the whole worktree.
    pub paths: Vec<RepoPathBuf>,
    /// Obstacles have been saved where possible; selects the wording of a refusal. Files that programs are using are
    /// replaced.
    pub force: bool,
    /// As root, set owners, set-id bits, capabilities and devices even if another user owns the repository.
    pub trust_owner: bool,
    /// What refs become; `None`: the current branch goes to the target.
    pub refs: Option<Refs>,
    /// The automatic commit that holds what was unsaved, if one was needed.
    pub saved: Option<CommitId>,
    /// Where it comes from.
    pub origin: Origin,
    /// Where a step through operations comes to.
    pub undo_position: Option<UndoPosition>,
    /// What is said of it in the operation, before what it did; may be empty.
    pub about: String,
    /// The command that is recorded.
    pub verb: Verb,
    /// The plan, if it is made already: for the same scan and target.
    pub plan: Option<Plan>,
    /// The directories that have been opened for it.
    pub access: Option<Access>,
}

/// What was done.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The commit that holds the worktree as it was.
    pub from: Option<CommitId>,
    /// The commit gone to.
    pub to: Option<CommitId>,
    /// The automatic commit that holds what was unsaved, if anything was.
    pub saved: Option<CommitId>,
    /// Entries written or changed.
    pub written: u64,
    /// Entries removed.
    pub deleted: u64,
    /// Entries left as they are.
    pub unchanged: u64,
    /// What was planned.
    pub plan: Plan,
    /// What could not be set exactly (owner as a user, devices, attributes), with the reason.
    pub inexact: Vec<(RepoPathBuf, String)>,
    /// What the store has lost, with the reason: left as it is.
    pub damaged: Vec<(RepoPathBuf, String)>,
    /// Paths that changed after they were saved: left as they are.
    pub changed: Vec<RepoPathBuf>,
    /// Left unchanged because programs are using it.
    pub in_use: Vec<InUse>,
    /// The commit beside the branch that holds the changed paths.
    pub aside: Option<CommitId>,
    /// Of the target: paths it does not cover, left alone.
    pub uncovered: Vec<Uncovered>,
    /// Files that were written and had kept changing while the target recorded them: they may be a mix of two states.
    pub torn: Vec<RepoPathBuf>,
    /// Directories that the target does not have, kept because they contain something that is not recorded.
    pub kept: Vec<RepoPathBuf>,
    /// Paths that were not selected or not covered, and changed together with their database file.
    pub journals: Vec<RepoPathBuf>,
    /// Journals that were left unchanged because the target does not cover their database file.
    pub left_journals: Vec<RepoPathBuf>,
    /// Paths that were not selected, and got the time of a selected name of the same file.
    pub other_names: Vec<RepoPathBuf>,
}

/// Records paths that changed meanwhile upon what a commit has; gives that commit, if there is something to record.
pub type SetAside<'a> = &'a mut dyn FnMut(&Repository, CommitId, &[RepoPathBuf]) -> Option<(CommitId, Stored)>;

/// Plans how the worktree that was scanned becomes the target; nothing is written. What is in the way is in
/// [`Plan::conflicts`]. What is in the way and already as the target has it becomes known to the scan's index.
pub fn plan(store: &Store, worktree: &Worktree, scan: &mut Scan, target: &Target) -> Result<Plan> {
    let found = std::mem::take(&mut scan.objects);
    let live = Overlay { below: store, objects: &found };
    let objects = Overlay { below: &live, objects: &target.objects };
    let blob = |directory: &RepoPath, id| -> Result<Vec<u8>> {
        // Of a mix they may be those that are there, not yet recorded.
        if !store.contains_blob(id)
            && let Some(rules) = obstacles::live_rules(&worktree.root, directory, id)
        {
            return Ok(rules);
        }
        let rules = store.read_blob(id, ignore::LONGEST)?;
        rules.ok_or_else(|| Error::damaged(format!("blob `{id}` is longer than the tree says")))
    };
    let rules = TreeRules::new(&objects, &target.root, &blob);
    let way = Obstacles::new(&worktree.root, &scan.uncovered);
    let questions = Questions {
        ignores: &|path, is_directory| rules.ignores(path, is_directory),
        found: &|path, entry| way.look(&objects, path, entry),
        is_file: &|path| way.is_file(path),
        is_halfway: &|path| unfinished::is_halfway(&objects, &target.halfway, path),
    };
    let plan = planner::plan(&objects, scan, target, &questions);
    drop(rules);
    scan.objects = found;
    let plan = plan?;
    obstacles::check_spelling(&worktree.root, &plan)?;
    Ok(plan)
}

/// Paths that a plan would leave unchanged because programs are using them.
pub fn in_use(worktree: &Worktree, scan: &Scan, plan: &Plan) -> Result<Vec<InUse>> {
    Ok(in_use::find(&worktree.root, &scan.index, plan, Look::Everything)?.list)
}

/// Makes the worktree the target. The scan is of a worktree that is saved: [`Options::saved`] is the commit that was made
/// for that, if one was needed.
///
/// Order: plan, refuse if anything uncovered is in the way, intent in the journal, worktree, what changed meanwhile set
/// aside, operation in the journal, index. After a failure in the middle the intent stays open, and the error says what to do.
pub fn run(
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    mut scan: Scan,
    target: &Target,
    mut options: Options,
    set_aside: SetAside<'_>,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let plan = match options.plan.take() {
        Some(plan) => plan,
        None => plan(transaction.repository().store(), worktree, &mut scan, target)?,
    };
    check_conflicts(&plan, options.force)?;
    check_unsaved_journals(&plan)?;
    let from = options.origin.worktree.or(transaction.repository().view().at());
    let goes_on = transaction.repository().unfinished().is_some();
    let (mut tally, mut busy) = (ApplyOutcome::default(), Left::default());
    if !plan.is_empty() {
        staging::check_writable(&worktree.root)?;
        let token = std::hash::RandomState::new().hash_one(());
        transaction.intend(operation::intent(transaction.repository(), token, (from, target.commit), &options))?;
        let site = StagingArea::new(&worktree.root, Some(token));
        if let Some(access) = options.access.take() {
            site.disturbed().extend(access.hand_over());
        }
        busy = if options.force {
            Left::default()
        } else {
            in_use::find(&worktree.root, &scan.index, &plan, Look::Ahead)?
        };
        let when_open = in_use::when_open(worktree, options.force)?;
        let limits = Limits::of(&transaction.repository().layout, options.trust_owner);
        let how = (&plan, &busy, when_open, limits);
        carry_out(site, transaction.repository().store(), (&scan, target), how, &mut tally, progress)
            .and_then(|()| settle(worktree, &plan, &mut scan.index, &mut tally, goes_on))
            .map_err(unfinished)?;
    } else {
        durable::flush(worktree, &plan, &tally, goes_on).map_err(unfinished)?;
    }
    // Some paths of a commit are no commit: what is known of the worktree then is only where it came from.
    let left = from.filter(|_| !options.paths.is_empty()).unwrap_or(target.commit);
    let repository = transaction.repository();
    let changed: Vec<RepoPathBuf> = tally.changed.iter().cloned().collect();
    let aside = if changed.is_empty() { None } else { set_aside(repository, left, &changed) };
    let (aside, stored) = aside.map_or_else(Default::default, |(commit, stored)| (Some(commit), stored));
    let in_use = busy.all(&worktree.root, &tally.in_use);
    let outcome = Outcome { aside, in_use, ..outcome(from, options.saved, target, plan, tally) };
    let new_operation = NewOperation {
        stored,
        worktree: Some((from, left)),
        ..operation::new_operation(repository, &outcome, &options)
    };
    let has_acted = !outcome.plan.is_empty();
    let moves_refs = !new_operation.edits.is_empty() || new_operation.switch.is_some();
    let is_nothing = !has_acted
        && !moves_refs
        && outcome.saved.is_none()
        && !operation::is_step(repository, new_operation.undo_position)?;
    if !is_nothing || repository.unfinished().is_some() {
        transaction.record(new_operation).map_err(if has_acted { unfinished } else { |error| error })?;
    }
    if has_acted || outcome.saved.is_some() {
        // A cache: without it the next scan reads more, and nothing else.
        let _ = scan.index.write(&transaction.repository().layout.index());
    }
    Ok(outcome)
}

/// [`ErrorKind::Refused`] if something is in the way; `forced` if it was tried to save that.
pub fn check_conflicts(plan: &Plan, forced: bool) -> Result<()> {
    let Some(first) = plan.conflicts.first() else { return Ok(()) };
    let count = plan.conflicts.len();
    let (first, others) = (first.display(), number::and_more(count));
    let message = format!("`{first}`{others} would be replaced, but no commit has this content");
    let them = pluralize(count, "it", "them");
    let hint = match forced {
        false => format!("move {them} away, or use `--force` to save {them} first"),
        true => {
            let they = pluralize(count, "it", "they");
            format!("{they} cannot be saved: make {them} readable, or move {them} away")
        }
    };
    Err(Error::new(ErrorKind::Refused, message).hint(hint).paths(plan.conflicts.clone()))
}

/// [`ErrorKind::Refused`] if something in the way would lose metadata that no commit has.
pub fn check_metadata_conflicts(plan: &Plan) -> Result<()> {
    let Some((first, _)) = plan.metadata_conflicts.first() else { return Ok(()) };
    let paths = plan.metadata_conflicts.iter().map(|(path, _)| path.clone()).collect();
    let message = format!("`{}` has unsaved metadata (mode, owner, time or attributes)", first.display());
    Err(Error::new(ErrorKind::Refused, message).hint("move it away").paths(paths))
}

/// [`ErrorKind::Refused`] if no commit covers the journal of a database file that the plan changes.
pub fn check_unsaved_journals(plan: &Plan) -> Result<()> {
    let Some(first) = plan.unsaved_journals.first() else { return Ok(()) };
    let others = number::and_more(plan.unsaved_journals.len());
    let message =
        format!("`{}`{others} belongs to a database file that would change, and cannot be saved", first.display());
    let hint = "make it readable, or close the database and move it away";
    Err(Error::new(ErrorKind::Refused, message).hint(hint).paths(plan.unsaved_journals.clone()))
}

/// Files that the plan removes or replaces, and whose saved content cannot be read any more: they are the last good copy.
/// What only moves stays.
pub fn last_copies(store: &Store, scan: &Scan, plan: &Plan) -> Vec<(RepoPathBuf, BlobId)> {
    let torn = torn(scan);
    let moved = RenamePlan::of(plan, &scan.index, &|path| !torn.contains(path)).numbers();
    let goes = |n: &usize| match plan.verdict(*n) {
        Verdict::Replace | Verdict::Link => true,
        Verdict::Remove => !moved.contains(n),
        _ => false,
    };
    let content = |n: usize| scan.index.find(&plan.path(n)).and_then(|record| record.to_entry().blob());
    let going = |n: usize| {
        if !goes(&n) {
            return None;
        }
        let coming = plan.file(n).map(|(blob, _)| blob);
        Some(Outgoing { blob: content(n)?, coming })
    };
    let lost = store.unreadable(plan.end(), &going);
    lost.into_iter().filter_map(|n| Some((plan.path(n), content(n)?))).collect()
}

/// What was saved while it was changing.
fn torn(scan: &Scan) -> HashSet<&RepoPath> {
    scan.torn.iter().map(|path| &**path).collect()
}

/// Does what the plan lists.
fn carry_out(
    site: StagingArea<'_>,
    store: &Store,
    (scan, target): (&Scan, &Target),
    (plan, left, when_open, limits): (&Plan, &Left, WhenOpen, Option<Limits>),
    tally: &mut ApplyOutcome,
    progress: &dyn Progress,
) -> Result<()> {
    let live = Overlay { below: store, objects: &scan.objects };
    let task = progress.start("restoring", Unit::Bytes, Some(plan.bytes_to_write()));
    let torn = torn(scan);
    let is_stat_doubtful = site.root().file_system()?.mapped_stores == MappedStores::FirstUnlessRead;
    let work = ApplyContext {
        site,
        is_stat_doubtful,
        store,
        objects: &Overlay { below: &live, objects: &target.objects },
        target: &target.root,
        saved: &scan.index,
        moved: RenamePlan::of(plan, &scan.index, &|path| !torn.contains(path) && !left.covers(path)),
        torn,
        left,
        when_open,
        plan,
        limits,
        task: &*task,
    };
    apply::apply(&work, tally)
}

/// Makes durable what was done; where that takes long, the index learns in the meantime what stands there now.
fn settle(
    worktree: &Worktree,
    plan: &Plan,
    index: &mut Builder,
    tally: &mut ApplyOutcome,
    goes_on: bool,
) -> Result<()> {
    let done = &*tally;
    let learned = if durable::is_whole(done, goes_on) {
        let (learned, flushed) = parallel::join(
            || refresh_index::update(index, &worktree.root, plan, done),
            || durable::flush(worktree, plan, done, goes_on),
        );
        flushed.and(learned)
    } else {
        durable::flush(worktree, plan, done, goes_on)
            .and_then(|()| refresh_index::update(index, &worktree.root, plan, done))
    };
    tally.inexact.extend(learned?);
    Ok(())
}

/// Reason for not restoring an entry over which something is mounted.
pub const MOUNTED: &str = "something is mounted there";

/// A failure in the middle.
fn unfinished(error: Error) -> Error {
    error
        .context("the checkout is not finished")
        .hint("once the cause is gone, `undo checkout --continue` finishes it, and `undo undo` takes it back")
}

fn outcome(
    from: Option<CommitId>,
    saved: Option<CommitId>,
    target: &Target,
    plan: Plan,
    tally: ApplyOutcome,
) -> Outcome {
    let mounts: Vec<_> = plan.mounts.iter().map(|path| (path.clone(), MOUNTED.to_owned())).collect();
    let is_written = |n: &usize| tally.placed(*n).is_some() && plan.is_worth_counting(*n);
    let has_new_content = |path: &&RepoPathBuf| {
        let placed = plan.find(path).filter(|n| tally.placed(*n).is_some());
        placed.is_some_and(|n| plan.verdict(n) != Verdict::Touch)
    };
    let torn = target.torn.iter().filter(has_new_content).cloned().collect();
    let is_removed = |path: &RepoPath| plan.find(path).is_some_and(|n| tally.is_removed(n));
    let is_done = |path: &&RepoPathBuf| has_new_content(path) || is_removed(path);
    let mut journals: Vec<_> = plan.journals.iter().chain(&target.journals).filter(is_done).cloned().collect();
    journals.sort();
    Outcome {
        from,
        to: Some(target.commit),
        saved,
        written: plan.numbers().filter(is_written).count() as u64,
        deleted: plan.numbers().filter(|n| tally.is_removed(*n)).count() as u64,
        unchanged: plan.unchanged,
        torn,
        journals,
        kept: plan.kept.clone(),
        left_journals: plan.left_journals.clone(),
        other_names: target.other_names.clone(),
        plan,
        inexact: tally.inexact.into_iter().chain(mounts).collect(),
        damaged: tally.damaged.into_iter().collect(),
        changed: tally.changed.into_iter().collect(),
        in_use: Vec::new(),
        aside: None,
        uncovered: target.uncovered.clone(),
    }
}

#[cfg(test)]
mod tests;
