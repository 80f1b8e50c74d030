//! Apply: carries out a plan, in an order in which nothing is missing that a later step needs: directories, files, other
//! kinds, hard links, removals, what takes the place of directories, metadata; the directories' own metadata last.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::fs::{Dir, is_no_link_possible};
use crate::history::entry_at;
use crate::metadata::Kind;
use crate::object::{Content, Entry};
use crate::path::RepoPath;

use super::dress::dress;
use super::files::{self, Job, Thread};
use super::finish;
use super::plan::{Action, Plan};
use super::proof::{is_proven, is_saved, still_saved};
use super::remove::remove_all;
use super::site::Directories;
use super::sorted::Sorted;
use super::stage::Staged;
use super::steps::Verdict;
use super::tally::{Done, Tally};
use super::work::Work;
use super::write::Threads;

/// Does all that the plan lists. Stops at the first failure that concerns more than one path.
pub(super) fn apply(work: &Work<'_>, tally: &mut Tally) -> Result<()> {
    tally.begin(work.plan);
    let mut steps = Sorted::new(work);
    let mut hand = Hand::new(work);
    hand.each(&steps.directories, tally, Hand::create)?;
    if !tally.changed.is_empty() {
        let (waiting, files) = steps.files.into_iter().partition(|n| waits(&work.plan.path(*n as usize), tally));
        steps.files = files;
        hand.each(&waiting, tally, |_, _, _| Ok(Done::Changed))?;
    }
    files::write_all(work, steps.files, tally)?;
    hand.each(&steps.others, tally, Hand::create)?;
    hand.each(&steps.links, tally, Hand::create)?;
    remove_all(&mut hand, &steps.removals, tally)?;
    try_again(work, tally)?;
    hand.each(&steps.late, tally, Hand::create_late)?;
    hand.each(&steps.late_links, tally, Hand::create_late)?;
    let added = added_names(work.plan, steps.links.iter().chain(&steps.late_links));
    for n in steps.touches.into_iter().map(|n| n as usize) {
        let (path, Some(entry)) = (work.plan.path(n), work.plan.entry(n)) else { continue };
        let done = hand.touch(&path, &entry, added.get(&n).copied().unwrap_or(0));
        tally.note(n, &path, done)?;
    }
    finish::directories(work, tally)
}

/// How many names these links add to the path of a number.
fn added_names<'n>(plan: &Plan, links: impl Iterator<Item = &'n u32>) -> HashMap<usize, u64> {
    let mut added = HashMap::new();
    for to in links.filter_map(|n| plan.find(&plan.linked_to(*n as usize)?)) {
        *added.entry(to).or_insert(0) += 1;
    }
    added
}

/// Whether a directory that a path is in could not be made yet.
fn waits(path: &RepoPath, tally: &Tally) -> bool {
    !tally.changed.is_empty() && path.ancestors().any(|above| tally.changed.contains(above))
}

/// Makes what found its name taken, now that removals are done: where case does not count, the name `a` is free when `A`
/// is gone.
fn try_again(work: &Work<'_>, tally: &mut Tally) -> Result<()> {
    let plan = work.plan;
    let is_new = |n: &usize| matches!(plan.verdict(*n), Verdict::Create | Verdict::Link);
    let again: Vec<usize> = tally.changed.iter().filter_map(|path| plan.find(path)).filter(is_new).collect();
    again.iter().for_each(|n| {
        tally.changed.remove(&*plan.path(*n));
    });
    let (links, others): (Vec<usize>, Vec<usize>) = again.into_iter().partition(|n| plan.verdict(*n) == Verdict::Link);
    // Without handles on directories that are gone.
    let mut hand = Hand { settles: true, ..Hand::new(work) };
    for n in others.into_iter().chain(links) {
        let Some(action) = plan.action(n) else { continue };
        let path = action.path();
        match hand.create_late(&action, tally) {
            Ok(Done::Changed) if hand.is_spelled_otherwise(path, tally) => {
                tally.inexact.insert(path.to_owned(), OTHER_SPELLING.to_owned());
            }
            done => tally.note(n, path, done)?,
        }
    }
    Ok(())
}

