//! Applies a plan, in an order in which every step finds what it needs: directories, files, other kinds, hard links,
//! removals, entries that replace directories, metadata, and finally the metadata of directories. If there is no space
//! left to create something, removals of files come first.

pub(crate) mod applier;
pub(crate) mod apply_metadata;
mod arena;
mod clone;
pub(crate) mod context;
mod copied_up;
mod directories;
mod files;
pub(crate) mod in_place;
pub(crate) mod in_use;
pub(crate) mod limits;
pub(crate) mod outcome;
mod patch;
mod pieces;
pub(crate) mod plan;
pub(crate) mod proof;
pub(crate) mod refresh_index;
mod remove;
pub(crate) mod renames;
mod sorted;
pub(crate) mod staging;
pub(crate) mod swap;
pub(crate) mod target;
pub(crate) mod verdict;
mod write;
mod write_buffer;

use std::collections::HashMap;

use crate::error::{Error, ErrorKind, Result};

use applier::{Applier, CopiedUp, OTHER_SPELLING, has_missing_parent};
use context::ApplyContext;
use outcome::{ApplyOutcome, Done};
pub use plan::{Action, Plan};
use remove::{remove_all, remove_files};
use sorted::Sorted;
pub use target::Target;
use verdict::Verdict;

/// Does all that the plan lists. Stops at the first failure that concerns more than one path.
pub(crate) fn apply(work: &ApplyContext<'_>, tally: &mut ApplyOutcome) -> Result<()> {
    tally.begin(work.plan);
    let mut steps = Sorted::new(work, tally);
    let mut applier = Applier::new(work);
    match make(&mut applier, &mut steps, tally, files::write_all) {
        Err(error) if error.kind() == ErrorKind::NoSpace => make_in_freed_space(&mut applier, tally, error)?,
        made => made?,
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
    copied_up::relink(&mut applier, tally)?;
    directories::directories(work, tally)
}

/// Creates directories, files, other kinds and hard links.
fn make(
    applier: &mut Applier<'_>,
    steps: &mut Sorted,
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
fn make_in_freed_space(applier: &mut Applier<'_>, tally: &mut ApplyOutcome, error: Error) -> Result<()> {
    let (work, plan) = (applier.work, applier.work.plan);
    if !plan.numbers().any(|n| matches!(plan.verdict(n), Verdict::Remove | Verdict::Replace)) {
        return Err(error);
    }
    remove_files(applier, &Sorted::new(work, tally).removals, tally)?;
    loop {
        let (done, mut rest) = (tally.done(), Sorted::new(work, tally));
        for list in [&mut rest.directories, &mut rest.files, &mut rest.others, &mut rest.links] {
            list.retain(|n| tally.is_open(plan, *n as usize));
        }
        match make(applier, &mut rest, tally, files::write_least_first) {
            Err(error) if error.kind() == ErrorKind::NoSpace && tally.done() > done => {}
            made => return made,
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
