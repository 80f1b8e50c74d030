//! Apply: carries out a plan, in an order in which nothing is missing that a later step needs: directories, files, other
//! kinds, hard links, removals, what takes the place of directories, metadata; the directories' own metadata last.

use std::collections::{HashMap, HashSet};

use crate::error::{Error, Result};
use crate::fs::{Dir, is_gone, is_no_link_possible};
use crate::history::entry_at;
use crate::metadata::Kind;
use crate::object::{Content, Entry};
use crate::path::RepoPath;

use super::dress::{Subject, dress};
use super::files::{self, Job, Thread};
use super::finish;
use super::moved::Fate;
use super::plan::Action;
use super::proof::{is_proven, is_saved, still_saved};
use super::site::Directories;
use super::stage::{Staged, take_out};
use super::tally::{Done, Tally};
use super::work::Work;
use super::write::Threads;

/// The actions by what has to be done for them, each list in path order.
#[derive(Default)]
struct Sorted<'p> {
    directories: Vec<&'p RepoPath>,
    files: Vec<Job<'p>>,
    others: Vec<(&'p RepoPath, &'p Entry)>,
    links: Vec<(&'p RepoPath, &'p RepoPath)>,
    removals: Vec<&'p RepoPath>,
    /// What takes the place of a directory, once that is empty.
    late: Vec<(&'p RepoPath, &'p Entry)>,
    late_links: Vec<(&'p RepoPath, &'p RepoPath)>,
    touches: Vec<(&'p RepoPath, &'p Entry)>,
}

/// Does all that the plan lists. Stops at the first failure that concerns more than one path.
pub(super) fn apply(work: &Work<'_>, tally: &mut Tally) -> Result<()> {
    let steps = Sorted::new(work);
    let mut hand = Hand::new(work);
    for path in &steps.directories {
        let done = if waits(path, tally) { Ok(Done::Changed) } else { hand.make_directory(path) };
        tally.note(path, done)?;
    }
    let mut added = HashMap::new();
    for (_, to) in steps.links.iter().chain(&steps.late_links) {
        *added.entry(*to).or_insert(0) += 1;
    }
    let (waiting, files): (Vec<Job<'_>>, Vec<Job<'_>>) =
        steps.files.into_iter().partition(|job| waits(job.path, tally));
    waiting.iter().try_for_each(|job| tally.note(job.path, Ok(Done::Changed)))?;
    files::write_all(work, files, tally)?;
    for (path, entry) in &steps.others {
        let done = if waits(path, tally) { Ok(Done::Changed) } else { hand.place(path, entry) };
        tally.note(path, done)?;
    }
    for (path, to) in &steps.links {
        let done = if waits(path, tally) { Ok(Done::Changed) } else { hand.link(path, to, tally) };
        tally.note(path, done)?;
    }
    steps.removals.iter().rev().try_for_each(|path| hand.remove(path, tally))?;
    try_again(work, tally)?;
    steps.late.iter().try_for_each(|(path, entry)| tally.note(path, hand.place(path, entry)))?;
    steps.late_links.iter().try_for_each(|(path, to)| tally.note(path, hand.link(path, to, tally)))?;
    for (path, entry) in &steps.touches {
        let done = hand.touch(path, entry, added.get(path).copied().unwrap_or(0));
        tally.note(path, done)?;
    }
    finish::directories(work, tally)
}

/// Whether a directory that a path is in could not be made yet.
fn waits(path: &RepoPath, tally: &Tally) -> bool {
    !tally.changed.is_empty() && path.ancestors().any(|above| tally.changed.contains(above))
}

/// Makes what found its name taken, now that removals are done: where case does not count, the name `a` is free when `A`
/// is gone.
fn try_again(work: &Work<'_>, tally: &mut Tally) -> Result<()> {
    let is_new = |action: &&Action| matches!(action, Action::Create(..) | Action::Link(..));
    let again: Vec<&Action> =
        work.plan.actions.iter().filter(is_new).filter(|it| tally.changed.remove(it.path())).collect();
    let (links, others): (Vec<&Action>, Vec<&Action>) =
        again.into_iter().partition(|action| matches!(action, Action::Link(..)));
    // Without handles on directories that are gone.
    let mut hand = Hand { settles: true, ..Hand::new(work) };
    for action in others.into_iter().chain(links) {
        let path = action.path();
        let done = match action {
            Action::Link(_, to) => hand.link(path, to, tally),
            Action::Create(_, entry) if entry.kind() == Kind::Directory => hand.make_directory(path),
            Action::Create(_, entry) => hand.place(path, entry),
            _ => continue,
        };
        match done {
            Ok(Done::Changed) if hand.is_spelled_otherwise(path, tally) => {
                tally.inexact.insert(path.to_owned(), OTHER_SPELLING.to_owned());
            }
            done => tally.note(path, done)?,
        }
    }
    Ok(())
}

