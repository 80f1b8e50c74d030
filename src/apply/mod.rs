//! Applies a plan, in an order in which every step finds what it needs: directories, files, other kinds, hard links,
//! removals, entries that replace directories, metadata, and finally the metadata of directories. On a full disk, removals of
//! files come first.

mod action;
pub(crate) mod applier;
pub(crate) mod apply_metadata;
pub(crate) mod context;
#[cfg_attr(not(feature = "targets"), allow(dead_code, reason = "only targets fetch"))]
pub(crate) mod fetched_files;
mod files;
pub(crate) mod in_use;
mod open_directories;
pub(crate) mod outcome;
mod patch;
pub(crate) mod plan;
pub(crate) mod privileges;
pub(crate) mod proof;
pub(crate) mod refresh_index;
mod remove;
pub(crate) mod renames;
pub(crate) mod staging;
pub(crate) mod swap;
pub(crate) mod target;
mod write;
mod write_buffer;

use std::collections::{BTreeSet, HashMap};

use crate::error::{Error, ErrorKind, Result};
use crate::metadata::{Kind, Metadata};
use crate::object::Entry;
use crate::path::{RepoPath, RepoPathBuf};

pub use action::Action;
use applier::{Applier, CopiedUp, OTHER_SPELLING, has_missing_parent, relink_copied_up};
use context::ApplyContext;
use outcome::ApplyOutcome;
pub use plan::Plan;
use plan::Verdict;
use remove::{remove_all, remove_files};
use swap::StepResult;
pub use target::Target;
use write::Threads;

/// Performs all steps of the plan. Stops at the first failure that concerns more than one path.
pub(crate) fn apply(context: &ApplyContext<'_>, outcome: &mut ApplyOutcome) -> Result<()> {
    outcome.begin(context.plan);
    let mut steps = StepLists::new(context, outcome);
    let mut applier = Applier::new(context, Threads::All);
    match create(&mut applier, &mut steps, outcome, files::write_all) {
        Err(error) if error.kind() == ErrorKind::NoSpace => create_in_freed_space(&mut applier, outcome, error)?,
        created => created?,
    }
    remove_all(&mut applier, &steps.removals, outcome)?;
    applier.copied_up.extend(try_again(context, outcome)?);
    applier.each(&steps.late, outcome, Applier::create_late)?;
    applier.each(&steps.late_links, outcome, Applier::create_late)?;
    let added = added_names(context.plan, steps.links.iter().chain(&steps.late_links));
    for n in steps.touches.into_iter().map(|n| n as usize) {
        let (path, Some(entry)) = (context.plan.path(n), context.plan.entry(n)) else { continue };
        let done = applier.touch(&path, &entry, added.get(&n).copied().unwrap_or(0));
        outcome.note(n, &path, done)?;
    }
    relink_copied_up(&mut applier, outcome)?;
    finish_directories(context, outcome)
}

/// Creates directories, files, other kinds and hard links.
fn create(
    applier: &mut Applier<'_>,
    steps: &mut StepLists,
    outcome: &mut ApplyOutcome,
    write: impl Fn(&ApplyContext<'_>, Vec<u32>, &mut ApplyOutcome) -> Result<()>,
) -> Result<()> {
    let context = applier.context;
    applier.each(&steps.directories, outcome, Applier::create)?;
    let mut files = std::mem::take(&mut steps.files);
    if !outcome.changed.is_empty() {
        let waiting: Vec<u32>;
        (waiting, files) =
            files.into_iter().partition(|n| has_missing_parent(&context.plan.path(*n as usize), outcome));
        applier.each(&waiting, outcome, |_, _, _| Ok(StepResult::Changed))?;
    }
    write(context, files, outcome)?;
    applier.each(&steps.others, outcome, Applier::create)?;
    applier.each(&steps.links, outcome, Applier::create)
}

/// Continues after the disk was full: removes the files that the plan removes, all of which are saved, then creates the
/// rest. Repeats this as long as each pass creates something, since replacing files frees space too. Fails with
/// `error`, the first failure, if the plan frees nothing.
fn create_in_freed_space(applier: &mut Applier<'_>, outcome: &mut ApplyOutcome, error: Error) -> Result<()> {
    let (context, plan) = (applier.context, applier.context.plan);
    if !plan.numbers().any(|n| matches!(plan.verdict(n), Verdict::Remove | Verdict::Replace)) {
        return Err(error);
    }
    remove_files(applier, &StepLists::new(context, outcome).removals, outcome)?;
    loop {
        let (done, mut rest) = (outcome.done(), StepLists::new(context, outcome));
        for list in [&mut rest.directories, &mut rest.files, &mut rest.others, &mut rest.links] {
            list.retain(|n| outcome.is_open(plan, *n as usize));
        }
        match create(applier, &mut rest, outcome, files::write_least_first) {
            Err(error) if error.kind() == ErrorKind::NoSpace && outcome.done() > done => {}
            created => return created,
        }
    }
}

/// Number of names that these links add to each linked path, by its number.
fn added_names<'n>(plan: &Plan, links: impl Iterator<Item = &'n u32>) -> HashMap<usize, u64> {
    let mut added = HashMap::new();
    for to in links.filter_map(|n| plan.find(&plan.linked_to(*n as usize)?)) {
        *added.entry(to).or_insert(0) += 1;
    }
    added
}