/// Why a name cannot be had where case does not count.
const OTHER_SPELLING: &str = "another spelling of its name is there, which is the same name on this file system";

/// Whether a directory has exactly this name; `true` if it cannot be listed.
pub(super) fn is_listed(directory: &Dir, name: &[u8]) -> bool {
    directory.entries().map_or(true, |entries| entries.iter().any(|entry| entry.name == name))
}

/// Steps done one after the other, by one thread.
pub(super) struct Hand<'w> {
    pub(super) work: &'w Work<'w>,
    pub(super) directories: Directories<'w>,
    thread: Thread<'w>,
    /// A directory whose name is spelled otherwise will do: what has that name is going to stay.
    settles: bool,
}

impl<'w> Hand<'w> {
    pub(super) fn new(work: &'w Work<'w>) -> Hand<'w> {
        Hand {
            work,
            directories: Directories::new(&work.site),
            thread: Thread::new(work, Threads::Two),
            settles: false,
        }
    }

    /// Does the same for each of these actions, in their order.
    fn each(
        &mut self,
        numbers: &[u32],
        tally: &mut Tally,
        act: impl Fn(&mut Self, &Action, &Tally) -> Result<Done>,
    ) -> Result<()> {
        for n in numbers.iter().map(|n| *n as usize) {
            let Some(action) = self.work.plan.action(n) else { continue };
            let done = act(self, &action, tally);
            tally.note(n, action.path(), done)?;
        }
        Ok(())
    }

    /// Makes what is not a file of one name, unless a directory that it is in could not be made yet.
    fn create(&mut self, action: &Action, tally: &Tally) -> Result<Done> {
        if waits(action.path(), tally) { Ok(Done::Changed) } else { self.create_late(action, tally) }
    }

    /// The same, when all directories are made.
    fn create_late(&mut self, action: &Action, tally: &Tally) -> Result<Done> {
        match action {
            Action::Link(path, to) => self.link(path, to, tally),
            Action::Create(path, entry) | Action::Replace(path, entry) if entry.kind() == Kind::Directory => {
                self.make_directory(path)
            }
            Action::Create(path, entry) | Action::Replace(path, entry) => self.place(path, entry),
            Action::Touch(..) | Action::Remove(..) => Ok(Done::Changed),
        }
    }

    /// Whether something is found by a name that no list shows, or in a directory of which that is so.
    fn is_spelled_otherwise(&mut self, path: &RepoPath, tally: &Tally) -> bool {
        let is_told = |above| tally.inexact.get(above).is_some_and(|told| told == OTHER_SPELLING);
        let Ok((directory, name)) = self.directories.parent(path) else { return false };
        matches!(directory.stat(name), Ok(Some(_))) && (path.ancestors().any(is_told) || !is_listed(&directory, name))
    }

    /// Makes a directory that only its owner may use until it is finished; one that is there already will do.
    fn make_directory(&mut self, path: &RepoPath) -> Result<Done> {
        let Some(expected) = self.work.expected(path) else { return Ok(Done::Changed) };
        let (directory, name) = self.directories.parent(path)?;
        let there = directory.stat(name)?;
        if let Some(there) = there.filter(|there| there.kind == Kind::Directory) {
            return Ok(match (is_listed(&directory, name), self.settles) {
                (true, _) => Done::Placed(there.inode, Vec::new()),
                (false, true) => Done::Placed(there.inode, vec![OTHER_SPELLING.to_owned()]),
                (false, false) => Done::Changed,
            });
        }
        let staged_name = self.work.site.staged_name(name);
        directory.make_dir(&staged_name)?;
        let staged = Staged::new(&directory, staged_name, Kind::Directory);
        let inode = directory.stat(&staged.name)?.map_or(0, |stat| stat.inode);
        let put = staged.put(inode, name, &expected, self.work.objects)?;
        Ok(put.map_or(Done::Changed, |inode| Done::Placed(inode, Vec::new())))
    }

    /// Makes anything but a directory.
    fn place(&mut self, path: &RepoPath, entry: &Entry) -> Result<Done> {
        if let Some(job) = Job::new(path, entry) {
            return self.thread.place(&job);
        }
        let Some(expected) = self.work.expected(path) else { return Ok(Done::Changed) };
        let (directory, name) = self.directories.parent(path)?;
        let staged_name = self.work.site.staged_name(name);
        match &entry.content {
            Content::Symlink { target } => directory.make_symlink(&staged_name, target)?,
            Content::CharDevice { rdev } | Content::BlockDevice { rdev } => {
                directory.make_special(&staged_name, entry.kind(), *rdev)?;
            }
            _ => directory.make_special(&staged_name, entry.kind(), 0)?,
        }
        let staged = Staged::new(&directory, staged_name, entry.kind());
        let Some(now) = directory.stat(&staged.name)? else { return Ok(Done::Changed) };
        let subject = self.work.site.link_subject(&directory, &staged.name, entry.kind());
        let failed = dress(&subject, &now, &entry.metadata, Some(&self.work.attributes(entry.attributes)?.xattrs));
        let put = staged.put(now.inode, name, &expected, self.work.objects)?;
        Ok(put.map_or(Done::Changed, |inode| Done::Placed(inode, failed)))
    }

    /// Gives the inode at `to` another name.
    fn link(&mut self, path: &RepoPath, to: &RepoPath, tally: &Tally) -> Result<Done> {
        let Some(expected) = self.work.expected(path) else { return Ok(Done::Changed) };
        let (to_directory, to_name) = self.directories.parent(to)?;
        let (directory, name) = self.directories.parent(path)?;
        let Some(there) = to_directory.stat(to_name)? else { return Ok(Done::Changed) };
        let is_right = match tally.placed_at(self.work.plan, to) {
            Some(inode) => there.inode == inode,
            None => match self.work.trusted(to).filter(|_| !tally.has_given_up(self.work.plan, to)) {
                Some(record) => {
                    let objects = self.work.objects;
                    is_saved(&record, &there)
                        || still_saved((&to_directory, to_name), &record, &there, objects)?.is_some()
                }
                None => false,
            },
        };
        if !is_right {
            return Ok(Done::Changed);
        }
        let staged_name = self.work.site.staged_name(name);
        if let Err(error) = to_directory.hard_link(to_name, &directory, &staged_name) {
            return if is_no_link_possible(&error) { self.copy(path, to, &error) } else { Err(error) };
        }
        let staged = Staged::new(&directory, staged_name, there.kind);
        let put = staged.put(there.inode, name, &expected, self.work.objects)?;
        Ok(put.map_or(Done::Changed, |inode| Done::Placed(inode, Vec::new())))
    }

    /// Where no name can be given to it: a file of its own, which is told.
    fn copy(&mut self, path: &RepoPath, to: &RepoPath, error: &Error) -> Result<Done> {
        let entry = entry_at(self.work.objects, self.work.target, to)?;
        let Some(entry) = entry else { return Ok(Done::Changed) };
        let told = format!("not a hard link to `{}` ({})", to.display(), error.reason());
        Ok(match self.place(path, &entry)? {
            Done::Placed(inode, failed) => Done::Placed(inode, std::iter::once(told).chain(failed).collect()),
            done => done,
        })
    }

    /// Sets metadata in place, if no name but ours would see it. `added`: names that it got in this checkout.
    fn touch(&mut self, path: &RepoPath, entry: &Entry, added: u64) -> Result<Done> {
        let Some(record) = self.work.trusted(path) else { return Ok(Done::Changed) };
        let (directory, name) = self.directories.parent(path)?;
        let Some(there) = directory.stat(name)? else { return Ok(Done::Changed) };
        let saved = still_saved((&directory, name), &record, &there, self.work.objects)?;
        let Some(saved) = saved.filter(|_| there.links <= record.stat.links + added) else { return Ok(Done::Changed) };
        // With its metadata set nobody could tell any more that its content was in doubt.
        if !is_proven(&directory, name, &saved, &there)? {
            return Ok(Done::Changed);
        }
        let subject = self.work.site.link_subject(&directory, name, there.kind);
        let failed = dress(&subject, &there, &entry.metadata, Some(&self.work.attributes(entry.attributes)?.xattrs));
        Ok(Done::Placed(there.inode, failed))
    }
}