/// Why a name cannot be had where case does not count.
const OTHER_SPELLING: &str = "another spelling of its name is there, which is the same name on this file system";

impl<'p> Sorted<'p> {
    fn new(work: &Work<'p>) -> Sorted<'p> {
        let mut sorted = Sorted::default();
        let takes_directory =
            |path: &RepoPath| work.saved.find(path).is_some_and(|record| record.stat.kind == Kind::Directory);
        let mut late: HashSet<&RepoPath> = HashSet::new();
        for action in &work.plan.actions {
            match action {
                Action::Create(path, entry) | Action::Replace(path, entry) if entry.kind() == Kind::Directory => {
                    sorted.directories.push(path);
                }
                Action::Replace(path, entry) if takes_directory(path) => {
                    late.insert(path);
                    sorted.late.push((path, entry));
                }
                Action::Create(path, entry) | Action::Replace(path, entry) => match Job::new(path, entry) {
                    Some(job) => sorted.files.push(job),
                    None => sorted.others.push((path, entry)),
                },
                Action::Touch(path, entry) if entry.kind() != Kind::Directory => sorted.touches.push((path, entry)),
                Action::Touch(..) => {}
                Action::Remove(path) => sorted.removals.push(path),
                Action::Link(path, to) => sorted.links.push((path, to)),
            }
        }
        let is_late = |(path, to): &(&RepoPath, &RepoPath)| late.contains(to) || takes_directory(path);
        (sorted.late_links, sorted.links) = sorted.links.into_iter().partition(is_late);
        sorted
    }
}

/// Whether a directory has exactly this name; `true` if it cannot be listed.
pub(super) fn is_listed(directory: &Dir, name: &[u8]) -> bool {
    directory.entries().map_or(true, |entries| entries.iter().any(|entry| entry.name == name))
}

/// Steps done one after the other, by one thread.
struct Hand<'w> {
    work: &'w Work<'w>,
    directories: Directories<'w>,
    thread: Thread<'w>,
    /// A directory whose name is spelled otherwise will do: what has that name is going to stay.
    settles: bool,
}

impl<'w> Hand<'w> {
    fn new(work: &'w Work<'w>) -> Hand<'w> {
        Hand {
            work,
            directories: Directories::new(&work.site),
            thread: Thread::new(work, Threads::Two),
            settles: false,
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
        let subject = Subject { directory: &directory, name: &staged.name, file: None, atime: self.work.site.atime() };
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
        let is_right = match tally.placed.get(to) {
            Some(inode) => there.inode == *inode,
            None => match self.work.trusted(to).filter(|_| !tally.has_given_up(to)) {
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

    /// Removes what is recorded; a directory only if it is empty.
    fn remove(&mut self, path: &RepoPath, tally: &mut Tally) -> Result<()> {
        let done = self.try_remove(path);
        if matches!(done, Ok(Done::Changed)) && tally.has_left_below(path) {
            // Why it is not empty is told already.
            return Ok(());
        }
        tally.note(path, done)
    }

    fn try_remove(&mut self, path: &RepoPath) -> Result<Done> {
        let Some(record) = self.work.trusted(path) else { return Ok(Done::Changed) };
        match self.work.moved.fate(path, &record) {
            // Where case does not count, it may be found by its old name.
            Some(Fate::Moved) => return Ok(Done::Removed),
            // Nobody has looked whether its saved copy can be read.
            Some(Fate::Left) => self.work.check_saved(&record)?,
            None => {}
        }
        let (directory, name) = match self.directories.parent(path) {
            Err(error) if is_gone(&error) => return Ok(Done::Removed),
            result => result?,
        };
        let is_removed = if record.stat.kind == Kind::Directory {
            match directory.stat(name)? {
                None => true,
                Some(there) => there.kind == Kind::Directory && directory.remove_dir(name)?,
            }
        } else {
            take_out((&directory, name), &self.work.site.staged_name(name), &record, self.work.objects)?
        };
        Ok(if is_removed { Done::Removed } else { Done::Changed })
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
        let subject = Subject { directory: &directory, name, file: None, atime: self.work.site.atime() };
        let failed = dress(&subject, &there, &entry.metadata, Some(&self.work.attributes(entry.attributes)?.xattrs));
        Ok(Done::Placed(there.inode, failed))
    }
}
