//! What `checkout` and `restore` share: save what is unsaved, plan, refuse or go, and tell.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;

use serde::Serialize;

use crate::checkout::{self, Action, Outcome, Plan, Target};
use crate::commands::Context;
use crate::commands::sides::Side;
use crate::diff;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::fs;
use crate::history;
use crate::id::{CommitId, ObjectId};
use crate::object::operation::{Intent, RefEdit, RefName, View};
use crate::object::{ObjectKind, Objects};
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::{Repository, Transaction};
use crate::snapshot;
use crate::ui::commits::{JsonUncovered, json_uncovered};
use crate::ui::human::{Count, plural};
use crate::ui::{JsonPath, Page, Report, Role, json_paths, sanitize};
use crate::worktree::{Overlay, Scan, Worktree};

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

/// Goes there.
pub fn go(context: &Context<'_>, mut repository: Repository, request: &Request) -> Result<Exit> {
    let worktree = context.worktree(&repository)?;
    if request.dry_run {
        return tell_plan(context, &repository, &worktree, request);
    }
    let mut transaction = repository.begin()?;
    // Not before: another command may have moved them.
    let view = transaction.repository().view();
    let (at, branch) = (view.at(), view.current.clone());
    refuse_unfinished(transaction.repository(), request)?;
    clear_unfinished(context, &transaction, &worktree)?;
    let (mut saved, mut scan, mut way) = save(context, &mut transaction, &worktree, request, Vec::new())?;
    if !way.plan.conflicts.is_empty() {
        let again;
        (again, scan, way) = save(context, &mut transaction, &worktree, request, way.plan.conflicts)?;
        saved = again.or(saved);
    }
    let options = checkout::Options {
        paths: request.paths.clone(),
        force: request.force,
        branch: request.branch.clone(),
        edits: edits(transaction.repository().view(), at, saved, request),
        verb: request.verb.to_owned(),
        plan: Some(way.plan),
    };
    let progress = context.ui.progress();
    let outcome = checkout::run(&mut transaction, &worktree, scan, saved, &way.target, options, progress)?;
    drop(transaction);
    tell(context, &repository, (&branch, request), &outcome)
}

/// Some paths alone would end the unfinished checkout, and nobody would know any more what the rest was to become.
fn refuse_unfinished(repository: &Repository, request: &Request) -> Result<()> {
    let is_partial = !request.paths.is_empty() && request.resumed.is_none();
    let Some(intent) = repository.unfinished().filter(|_| is_partial) else { return Ok(()) };
    let message = format!("a {} to {} did not end, so single paths are not restored", intent.verb, intent.to.short());
    Err(Error::new(ErrorKind::Refused, message).hint("finish it first: undo checkout --continue"))
}

/// Removes what an unfinished checkout staged: before anything is recorded, since it touches the folders it is in.
fn clear_unfinished(context: &Context<'_>, transaction: &Transaction<'_>, worktree: &Worktree) -> Result<()> {
    let repository = transaction.repository();
    let Some(intent) = repository.unfinished() else { return Ok(()) };
    let kept = checkout::clean_staged(worktree, repository.store(), intent.token)?;
    let kept: Vec<(&RepoPath, &str)> = kept.iter().map(|path| (&**path, "")).collect();
    context.tell_paths("left by the unfinished checkout, and saved nowhere", &kept);
    Ok(())
}

/// What the worktree becomes, and how.
struct Way {
    target: Target,
    plan: Plan,
}

impl Way {
    fn new(repository: &Repository, worktree: &Worktree, scan: &mut Scan, request: &Request) -> Result<Way> {
        let target = target(repository, scan, request)?;
        let plan = checkout::plan(repository.store(), worktree, scan, &target)?;
        Ok(Way { target, plan })
    }
}

/// Records what is unsaved, unless the request is refused: `@` must still be what it was when it is made again.
/// Gives the commit that was made for it, if there was anything.
fn save(
    context: &Context<'_>,
    transaction: &mut Transaction<'_>,
    worktree: &Worktree,
    request: &Request,
    despite_rules: Vec<RepoPathBuf>,
) -> Result<(Option<CommitId>, Scan, Way)> {
    let message = format!("before {} {}", request.verb, request.to.short());
    let verb = request.verb.to_owned();
    let is_last = !despite_rules.is_empty() || !request.force;
    let options = snapshot::Options { message, automatic: true, despite_rules, verb, paths: Vec::new() };
    let mut found = None;
    let mut check = |repository: &Repository, scan: &mut Scan| {
        let way = Way::new(repository, worktree, scan, request)?;
        if is_last {
            checkout::refuse_conflicts(&way.plan, request.force)?;
        }
        found = Some(way);
        Ok(())
    };
    let (outcome, scan) = snapshot::take_checked(transaction, worktree, &options, context.ui.progress(), &mut check)?;
    context.tell_damage(outcome.damage.as_deref());
    let way = found.expect("a scan that is not checked is not given");
    Ok((outcome.commit.filter(|_| outcome.created), scan, way))
}

