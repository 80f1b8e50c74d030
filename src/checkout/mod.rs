//! Makes the worktree what a commit holds: plan, then apply.
//!
//! Guarantees: unsaved content is never overwritten or removed; paths that no commit covers are never touched; each name changes
//! atomically; after a failure, the same command or `checkout --continue` reaches an exact state. `docs/metadata.md` lists what
//! is restored.

mod access;
mod durable;
mod execution;
mod journals;
mod links;
mod obstacles;
mod operation;
mod planner;
mod space;
mod unfinished;
mod unreachable;

use serde::Serialize;

use crate::apply::fetched_files::FetchedFiles;
use crate::apply::in_use::{self, CheckScope, InUsePaths};
use crate::apply::outcome::ApplyOutcome;
use crate::apply::plan::Verdict;
use crate::error::{Error, ErrorKind, Result};
use crate::id::{BlobId, CommitId};
use crate::message::Message;
use crate::number::{self, pluralize};
use crate::object::commit::Uncovered;
use crate::object::operation::{ForgottenCommit, HistoryEdit, Refs, UndoPosition, Verb};
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::Repository;
use crate::serialize::{or_empty, reasons};
use crate::store::{Outgoing, Store};
use crate::worktree::ignore::TreeRules;
use crate::worktree::{Overlay, Scan, Worktree};

use execution::renames;
use obstacles::Obstacles;
use space::check_free_space;

pub use crate::apply::in_use::InUse;
pub use crate::apply::{Action, Plan, Target};
pub use access::{Access, closed_directories, has_left_open};
pub use execution::Checkout;
pub use operation::describe;
pub use unfinished::{
    HALF_DONE, Origin, are_hidden_halfway, check_automatic_allowed, check_no_mix, check_not_halfway,
    check_paths_allowed, clean_staged, refs_to_finish,
};
pub use unreachable::add_unreachable;

/// How to apply a plan, and what to record.
#[derive(Debug, Default)]
pub struct Options {
    /// Restore only these paths; the branch stays where it is. Empty means the whole worktree.
    pub paths: Vec<RepoPathBuf>,
    /// Obstacles have been saved where possible; selects the wording of a refusal. Files that programs are using are
    /// replaced.
    pub force: bool,
    /// As root, set owners, set-id bits, capabilities and devices even if another user owns the repository.
    pub trust_owner: bool,
    /// Refs after the checkout. `None` moves the current branch to the target.
    pub refs: Option<Refs>,
    /// The automatic commit of unsaved content, if one was needed.
    pub saved: Option<CommitId>,
    /// The current commit before anything was saved.
    pub at: Option<CommitId>,
    /// The state before the checkout.
    pub origin: Origin,
    /// The position that a step through operations reaches.
    pub undo_position: Option<UndoPosition>,
    /// What that step changes in the history.
    pub history: HistoryEdit,
    /// Automatic commits to forget with the operation. `None` if thinning is not due.
    pub thins: Option<Vec<ForgottenCommit>>,
    /// Beginning of the description of the operation; may be empty.
    pub about: String,
    /// The command that is recorded.
    pub verb: Verb,
    /// The directories that were opened for the checkout.
    pub access: Option<Access>,
    /// Files of the target that were written when they were fetched.
    pub fetched: Option<FetchedFiles>,
}

