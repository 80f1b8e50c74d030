//! Applies a plan, in an order in which every step finds what it needs: directories, files, other kinds, hard links,
//! removals, entries that replace directories, metadata, and finally the metadata of directories. If there is no space
//! left to create something, removals of files come first.

pub(crate) mod applier;
pub(crate) mod apply_metadata;
mod arena;
pub(crate) mod context;
mod files;
pub(crate) mod in_use;
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
pub(crate) mod verdict;
mod write;
mod write_buffer;

use std::collections::{BTreeSet, HashMap};

use crate::error::{Error, ErrorKind, Result};
use crate::fs::Dir;
use crate::metadata::{Kind, Metadata};
use crate::object::Entry;
use crate::path::{RepoPath, RepoPathBuf};

use applier::{Applier, CopiedUp, OTHER_SPELLING, has_missing_parent, relink_copied_up};
use context::ApplyContext;
use outcome::{ApplyOutcome, Done};
pub use plan::{Action, Plan};
use remove::{remove_all, remove_files};
pub use target::Target;
use verdict::Verdict;

/// Does all that the plan lists. Stops at the first failure that concerns more than one path.
pub(crate) fn apply(work: &ApplyContext<'_>, tally: &mut ApplyOutcome) -> Result<()> {
    tally.begin(work.plan);
    let mut steps = StepLists::new(work, tally);
    let mut applier = Applier::new(work);
    match create(&mut applier, &mut steps, tally, files::write_all) {
        Err(error) if error.kind() == ErrorKind::NoSpace => create_in_freed_space(&mut applier, tally, error)?,
        created => created?,
    }
    remove_all(&mut applier, &steps.removals, tally)?;
    applier.copied_up.extend(try_again(work, tally)?);
    applier.each(&steps.late, tally, Applier::create_late)?;
    applier.each(&steps.late_links, tally, Applier::create_late)?;
    let added = added_names(work.plan, steps.links.iter().chain(&steps.late_links));
    for n in steps.touches.into_iter().map(|n| n as usize) {
        let (path, Some(entry)) = (work.plan.path(n), work.plan.entry(n)) else { continue };
        let done = applier.touch(&path, &entry, added.get(&n).copied().unwrap_or(0));
        tally.note(n, &path, done)?;
    }
    relink_copied_up(&mut applier, tally)?;
    finish_directories(work, tally)
}