/// Changes of refs that are not the usual ones. `restore` leaves the branch alone: the commit that holds what was unsaved
/// stays beside it. What was interrupted ends as it was meant, whatever was recorded since.
fn edits(view: &View, at: Option<CommitId>, saved: Option<CommitId>, request: &Request) -> Option<Vec<RefEdit>> {
    let current = RefName::Branch(view.current.clone());
    let Some(intent) = &request.resumed else {
        let saved = saved.filter(|_| !request.paths.is_empty())?;
        return Some(vec![RefEdit { name: current, old: Some(saved), new: at }]);
    };
    let now = |name: &RefName| match name {
        RefName::Branch(name) => view.branches.get(name).copied(),
        RefName::Tag(name) => view.tags.get(name).copied(),
    };
    let mut edits: Vec<RefEdit> =
        intent.edits.iter().map(|edit| RefEdit { old: now(&edit.name), ..edit.clone() }).collect();
    if edits.iter().all(|edit| edit.name != current) {
        edits.push(RefEdit { name: current, old: view.at(), new: intent.from });
    }
    edits.retain(|edit| edit.old != edit.new);
    Some(edits)
}

/// The commit, or with paths what is there now with these paths as in the commit.
fn target(repository: &Repository, scan: &Scan, request: &Request) -> Result<Target> {
    let mut target = Target::commit(repository.store(), request.to)?;
    if request.paths.is_empty() {
        return Ok(target);
    }
    let overlay = Overlay { below: repository.store(), objects: &scan.objects };
    for path in &request.paths {
        let is_there = history::entry_at(&overlay, &scan.root, path)?.is_some();
        if !is_there && history::entry_at(&overlay, &target.root, path)?.is_none() {
            let message = format!("`{}` is neither in commit {} nor here", path.display(), request.to.short());
            let hint = format!("see what it has: undo ls -R {}", request.to.short());
            return Err(Error::new(ErrorKind::NotFound, message).hint(hint).paths(vec![path.clone()]));
        }
    }
    let mut made: HashMap<(ObjectKind, ObjectId), Arc<[u8]>> = HashMap::new();
    let (base, from) = ((&scan.root, scan.links), (&target.root, target.links));
    let (root, links) = diff::splice(&overlay, base, from, &request.paths, &mut |kind, id, bytes| {
        made.insert((kind, id), bytes.into());
        Ok(())
    })?;
    target.uncovered.retain(|one| request.paths.iter().any(|path| one.path.is_within(path)));
    Ok(Target { root, links, objects: made, ..target })
}

/// A step of a plan.
#[derive(Serialize)]
struct Step {
    action: &'static str,
    #[serde(flatten)]
    path: JsonPath,
    #[serde(skip)]
    place: RepoPathBuf,
    #[serde(skip)]
    is_directory: bool,
}

/// The end of a plan.
#[derive(Serialize)]
struct Planned {
    actions: u64,
    unchanged: u64,
    /// There is something to be recorded first.
    unsaved: bool,
    conflicts: Vec<JsonPath>,
}

fn tell_plan(context: &Context<'_>, repository: &Repository, worktree: &Worktree, request: &Request) -> Result<Exit> {
    let Side::Live(mut scan) = Side::live(context.ui, repository, worktree, &[])? else {
        return Ok(Exit::DONE);
    };
    let target = target(repository, &scan, request)?;
    let at = repository.view().at().map(|id| repository.store().commit(id)).transpose()?;
    let unsaved = at.is_none_or(|commit| commit.root.tree() != scan.root.tree());
    let plan = checkout::plan(repository.store(), worktree, &mut scan, &target)?;
    context.ui.page_long_output();
    for action in plan.actions.iter().filter(|action| action.is_worth_counting()) {
        let place = action.path().to_owned();
        let is_directory = action.entry().is_some_and(|entry| entry.tree().is_some());
        context.ui.show(&Step { action: action.word(), path: (&*place).into(), place, is_directory })?;
    }
    context.ui.show(&Planned::new(&plan, unsaved))?;
    if plan.conflicts.is_empty() || request.force {
        return Ok(Exit::DONE);
    }
    let list: Vec<(&RepoPath, &str)> = plan.conflicts.iter().map(|path| (&**path, "")).collect();
    context.ui.warning_about("in the way, and saved nowhere: it would be refused", &list);
    Ok(ErrorKind::Refused.exit())
}

impl Planned {
    fn new(plan: &Plan, unsaved: bool) -> Planned {
        let actions = plan.actions.iter().filter(|action| Action::is_worth_counting(action)).count() as u64;
        let conflicts = json_paths::<&RepoPathBuf>(&plan.conflicts);
        Planned { actions, unchanged: plan.unchanged, unsaved, conflicts }
    }
}

impl Report for Step {
    const TYPE: &'static str = "action";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return page.record(Some(self.action), &self.place);
        }
        let role = match self.action {
            "create" => Role::Added,
            "remove" => Role::Removed,
            "touch" => Role::Metadata,
            _ => Role::Modified,
        };
        let word = page.paint(role, format!("{:<8}", self.action));
        let slash = if self.is_directory { "/" } else { "" };
        page.line(format_args!("  {word} {}{slash}", page.path(&self.place)))
    }
}