/// Outcome of a checkout, with the field names of `docs/json.md`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// The commit of the worktree before.
    #[serde(serialize_with = "or_empty")]
    pub from: Option<CommitId>,
    /// The commit that was checked out.
    #[serde(serialize_with = "or_empty")]
    pub to: Option<CommitId>,
    /// The automatic commit of unsaved content, if one was made.
    #[serde(serialize_with = "or_empty")]
    pub saved: Option<CommitId>,
    /// The current branch afterwards.
    pub branch: String,
    /// Entries written or changed.
    pub written: u64,
    /// Entries removed.
    pub deleted: u64,
    /// Entries that did not have to change.
    pub unchanged: u64,
    #[serde(skip)]
    pub(crate) plan: Plan,
    /// Paths that could not be restored exactly (owner, devices, attributes), with reasons.
    #[serde(serialize_with = "reasons")]
    pub inexact: Vec<(RepoPathBuf, String)>,
    /// Paths whose content the store has lost, with reasons. They are unchanged.
    #[serde(serialize_with = "reasons")]
    pub damaged: Vec<(RepoPathBuf, String)>,
    /// Files of the target whose content was purged. Their paths are unchanged.
    pub purged: Vec<RepoPathBuf>,
    /// Paths that changed after they were saved. They are unchanged.
    pub changed: Vec<RepoPathBuf>,
    /// Paths that were left unchanged because programs are using them.
    pub in_use: Vec<InUse>,
    /// The commit outside the branch that holds the changed paths.
    #[serde(serialize_with = "or_empty")]
    pub aside: Option<CommitId>,
    /// Paths that the target does not cover. They are unchanged.
    pub uncovered: Vec<Uncovered>,
    /// Directories that the target does not have, kept because they contain something that is not recorded.
    pub kept: Vec<RepoPathBuf>,
    /// Files that were written and had kept changing while the target recorded them: they may be a mix of two states.
    #[serde(rename = "torn")]
    pub unstable: Vec<RepoPathBuf>,
    /// Paths that were not selected or not covered, and changed together with their database file.
    pub journals: Vec<RepoPathBuf>,
    /// Journals that were left unchanged because the target does not cover their database file.
    pub left_journals: Vec<RepoPathBuf>,
    /// Paths that were not selected, and got the time of a selected name of the same file.
    pub other_names: Vec<RepoPathBuf>,
}

/// Plans how the worktree that was scanned becomes the target; writes nothing. [`Plan::conflicts`] lists what is in the way.
pub fn plan(store: &Store, worktree: &Worktree, scan: &Scan, target: &Target) -> Result<Plan> {
    let live = Overlay { below: store, objects: &scan.objects };
    let objects = Overlay { below: &live, objects: &target.objects };
    let read_rules = |directory: &RepoPath, id| obstacles::read_rules(store, &worktree.root, directory, id);
    let rules = TreeRules::new(&objects, &target.root, &read_rules);
    let obstacles = Obstacles::new((&worktree.root, store), &objects, rules, &target.halfway, &scan.uncovered);
    let plan = planner::plan(scan, target, &obstacles)?;
    obstacles::check_spelling(&worktree.root, &plan)?;
    Ok(plan)
}

/// The outcome of a checkout if everything goes as planned. Reads the content that would be restored, to find damage.
pub fn expected_outcome(
    repository: &Repository,
    worktree: &Worktree,
    scan: &Scan,
    target: &Target,
    plan: Plan,
    force: bool,
) -> Result<Outcome> {
    let left = match force {
        true => InUsePaths::default(),
        false => in_use::find(&worktree.root, &scan.index, &plan, CheckScope::Everything)?,
    };
    let done = ApplyOutcome::expected(&plan, &left, repository.store(), &renames(scan, &plan, &left));
    Ok(Outcome::new(repository.view().at(), target, plan, done, left.list))
}

/// Fails if the plan must not be applied. `has_covered`: everything in the way that can be saved has been covered.
pub fn check(
    store: &Store,
    worktree: &Worktree,
    scan: &Scan,
    target: &Target,
    plan: &Plan,
    has_covered: bool,
) -> Result<()> {
    check_conflicts(plan, has_covered)?;
    check_unsaved(plan)?;
    check_free_space(store, worktree, scan, target, plan)
}

/// [`ErrorKind::Refused`] if content would be replaced that no commit has. `has_covered`: as for [`check`].
fn check_conflicts(plan: &Plan, has_covered: bool) -> Result<()> {
    let them = pluralize(plan.conflicts.len(), "it", "them");
    let hint = match has_covered {
        false => format!("move {them} away, or use `--force` to save {them} first"),
        true => {
            let they = pluralize(plan.conflicts.len(), "it", "they");
            format!("{they} cannot be saved: make {them} readable, or move {them} away")
        }
    };
    refuse(&plan.conflicts, "would be replaced, but no commit has this content", &hint)
}