/// Creates directories, files, other kinds and hard links.
fn create(
    applier: &mut Applier<'_>,
    steps: &mut StepLists,
    tally: &mut ApplyOutcome,
    write: impl Fn(&ApplyContext<'_>, Vec<u32>, &mut ApplyOutcome) -> Result<()>,
) -> Result<()> {
    let work = applier.work;
    applier.each(&steps.directories, tally, Applier::create)?;
    let mut files = std::mem::take(&mut steps.files);
    if !tally.changed.is_empty() {
        let waiting: Vec<u32>;
        (waiting, files) = files.into_iter().partition(|n| has_missing_parent(&work.plan.path(*n as usize), tally));
        applier.each(&waiting, tally, |_, _, _| Ok(Done::Changed))?;
    }
    write(work, files, tally)?;
    applier.each(&steps.others, tally, Applier::create)?;
    applier.each(&steps.links, tally, Applier::create)
}

/// Continues after the disk was full: removes the files that the plan removes, all of which are saved, then creates the
/// rest. Repeats this as long as each pass creates something, since replacing files frees space too. Fails with
/// `error`, the first failure, if the plan frees nothing.
fn create_in_freed_space(applier: &mut Applier<'_>, tally: &mut ApplyOutcome, error: Error) -> Result<()> {
    let (work, plan) = (applier.work, applier.work.plan);
    if !plan.numbers().any(|n| matches!(plan.verdict(n), Verdict::Remove | Verdict::Replace)) {
        return Err(error);
    }
    remove_files(applier, &StepLists::new(work, tally).removals, tally)?;
    loop {
        let (done, mut rest) = (tally.done(), StepLists::new(work, tally));
        for list in [&mut rest.directories, &mut rest.files, &mut rest.others, &mut rest.links] {
            list.retain(|n| tally.is_open(plan, *n as usize));
        }
        match create(applier, &mut rest, tally, files::write_least_first) {
            Err(error) if error.kind() == ErrorKind::NoSpace && tally.done() > done => {}
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
fn try_again(work: &ApplyContext<'_>, tally: &mut ApplyOutcome) -> Result<CopiedUp> {
    let plan = work.plan;
    let is_new = |n: &usize| matches!(plan.verdict(*n), Verdict::Create | Verdict::Link);
    let again: Vec<usize> = tally.changed.iter().filter_map(|path| plan.find(path)).filter(is_new).collect();
    again.iter().for_each(|n| {
        tally.changed.remove(&*plan.path(*n));
    });
    let (links, others): (Vec<usize>, Vec<usize>) = again.into_iter().partition(|n| plan.verdict(*n) == Verdict::Link);
    // Drop file descriptors of removed directories.
    let mut applier = Applier::new(work);
    applier.accepts_other_spelling = true;
    for n in others.into_iter().chain(links) {
        let Some(action) = plan.action(n) else { continue };
        let path = action.path();
        match applier.create_late(&action, tally) {
            Ok(Done::Changed) if applier.is_spelled_otherwise(path, tally) => {
                tally.inexact.insert(path.to_owned(), OTHER_SPELLING.to_owned());
            }
            done => tally.note(n, path, done)?,
        }
    }
    Ok(applier.copied_up)
}

/// Sets the metadata of all directories that were created, touched or changed. Deepest first and last of all, because changes
/// in a directory set its time, and a finished directory may be read-only.
fn finish_directories(work: &ApplyContext<'_>, tally: &mut ApplyOutcome) -> Result<()> {
    let plan = work.plan;
    let own = |path: &RepoPath| plan.find(path).filter(|n| plan.kind(*n) == Some(Kind::Directory));
    let mut paths: BTreeSet<RepoPathBuf> = std::mem::take(&mut *work.site.disturbed());
    // On a case-insensitive file system, the name of a removed directory may find another one.
    paths.retain(|path| !plan.find(path).is_some_and(|n| tally.is_removed(n)));
    let made = plan.numbers().filter(|n| plan.kind(*n) == Some(Kind::Directory)).map(|n| plan.path(n));
    paths.extend(made.filter(|path| !tally.has_given_up(plan, path)));
    for path in paths.iter().rev() {
        match own(path).and_then(|n| Some((n, plan.entry(n)?))) {
            Some((n, entry)) => {
                let done = finish_own(work, path, &entry);
                tally.note(n, path, done)?;
            }
            None => restore_metadata(work, path)?,
        }
    }
    Ok(())
}

/// Parent handle and name of a directory.
fn open_parent<'p>(work: &ApplyContext<'_>, path: &'p RepoPath) -> Result<(Dir, &'p [u8])> {
    let parent = path.parent().unwrap_or(RepoPath::root());
    Ok((work.site.root().open_below(parent)?, path.name().unwrap_or(b".")))
}

/// Finishes a directory that the plan creates or touches.
fn finish_own(work: &ApplyContext<'_>, path: &RepoPath, entry: &Entry) -> Result<Done> {
    let (parent, name) = open_parent(work, path)?;
    let Some(there) = parent.stat(name)?.filter(|there| there.kind == Kind::Directory) else {
        return Ok(Done::Changed);
    };
    let subject = work.site.subject(&parent, name, None);
    let failed =
        work.apply_metadata(&subject, &there, &entry.metadata, Some(&work.attributes(entry.attributes)?.xattrs));
    Ok(Done::Placed(there.inode, failed))
}

/// Restores a directory in which only entries were changed.
fn restore_metadata(work: &ApplyContext<'_>, path: &RepoPath) -> Result<()> {
    let metadata: Option<Metadata> = match work.plan.directory(path) {
        Some(entry) => Some(entry.metadata),
        None => work.saved.find(path).map(|record| record.stat.metadata),
    };
    let (Some(metadata), Ok((parent, name))) = (metadata, open_parent(work, path)) else { return Ok(()) };
    let Some(there) = parent.stat(name)?.filter(|there| there.kind == Kind::Directory) else { return Ok(()) };
    // Owner and mode are right, or the failure to set them was already reported.
    work.apply_metadata(&work.site.subject(&parent, name, None), &there, &metadata, None);
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
    fn new(work: &ApplyContext<'_>, tally: &mut ApplyOutcome) -> StepLists {
        let mut sorted = StepLists::default();
        let plan = work.plan;
        let takes_directory =
            |n: usize| work.saved.find(&plan.path(n)).is_some_and(|record| record.stat.kind == Kind::Directory);
        for n in plan.numbers() {
            if work.left.concerns(plan, n) {
                tally.in_use.insert(plan.path(n));
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
