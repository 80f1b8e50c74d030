//! What `checkout` and `restore` share: record what is unsaved, then go back.

mod step;
mod tell;

use crate::checkout::{self, Access, Origin, Plan, Target};
use crate::commands::Context;
use crate::compare;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::history::entry_at;
use crate::history::reflog::Refs;
use crate::history::timeline::Destination;
use crate::id::CommitId;
use crate::number::pluralize;
use crate::object::operation::{Intent, RefName, UndoPosition, Verb, View};
use crate::object::{Content, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::{Repository, Transaction};
use crate::snapshot::{self, AfterSnapshot};
use crate::worktree::database::database_of;
use crate::worktree::{Scan, Worktree};

pub use step::{Step, StepOptions, step, take_back};
pub use tell::not_exact;

/// Where to go, and how.
pub struct Request {
    /// The commit.
    pub to: CommitId,
    /// StepOptions it was named, where that means another commit while a checkout is unfinished: what that one saved first is
    /// current then.
    pub relative: Option<String>,
    /// Only these paths; the branch stays where it is.
    pub paths: Vec<RepoPathBuf>,
    /// The branch to switch to.
    pub branch: Option<String>,
    /// Save what is in the way although nothing covers it.
    pub force: bool,
    /// As root, set also what another user recorded and only root may set.
    pub trust_owner: bool,
    /// Only tell what would be done.
    pub dry_run: bool,
    /// The command that is recorded.
    pub verb: Verb,
    /// What did not end, if this finishes it.
    pub resumed: Option<Intent>,
    /// Where a step through operations leads, if it is one.
    pub step: Option<Destination>,
}

impl Request {
    /// Of the whole directory, by a command of this verb.
    pub fn new(to: CommitId, verb: Verb) -> Request {
        Request {
            to,
            relative: None,
            paths: Vec::new(),
            branch: None,
            force: false,
            trust_owner: false,
            dry_run: false,
            verb,
            resumed: None,
            step: None,
        }
    }

    /// Whether it finishes what was interrupted, or takes it back.
    fn ends_unfinished(&self) -> bool {
        self.resumed.is_some() || self.step.as_ref().is_some_and(|step| step.interrupted.is_some())
    }

    fn undo_position(&self) -> Option<UndoPosition> {
        let step = self.step.as_ref().and_then(|step| step.undo_position);
        step.or_else(|| self.resumed.as_ref().and_then(Intent::undo_position))
    }

    /// What is said of it in the operation, before what it did.
    fn about(&self) -> String {
        match &self.step {
            Some(step) => step::about(&self.verb, step),
            None if self.resumed.is_some() => "finished after an interruption, ".to_owned(),
            None => String::new(),
        }
    }
}

/// A worktree that is saved, and what it becomes.
struct PreparedCheckout {
    /// The commit that was made of what was unsaved, if anything was.
    saved: Option<CommitId>,
    scan: Scan,
    target: Target,
    plan: Plan,
}

/// Records what is unsaved, then goes there.
pub fn go(context: &Context<'_>, mut repository: Repository, request: &Request) -> Result<Exit> {
    if request.dry_run {
        return plan(context, &repository, &context.worktree(&repository)?, request);
    }
    let outcome = carry_out(context, &mut repository, request)?;
    tell::outcome(context, &repository, request, &outcome)
}

/// The same without a word of what was done.
fn carry_out(context: &Context<'_>, repository: &mut Repository, request: &Request) -> Result<checkout::Outcome> {
    let mut worktree = context.worktree(repository)?;
    let mut transaction = repository.begin()?;
    // Not before: another command may have moved them.
    let at = transaction.repository().view().at();
    let origin = Origin::now(transaction.repository(), request.ends_unfinished());
    if let Some(step) = &request.step {
        step::check_not_outdated(transaction.repository(), step)?;
    }
    if !request.paths.is_empty() && request.resumed.is_none() {
        checkout::check_paths_allowed(transaction.repository())?;
        let store = transaction.repository().store();
        Target::commit(store, request.to)?.check_names(store, &worktree.root, &request.paths)?;
    }
    if let Some(name) = &request.relative {
        checkout::check_not_halfway(transaction.repository(), name)?;
    }
    clear_unfinished(context, transaction.repository(), &worktree)?;
    if let Some(intent) = &request.resumed {
        transaction.go_on_from(intent)?;
    }
    let mut access = Access::new(transaction.repository(), &worktree)?;
    let ready = save(context, &mut transaction, (&mut worktree, &mut access), request)?;
    rescue(context, &mut transaction, &worktree, &ready)?;
    // Where that commit is lost, all was recorded anew, and the branch stays there.
    let is_lost = at.is_some_and(|id| transaction.repository().store().commit(id).is_err());
    let at = if is_lost { transaction.repository().view().at() } else { at };
    let options = checkout::Options {
        paths: request.paths.clone(),
        force: request.force,
        trust_owner: request.trust_owner,
        refs: Some(refs(transaction.repository().view(), at, request)),
        saved: ready.saved,
        origin,
        undo_position: request.undo_position(),
        about: request.about(),
        verb: request.verb.clone(),
        plan: Some(ready.plan),
        access: Some(access),
    };
    let (scan, target, progress) = (ready.scan, &ready.target, context.ui.progress());
    let set_aside = &mut |repository: &Repository, base, paths: &[RepoPathBuf]| {
        snapshot::set_aside(repository, &worktree, base, paths, progress).unwrap_or_else(|error| {
            // They are where they were, so nothing is lost.
            context.ui.warning(format_args!("changes made during the checkout are not recorded: {error}"));
            None
        })
    };
    checkout::run(&mut transaction, &worktree, scan, target, options, set_aside, progress)
}

fn plan(context: &Context<'_>, repository: &Repository, worktree: &Worktree, request: &Request) -> Result<Exit> {
    let mut scan = compare::look(repository, worktree, &[], context.ui.progress())?;
    context.warn_about_rules(&scan.ignore_warnings);
    context.warn_about_index(&scan);
    let (_, mut plan) = way(repository, worktree, &mut scan, request)?;
    let closed = closed_directories(repository, worktree, &scan, (request, &plan))?;
    plan.conflicts.retain(|path| !closed.iter().any(|directory| path.is_within(directory)));
    let at = repository.view().at().map(|id| repository.store().commit(id)).transpose()?;
    let is_unsaved = at.is_none_or(|commit| commit.root.tree() != scan.root.tree());
    let in_use = if request.force { Vec::new() } else { checkout::in_use(worktree, &scan, &plan)? };
    tell::plan(context, &plan, (&closed, &in_use), is_unsaved, request.force)
}

/// Sets back the modes of directories that a command which was killed had opened, before its intent was in the journal.
pub fn close_directories(context: &Context<'_>, repository: &mut Repository) -> Result<()> {
    if !checkout::has_left_open(&repository.layout) {
        return Ok(());
    }
    let worktree = context.worktree(repository)?;
    let transaction = repository.begin()?;
    Access::new(transaction.repository(), &worktree).map(drop)
}

/// Removes what an unfinished checkout staged: before anything is recorded, since it touches the folders it is in.
pub(super) fn clear_unfinished(context: &Context<'_>, repository: &Repository, worktree: &Worktree) -> Result<()> {
    let Some(intent) = repository.unfinished() else { return Ok(()) };
    let kept = checkout::clean_staged(worktree, repository.store(), intent.token)?;
    context.report_paths("left by the unfinished checkout and not saved", &kept);
    Ok(())
}

/// Records what is unsaved; also what is in the way, if only its metadata would be lost, where an unfinished checkout has
/// hidden it, or with `--force`.
fn save(
    context: &Context<'_>,
    transaction: &mut Transaction<'_>,
    (worktree, access): (&mut Worktree, &mut Access),
    request: &Request,
) -> Result<PreparedCheckout> {
    let mut obstacles = Obstacles { opens: true, ..Obstacles::default() };
    loop {
        let saved = save_despite(context, transaction, worktree, request, &mut obstacles);
        let closed = std::mem::take(&mut obstacles.closed);
        if saved.is_err() && !closed.is_empty() {
            let repository = transaction.repository();
            obstacles.opens = access.open(worktree, closed, &|path| is_recorded(repository, request, path))?;
        } else if saved.is_err() && !obstacles.in_the_way.is_empty() {
            return save_despite(context, transaction, worktree, request, &mut obstacles);
        } else {
            return saved;
        }
    }
}

/// What keeps a request from being carried out, as far as something can be done about it.
#[derive(Default)]
struct Obstacles {
    /// Not covered by the scan, and can be recorded.
    in_the_way: Vec<RepoPathBuf>,
    /// Whether directories are to be opened.
    opens: bool,
    /// Directories that must be opened first.
    closed: Vec<RepoPathBuf>,
}

/// Closed directories that have to be opened for a plan: the current commit or the one gone to covers what is in them.
fn closed_directories(
    repository: &Repository,
    worktree: &Worktree,
    scan: &Scan,
    (request, plan): (&Request, &Plan),
) -> Result<Vec<RepoPathBuf>> {
    let mut recorded = Vec::new();
    for directory in checkout::closed_directories(worktree, scan, plan) {
        if is_recorded(repository, request, &directory)? {
            recorded.push(directory);
        }
    }
    Ok(recorded)
}

/// Whether the current commit or the one gone to has a directory at a path, and covers what is in it.
fn is_recorded(repository: &Repository, request: &Request, path: &RepoPath) -> Result<bool> {
    let store = repository.store();
    for id in [Some(request.to), repository.view().at()].into_iter().flatten() {
        // The current one may be damaged, and is recorded anew then.
        let Ok(commit) = store.commit(id) else { continue };
        let is_unknown = || commit.uncovered.iter().any(|one| one.path.is_within(path) || path.is_within(&one.path));
        match entry_at(store, &commit.root, path)?.map(|entry| entry.content) {
            Some(Content::Directory { entries, .. }) if entries > 0 || !is_unknown() => return Ok(true),
            _ => {}
        }
    }
    Ok(false)
}

/// Records what is unsaved, unless the request is refused: `@` must still be what it was when it is made again. Fails too
/// if something is in the way that can be recorded, which is to be given when it is called again, or if directories must be
/// opened.
fn save_despite(
    context: &Context<'_>,
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    request: &Request,
    Obstacles { in_the_way, opens, closed }: &mut Obstacles,
) -> Result<PreparedCheckout> {
    let message = format!("before {} {}", request.verb, request.to.short());
    let verb = request.verb.clone();
    let (is_again, despite_rules) = (!in_the_way.is_empty(), in_the_way.clone());
    let options = snapshot::Options {
        message,
        automatic: true,
        prepares: true,
        despite_rules: despite_rules.clone(),
        verb,
        ..snapshot::Options::default()
    };
    let at = transaction.repository().view().at();
    let mut found = None;
    let mut check = |repository: &Repository, scan: &mut Scan| {
        let (target, plan) = way(repository, worktree, scan, request)?;
        if *opens {
            *closed = closed_directories(repository, worktree, scan, (request, &plan))?;
            if !closed.is_empty() {
                return Err(Error::new(ErrorKind::Refused, "directories must be opened first"));
            }
        }
        let is_hidden = || checkout::are_hidden_halfway(repository, &plan.conflicts);
        let saves = request.force || plan.conflicts.is_empty() || request.ends_unfinished() && is_hidden()?;
        if !is_again && saves {
            in_the_way.extend(plan.to_be_saved());
        }
        checkout::check_conflicts(&plan, is_again)?;
        checkout::check_metadata_conflicts(&plan)?;
        checkout::check_unsaved_journals(&plan)?;
        checkout::check_free_space(repository.store(), worktree, scan, &target, &plan)?;
        let next = match plan.is_empty() {
            // Refs stay as they are, too.
            true if !request.paths.is_empty() && !request.ends_unfinished() => AfterSnapshot::Nothing,
            true => AfterSnapshot::Rest,
            false => AfterSnapshot::Change,
        };
        found = Some((target, plan));
        Ok(next)
    };
    let (outcome, scan) = snapshot::take_checked(transaction, worktree, &options, context.ui.progress(), &mut check)?;
    context.warn_damage(outcome.damage.as_deref());
    context.warn_about_rules(&scan.ignore_warnings);
    context.warn_about_index(&scan);
    let (target, plan) = found.expect("a scan that is not checked is not given");
    let saved = outcome.commit.filter(|commit| Some(*commit) != at);
    let mut plan = plan;
    plan.journals.extend(despite_rules.into_iter().filter(|path| database_of(path).is_some()));
    plan.journals.sort();
    plan.journals.dedup();
    Ok(PreparedCheckout { saved, scan, target, plan })
}

/// Stores anew what is about to go, where the repository's own copy of it is damaged.
fn rescue(
    context: &Context<'_>,
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    ready: &PreparedCheckout,
) -> Result<()> {
    let files = checkout::last_copies(transaction.repository().store(), &ready.scan, &ready.plan);
    if files.is_empty() {
        return Ok(());
    }
    let failed = snapshot::store_again(transaction, worktree, &files)?;
    if let Some(first) = failed.first() {
        let message = format!("`{}` would be removed, but its saved copy is damaged", first.display());
        return Err(Error::new(ErrorKind::Refused, message).hint("move it away, then see `undo verify`").paths(failed));
    }
    let paths: Vec<RepoPathBuf> = files.into_iter().map(|(path, _)| path).collect();
    let (one, several) = (
        "the saved copy was damaged and has been saved again",
        "the saved copies were damaged and have been saved again",
    );
    context.report_paths(pluralize(paths.len(), one, several), &paths);
    Ok(())
}

/// What the worktree becomes, and how.
fn way(repository: &Repository, worktree: &Worktree, scan: &mut Scan, request: &Request) -> Result<(Target, Plan)> {
    let mut target = Target::commit(repository.store(), request.to)?.only(repository.store(), scan, &request.paths)?;
    if let Some(intent) = repository.unfinished() {
        target.halfway = intent.from.into_iter().chain([intent.to]).collect();
    }
    let plan = checkout::plan(repository.store(), worktree, scan, &target)?;
    Ok((target, plan))
}

/// What refs become, from what they are now that all is recorded. `restore` leaves the branch where it was: the commit
/// that holds what was unsaved stays beside it.
fn refs(view: &View, at: Option<CommitId>, request: &Request) -> Refs {
    if let Some(step) = &request.step {
        return step.refs.clone();
    }
    if let Some(intent) = &request.resumed {
        return checkout::refs_to_finish(view, intent);
    }
    let mut refs = Refs::of(view);
    match &request.branch {
        Some(branch) => refs.current.clone_from(branch),
        None if request.paths.is_empty() => refs.set(&RefName::Branch(view.current.clone()), Some(request.to)),
        None => refs.set(&RefName::Branch(view.current.clone()), at),
    }
    refs
}