/// Creates the entries whose names were taken, now that removals are done: on a case-insensitive file system, the name
/// `a` is free once `A` is gone.
fn try_again(context: &ApplyContext<'_>, outcome: &mut ApplyOutcome) -> Result<CopiedUp> {
    let plan = context.plan;
    let is_new = |n: &usize| matches!(plan.verdict(*n), Verdict::Create | Verdict::Link);
    let again: Vec<usize> = outcome.changed.iter().filter_map(|path| plan.find(path)).filter(is_new).collect();
    again.iter().for_each(|n| {
        outcome.changed.remove(&*plan.path(*n));
    });
    let (links, others): (Vec<usize>, Vec<usize>) = again.into_iter().partition(|n| plan.verdict(*n) == Verdict::Link);
    // Drop file descriptors of removed directories.
    let mut applier = Applier::new(context, Threads::All);
    applier.accepts_other_spelling = true;
    for n in others.into_iter().chain(links) {
        let Some(action) = plan.action(n) else { continue };
        let path = action.path();
        match applier.create_late(&action, outcome) {
            Ok(StepResult::Changed) if applier.is_spelled_otherwise(path, outcome) => {
                outcome.inexact.insert(path.to_owned(), OTHER_SPELLING.to_owned());
            }
            done => outcome.note(n, path, done)?,
        }
    }
    Ok(applier.copied_up)
}

/// Sets the metadata of all directories that were created, touched or changed. Deepest first and last of all, because changes
/// in a directory set its time, and a finished directory may be read-only.
fn finish_directories(context: &ApplyContext<'_>, outcome: &mut ApplyOutcome) -> Result<()> {
    let plan = context.plan;
    let mut paths: BTreeSet<RepoPathBuf> = std::mem::take(&mut *context.staging.disturbed());
    // On a case-insensitive file system, the name of a removed directory may find another one.
    paths.retain(|path| !plan.find(path).is_some_and(|n| outcome.is_removed(n)));
    let made = plan.numbers().filter(|n| plan.kind(*n) == Some(Kind::Directory)).map(|n| plan.path(n));
    paths.extend(made.filter(|path| !outcome.has_given_up(plan, path)));
    for path in paths.iter().rev() {
        match plan.find_directory(path).and_then(|n| Some((n, plan.entry(n)?))) {
            Some((n, entry)) => {
                let done = finish_own(context, path, &entry);
                outcome.note(n, path, done)?;
            }
            None => restore_metadata(context, path)?,
        }
    }
    Ok(())
}

/// Finishes a directory that the plan creates or touches.
fn finish_own(context: &ApplyContext<'_>, path: &RepoPath, entry: &Entry) -> Result<StepResult> {
    let (parent, name) = context.staging.root().open_parent(path)?;
    let Some(there) = parent.stat(name)?.filter(|there| there.kind == Kind::Directory) else {
        return Ok(StepResult::Changed);
    };
    let subject = context.staging.subject(&parent, name, None);
    Ok(StepResult::Placed(there.inode, context.apply_entry_metadata(&subject, &there, entry)?))
}

/// Restores a directory in which only entries were changed.
fn restore_metadata(context: &ApplyContext<'_>, path: &RepoPath) -> Result<()> {
    let metadata: Option<Metadata> = match context.plan.directory_entry(path) {
        Some(entry) => Some(entry.metadata),
        None => context.saved.find(path).map(|record| record.stat.metadata),
    };
    let (Some(metadata), Ok((parent, name))) = (metadata, context.staging.root().open_parent(path)) else {
        return Ok(());
    };
    let Some(there) = parent.stat(name)?.filter(|there| there.kind == Kind::Directory) else { return Ok(()) };
    // Owner and mode are right, or the failure to set them was already reported.
    context.apply_metadata(&context.staging.subject(&parent, name, None), &there, &metadata, None);
    Ok(())
}

/// Numbers of the actions by kind of work; each list is in path order.
#[derive(Default)]
struct StepLists {
    directories: Vec<u32>,
    files: Vec<u32>,
    others: Vec<u32>,
    links: Vec<u32>,
    removals: Vec<u32>,
    /// Entries that replace a directory, to be created once the directory is empty.
    late: Vec<u32>,
    late_links: Vec<u32>,
    touches: Vec<u32>,
}

impl StepLists {
    /// Groups the actions of a plan that can be performed; records the others in the outcome.
    fn new(context: &ApplyContext<'_>, outcome: &mut ApplyOutcome) -> StepLists {
        let mut sorted = StepLists::default();
        let plan = context.plan;
        let takes_directory =
            |n: usize| context.saved.find(&plan.path(n)).is_some_and(|record| record.stat.kind == Kind::Directory);
        for n in plan.numbers() {
            if context.left.concerns(plan, n) {
                outcome.in_use.insert(plan.path(n));
                continue;
            }
            let list = match (plan.verdict(n), plan.kind(n)) {
                (Verdict::Create | Verdict::Replace, Some(Kind::Directory)) => &mut sorted.directories,
                (Verdict::Replace, _) if takes_directory(n) => &mut sorted.late,
                (Verdict::Create | Verdict::Replace, Some(Kind::File)) => &mut sorted.files,
                (Verdict::Create | Verdict::Replace, _) => &mut sorted.others,
                (Verdict::Touch, Some(Kind::Directory)) => continue,
                (Verdict::Touch, _) => &mut sorted.touches,
                (Verdict::Remove, _) => &mut sorted.removals,
                _ => &mut sorted.links,
            };
            list.push(n as u32);
        }
        let is_late = |n: &u32| {
            let to = plan.linked_to(*n as usize).and_then(|to| plan.find(&to));
            to.is_some_and(|to| sorted.late.binary_search(&(to as u32)).is_ok()) || takes_directory(*n as usize)
        };
        (sorted.late_links, sorted.links) = std::mem::take(&mut sorted.links).into_iter().partition(is_late);
        sorted
    }
}