/// [`ErrorKind::Refused`] if metadata or a journal would be lost that no commit has.
fn check_unsaved(plan: &Plan) -> Result<()> {
    let paths: Vec<_> = plan.metadata_conflicts.iter().map(|(path, _)| path.clone()).collect();
    let have = pluralize(paths.len(), "has", "have");
    let them = pluralize(paths.len(), "it", "them");
    let what = format!("{have} unsaved metadata (mode, owner, time or attributes)");
    refuse(&paths, &what, &format!("move {them} away"))?;
    let belong = pluralize(plan.unsaved_journals.len(), "belongs", "belong");
    let what = format!("{belong} to a database file that would change, and cannot be saved");
    refuse(&plan.unsaved_journals, &what, "make it readable, or close the database and move it away")
}

/// [`ErrorKind::Refused`] if there are paths.
fn refuse(paths: &[RepoPathBuf], what: &str, hint: &str) -> Result<()> {
    let Some(first) = paths.first() else { return Ok(()) };
    let message = Message::path(first) + format!("{} {what}", number::and_more(paths.len()));
    Err(Error::new(ErrorKind::Refused, message).hint(hint).paths(paths.to_vec()))
}

/// Files that the plan removes or replaces, and whose saved content cannot be read any more: they are the last good copy.
/// What only moves stays.
pub fn last_copies(store: &Store, scan: &Scan, plan: &Plan) -> Vec<(RepoPathBuf, BlobId)> {
    let renamed = renames(scan, plan, &InUsePaths::default()).numbers();
    let loses_content = |n: usize| match plan.verdict(n) {
        Verdict::Replace | Verdict::Link => true,
        Verdict::Remove => !renamed.contains(&n),
        _ => false,
    };
    let content = |n: usize| plan.record(&scan.index, &plan.path(n)).and_then(|record| record.to_entry().blob());
    let outgoing = |n: usize| {
        let blob = if loses_content(n) { content(n)? } else { return None };
        Some(Outgoing { blob, coming: plan.file(n).map(|(blob, _)| blob) })
    };
    let lost = store.unreadable(plan.end(), &outgoing);
    lost.into_iter().filter_map(|n| Some((plan.path(n), content(n)?))).collect()
}

impl Outcome {
    fn new(from: Option<CommitId>, target: &Target, plan: Plan, applied: ApplyOutcome, in_use: Vec<InUse>) -> Outcome {
        let unreachable = plan.unreachable.iter().map(|(path, reason)| (path.clone(), (*reason).to_owned()));
        let unreachable: Vec<_> = unreachable.collect();
        let is_written = |n: &usize| applied.placed(*n).is_some() && plan.is_worth_counting(*n);
        let has_new_content = |path: &&RepoPathBuf| {
            let placed = plan.find(path).filter(|n| applied.placed(*n).is_some());
            placed.is_some_and(|n| plan.verdict(n) != Verdict::Touch)
        };
        let unstable = target.unstable.iter().filter(has_new_content).cloned().collect();
        let is_removed = |path: &RepoPath| plan.find(path).is_some_and(|n| applied.is_removed(n));
        let is_done = |path: &&RepoPathBuf| has_new_content(path) || is_removed(path);
        let mut journals: Vec<_> = plan.journals.iter().chain(&target.journals).filter(is_done).cloned().collect();
        journals.sort();
        Outcome {
            from,
            to: Some(target.commit),
            saved: None,
            branch: String::new(),
            written: plan.numbers().filter(is_written).count() as u64,
            deleted: plan.numbers().filter(|n| applied.is_removed(*n)).count() as u64,
            unchanged: plan.unchanged,
            unstable,
            journals,
            kept: plan.kept.clone(),
            left_journals: plan.left_journals.clone(),
            purged: plan.purged.clone(),
            other_names: target.other_names.clone(),
            plan,
            inexact: applied.inexact.into_iter().chain(unreachable).collect(),
            damaged: applied.damaged.into_iter().collect(),
            changed: applied.changed.into_iter().collect(),
            in_use,
            aside: None,
            uncovered: target.uncovered.clone(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