impl Report for Planned {
    const TYPE: &'static str = "summary";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return Ok(());
        }
        let first = if self.unsaved { "; what is unsaved would be recorded first" } else { "" };
        let unchanged = Count(self.unchanged);
        page.line(format_args!("{}, {unchanged} unchanged{first}", plural(self.actions, "change")))
    }
}

/// What was done.
#[derive(Serialize)]
struct Gone {
    from: String,
    to: String,
    saved: String,
    branch: String,
    written: u64,
    deleted: u64,
    unchanged: u64,
    inexact: Vec<Inexact>,
    damaged: Vec<Inexact>,
    changed: Vec<JsonPath>,
    uncovered: Vec<JsonUncovered>,
    #[serde(skip)]
    whole: bool,
}

#[derive(Serialize)]
struct Inexact {
    #[serde(flatten)]
    path: JsonPath,
    reason: String,
}

fn tell(
    context: &Context<'_>,
    repository: &Repository,
    (branch, request): (&str, &Request),
    outcome: &Outcome,
) -> Result<Exit> {
    let text = |id: Option<CommitId>| id.map(|id| id.to_string()).unwrap_or_default();
    let reasons = |list: &[(RepoPathBuf, String)]| -> Vec<Inexact> {
        list.iter().map(|(path, reason)| Inexact { path: (&**path).into(), reason: reason.clone() }).collect()
    };
    context.ui.outcome(&Gone {
        from: text(outcome.from),
        to: text(outcome.to),
        saved: text(outcome.saved),
        branch: repository.view().current.clone(),
        written: outcome.written,
        deleted: outcome.deleted,
        unchanged: outcome.unchanged,
        inexact: reasons(&outcome.inexact),
        damaged: reasons(&outcome.damaged),
        changed: json_paths::<&RepoPathBuf>(&outcome.changed),
        uncovered: json_uncovered(&outcome.uncovered),
        whole: request.paths.is_empty(),
    })?;
    let inexact: Vec<(&RepoPath, &str)> = outcome.inexact.iter().map(|(path, why)| (&**path, why.as_str())).collect();
    context.tell_paths("not restored exactly", &inexact);
    let damaged: Vec<(&RepoPath, &str)> = outcome.damaged.iter().map(|(path, why)| (&**path, why.as_str())).collect();
    context.tell_paths("damaged in the repository, and left as they are", &damaged);
    let changed: Vec<(&RepoPath, &str)> = outcome.changed.iter().map(|path| (&**path, "")).collect();
    context.tell_paths("changed in the meantime, and left as they are", &changed);
    if outcome.written + outcome.deleted > 0 || request.branch.is_some() {
        context.ui.hint(format_args!("take it back: {}", way_back(branch, request, outcome)));
    }
    if !context.is_removed && fs::current_dir().is_err_and(|error| error.is_not_found()) {
        context.tell_removed(&repository.layout.worktree);
    }
    Ok(match inexact.is_empty() && changed.is_empty() {
        _ if !damaged.is_empty() => ErrorKind::Damaged.exit(),
        true => Exit::DONE,
        false => Exit::INCOMPLETE,
    })
}

fn way_back(branch: &str, request: &Request, outcome: &Outcome) -> String {
    let from = request.resumed.as_ref().and_then(|intent| intent.from).or(outcome.from);
    match (request.paths.as_slice(), from) {
        ([], _) if request.branch.is_some() => format!("undo checkout {branch}"),
        ([], _) | (_, None) => "undo checkout -".to_owned(),
        ([path], Some(from)) => format!("undo restore --from {} {}", from.short(), quoted(path)),
        (_, Some(from)) => format!("undo restore --from {} PATH…", from.short()),
    }
}

/// A path as a shell takes it.
fn quoted(path: &RepoPath) -> String {
    let text = sanitize::path(path);
    let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/._-+,@%".contains(&b));
    if is_plain { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

impl Report for Gone {
    const TYPE: &'static str = "checkout";

    fn human(&self, page: &mut Page<'_>) -> io::Result<()> {
        let short = |id: &str| id.get(..8).unwrap_or("nothing").to_owned();
        let counts = format!(
            "{} written, {} deleted, {} unchanged",
            Count(self.written),
            Count(self.deleted),
            Count(self.unchanged)
        );
        let to = page.paint(Role::Id, short(&self.to));
        if self.whole {
            let branch = page.paint(Role::Branch, sanitize::name(self.branch.as_bytes()));
            let from = match self.from == self.to {
                true => String::new(),
                false => format!("{} → ", page.paint(Role::Id, short(&self.from))),
            };
            page.line(format_args!("{branch} {from}{to}  {counts}"))?;
        } else {
            page.line(format_args!("restored from {to}  {counts}"))?;
        }
        if !self.saved.is_empty() {
            let saved = page.paint(Role::Id, short(&self.saved));
            page.line(format_args!("what was unsaved is in {saved}"))?;
        }
        Ok(())
    }
}
