//! What `checkout` and `restore` share: record what is unsaved, then go back.

mod tell;

use crate::checkout::{self, Plan, Target};
use crate::commands::Context;
use crate::compare;
use crate::error::{Exit, Result};
use crate::id::CommitId;
use crate::object::Objects;
use crate::object::operation::{Intent, RefEdit, RefName};
use crate::path::RepoPathBuf;
use crate::repo::{Repository, Transaction};
use crate::snapshot;
use crate::worktree::{Scan, Worktree};

/// Where to go, and how.
pub struct Request {
    /// The commit.
    pub to: CommitId,
    /// Only these paths; the branch stays where it is.
    pub paths: Vec<RepoPathBuf>,
    /// The branch to switch to.
    pub branch: Option<String>,
    /// Save what is in the way although nothing covers it.
    pub force: bool,
    /// Only tell what would be done.
    pub dry_run: bool,
    /// `checkout` or `restore`.
    pub verb: &'static str,
    /// What did not end, if this finishes it.
    pub resumed: Option<Intent>,
}

/// A worktree that is saved, and what it becomes.
struct Ready {
    /// The commit that was made of what was unsaved, if anything was.
    saved: Option<CommitId>,
    scan: Scan,
    target: Target,
    plan: Plan,
}

/// Records what is unsaved, then goes there.
pub fn go(context: &Context<'_>, mut repository: Repository, request: &Request) -> Result<Exit> {
    let worktree = context.worktree(&repository)?;
    if request.dry_run {
        return plan(context, &repository, &worktree, request);
    }
    let mut transaction = repository.begin()?;
    // Not before: another command may have moved them.
    let view = transaction.repository().view();
    let (at, branch) = (view.at(), view.current.clone());
    if !request.paths.is_empty() && request.resumed.is_none() {
        checkout::refuse_paths(transaction.repository())?;
    }
    clear_unfinished(context, transaction.repository(), &worktree)?;
    let ready = save(context, &mut transaction, &worktree, request)?;
    let options = checkout::Options {
        paths: request.paths.clone(),
        force: request.force,
        branch: request.branch.clone(),
        edits: edits(transaction.repository(), at, ready.saved, request),
        verb: request.verb.to_owned(),
        plan: Some(ready.plan),
    };
    let (scan, target, progress) = (ready.scan, &ready.target, context.ui.progress());
    let outcome = checkout::run(&mut transaction, &worktree, scan, ready.saved, target, options, progress)?;
    drop(transaction);
    tell::outcome(context, &repository, (&branch, request), &outcome)
}

fn plan(context: &Context<'_>, repository: &Repository, worktree: &Worktree, request: &Request) -> Result<Exit> {
    let mut scan = compare::look(repository, worktree, &[], context.ui.progress())?;
    let (_, plan) = way(repository, worktree, &mut scan, request)?;
    let at = repository.view().at().map(|id| repository.store().commit(id)).transpose()?;
    let is_unsaved = at.is_none_or(|commit| commit.root.tree() != scan.root.tree());
    tell::plan(context, &plan, is_unsaved, request.force)
}

/// Removes what an unfinished checkout staged: before anything is recorded, since it touches the folders it is in.
fn clear_unfinished(context: &Context<'_>, repository: &Repository, worktree: &Worktree) -> Result<()> {
    let Some(intent) = repository.unfinished() else { return Ok(()) };
    let kept = checkout::clean_staged(worktree, repository.store(), intent.token)?;
    context.tell_paths("left by the unfinished checkout, and saved nowhere", &kept);
    Ok(())
}

/// Records what is unsaved, and then with `--force` what is in the way.
fn save(
    context: &Context<'_>,
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    request: &Request,
) -> Result<Ready> {
    let ready = save_despite(context, transaction, worktree, request, Vec::new())?;
    if ready.plan.conflicts.is_empty() {
        return Ok(ready);
    }
    let again = save_despite(context, transaction, worktree, request, ready.plan.conflicts)?;
    Ok(Ready { saved: again.saved.or(ready.saved), ..again })
}

/// Records what is unsaved, unless the request is refused: `@` must still be what it was when it is made again.
fn save_despite(
    context: &Context<'_>,
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    request: &Request,
    despite_rules: Vec<RepoPathBuf>,
) -> Result<Ready> {
    let message = format!("before {} {}", request.verb, request.to.short());
    let verb = request.verb.to_owned();
    let is_last = !despite_rules.is_empty() || !request.force;
    let options = snapshot::Options { message, automatic: true, despite_rules, verb, paths: Vec::new() };
    let mut found = None;
    let mut check = |repository: &Repository, scan: &mut Scan| {
        let (target, plan) = way(repository, worktree, scan, request)?;
        if is_last {
            checkout::refuse_conflicts(&plan, request.force)?;
        }
        found = Some((target, plan));
        Ok(())
    };
    let (outcome, scan) = snapshot::take_checked(transaction, worktree, &options, context.ui.progress(), &mut check)?;
    context.tell_damage(outcome.damage.as_deref());
    let (target, plan) = found.expect("a scan that is not checked is not given");
    Ok(Ready { saved: outcome.commit.filter(|_| outcome.created), scan, target, plan })
}

/// What the worktree becomes, and how.
fn way(repository: &Repository, worktree: &Worktree, scan: &mut Scan, request: &Request) -> Result<(Target, Plan)> {
    let target = Target::commit(repository.store(), request.to)?.only(repository.store(), scan, &request.paths)?;
    let plan = checkout::plan(repository.store(), worktree, scan, &target)?;
    Ok((target, plan))
}

/// Changes of refs that are not the usual ones. `restore` leaves the branch alone: the commit that holds what was unsaved
/// stays beside it.
fn edits(
    repository: &Repository,
    at: Option<CommitId>,
    saved: Option<CommitId>,
    request: &Request,
) -> Option<Vec<RefEdit>> {
    let view = repository.view();
    if let Some(intent) = &request.resumed {
        return Some(checkout::edits_to_finish(view, intent));
    }
    let saved = saved.filter(|_| !request.paths.is_empty())?;
    Some(vec![RefEdit { name: RefName::Branch(view.current.clone()), old: Some(saved), new: at }])
}
