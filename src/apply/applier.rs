//! Performs checkout steps one at a time, on one thread.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::fs::{Dir, Stat, is_no_link_possible};
use crate::history::entry_at;
use crate::metadata::Kind;
use crate::object::{Content, Entry};
use crate::path::{RepoPath, RepoPathBuf};
use crate::store::Reader;
use crate::worktree::inodes::{Inode, inode};

use super::action::Action;
use super::context::ApplyContext;
use super::outcome::ApplyOutcome;
use super::plan::Verdict;
use super::proof::{is_proven, is_saved, still_saved};
use super::staging::Directories;
use super::swap::{Staged, StepResult};
use super::write::Threads;

/// Whether a parent directory of a path could not be created yet.
pub(super) fn has_missing_parent(path: &RepoPath, outcome: &ApplyOutcome) -> bool {
    !outcome.changed.is_empty() && path.ancestors().any(|above| outcome.changed.contains(above))
}

/// Reason reported when a case-insensitive file system already has another spelling of a name.
pub(super) const OTHER_SPELLING: &str =
    "another spelling of this name exists, which is the same name on this file system";

/// Whether a directory lists exactly this name. `true` if the directory cannot be listed.
pub(crate) fn is_listed(directory: &Dir, name: &[u8]) -> bool {
    directory.entries().map_or(true, |entries| entries.iter().any(|entry| entry.name == name))
}

/// Files with several names that got another inode number, by the inode that was saved, with the name that belongs to the copy.
pub(super) type CopiedUp = HashMap<Inode, RepoPathBuf>;

/// Performs single steps, and keeps directories open between them. Each worker has one.
pub(super) struct Applier<'c> {
    pub(super) context: &'c ApplyContext<'c>,
    pub(super) directories: Directories<'c>,
    pub(super) reader: Reader<'c>,
    /// Number of workers that may write to one file.
    pub(super) threads: Threads,
    /// Accept an existing directory whose name is spelled differently: the entry with that name will stay.
    pub(super) accepts_other_spelling: bool,
    pub(super) copied_up: CopiedUp,
}

impl<'c> Applier<'c> {
    pub(super) fn new(context: &'c ApplyContext<'c>, threads: Threads) -> Applier<'c> {
        Applier {
            context,
            directories: Directories::new(&context.staging),
            reader: context.store.reader(),
            threads,
            accepts_other_spelling: false,
            copied_up: CopiedUp::new(),
        }
    }

    /// Applies `act` to each of these actions, in order.
    pub(super) fn each(
        &mut self,
        numbers: &[u32],
        outcome: &mut ApplyOutcome,
        act: impl Fn(&mut Self, &Action, &ApplyOutcome) -> Result<StepResult>,
    ) -> Result<()> {
        for n in numbers.iter().map(|n| *n as usize) {
            self.context.task.add(0)?;
            let Some(action) = self.context.plan.action(n) else { continue };
            let done = act(self, &action, outcome);
            outcome.note(n, action.path(), done)?;
        }
        Ok(())
    }

    /// Creates anything but a file with a single name. Does nothing if a parent directory could not be created yet.
    pub(super) fn create(&mut self, action: &Action, outcome: &ApplyOutcome) -> Result<StepResult> {
        if has_missing_parent(action.path(), outcome) {
            Ok(StepResult::Changed)
        } else {
            self.create_late(action, outcome)
        }
    }

    /// Like [`Applier::create`], but assumes that all directories exist.
    pub(super) fn create_late(&mut self, action: &Action, outcome: &ApplyOutcome) -> Result<StepResult> {
        match action {
            Action::Link(path, to) => self.link(path, to, outcome),
            Action::Create(path, entry) | Action::Replace(path, entry) if entry.kind() == Kind::Directory => {
                self.make_directory(path)
            }
            Action::Create(path, entry) | Action::Replace(path, entry) => self.place(path, entry),
            Action::Touch(..) | Action::Remove(..) => Ok(StepResult::Changed),
        }
    }

    /// Whether the path resolves although the directory does not list its name, or a parent directory is in that state.
    pub(super) fn is_spelled_otherwise(&mut self, path: &RepoPath, outcome: &ApplyOutcome) -> bool {
        let is_reported = |above| outcome.inexact.get(above).is_some_and(|reason| reason == OTHER_SPELLING);
        let Ok((directory, name)) = self.directories.parent(path) else { return false };
        matches!(directory.stat(name), Ok(Some(_)))
            && (path.ancestors().any(is_reported) || !is_listed(&directory, name))
    }

    /// Creates a directory that only its owner may use until it is finished. Accepts an existing directory.
    fn make_directory(&mut self, path: &RepoPath) -> Result<StepResult> {
        let Some(expected) = self.context.expected(path) else { return Ok(StepResult::Changed) };
        let (directory, name) = self.directories.parent(path)?;
        let there = directory.stat(name)?;
        if let Some(there) = there.filter(|there| there.kind == Kind::Directory) {
            return Ok(match (is_listed(&directory, name), self.accepts_other_spelling) {
                (true, _) => StepResult::placed(there.inode),
                (false, true) => StepResult::Placed(there.inode, vec![OTHER_SPELLING.to_owned()]),
                (false, false) => StepResult::Changed,
            });
        }
        let staged_name = self.context.staging.staged_name(name);
        directory.make_dir(&staged_name)?;
        let staged = Staged::new(&directory, staged_name, Kind::Directory);
        let inode = directory.stat(&staged.name)?.map_or(0, |stat| stat.inode);
        staged.put(inode, name, &expected, self.context.objects)
    }

    /// Creates anything but a directory.
    pub(super) fn place(&mut self, path: &RepoPath, entry: &Entry) -> Result<StepResult> {
        if let Content::File { blob, size } = entry.content {
            return self.place_file(path, entry, (blob, size));
        }
        if let Some(reason) = self.context.limits.and_then(|limits| limits.refusal(entry)) {
            return Ok(StepResult::LeftOut(reason));
        }
        let Some(expected) = self.context.expected(path) else { return Ok(StepResult::Changed) };
        let (directory, name) = self.directories.parent(path)?;
        let staged_name = self.context.staging.staged_name(name);
        match &entry.content {
            Content::Symlink { target } => directory.make_symlink(&staged_name, target)?,
            Content::CharDevice { rdev } | Content::BlockDevice { rdev } => {
                directory.make_special(&staged_name, entry.kind(), *rdev)?;
            }
            _ => directory.make_special(&staged_name, entry.kind(), 0)?,
        }
        let staged = Staged::new(&directory, staged_name, entry.kind());
        let Some(now) = directory.stat(&staged.name)? else { return Ok(StepResult::Changed) };
        let subject = self.context.staging.link_subject(&directory, &staged.name, entry.kind());
        let failed = self.context.apply_entry_metadata(&subject, &now, entry)?;
        Ok(staged.put(now.inode, name, &expected, self.context.objects)?.with_failures(failed))
    }

    /// Creates `path` as a hard link to `to`.
    pub(super) fn link(&mut self, path: &RepoPath, to: &RepoPath, outcome: &ApplyOutcome) -> Result<StepResult> {
        let Some(expected) = self.context.expected(path) else { return Ok(StepResult::Changed) };
        let (to_directory, to_name) = self.directories.parent(to)?;
        let (directory, name) = self.directories.parent(path)?;
        let Some(there) = to_directory.stat(to_name)? else { return Ok(StepResult::Changed) };
        let placed = outcome.placed_at(self.context.plan, to);
        let is_right = match placed {
            Some(inode) => there.inode == inode,
            None => match self.context.trusted(to).filter(|_| !outcome.has_given_up(self.context.plan, to)) {
                Some(record) => {
                    let objects = self.context.objects;
                    is_saved(&record, &there)
                        || still_saved((&to_directory, to_name), &record, &there, objects)?.is_some()
                }
                None => false,
            },
        };
        if !is_right {
            return Ok(StepResult::Changed);
        }
        let staged_name = self.context.staging.staged_name(name);
        if let Err(error) = to_directory.hard_link(to_name, &directory, &staged_name) {
            return if is_no_link_possible(&error) { self.copy(path, to, &error) } else { Err(error) };
        }
        let staged = Staged::new(&directory, staged_name, there.kind);
        let mut number = there.inode;
        if placed.is_none() && there.links > 1 {
            let Some(linked) = directory.stat(&staged.name)? else { return Ok(StepResult::Changed) };
            number = linked.inode;
            self.note_copied_up(to, &there, &linked);
        }
        staged.put(number, name, &expected, self.context.objects)
    }

    /// Remembers a file that got another inode when it was linked or its metadata was set.
    fn note_copied_up(&mut self, path: &RepoPath, before: &Stat, after: &Stat) {
        if before.inode != after.inode
            && let Some(record) = self.context.trusted(path)
        {
            self.copied_up.insert(inode(&record.stat), path.to_owned());
        }
    }

    /// Creates a separate file where no hard link is possible, and reports that.
    fn copy(&mut self, path: &RepoPath, to: &RepoPath, error: &Error) -> Result<StepResult> {
        let entry = entry_at(self.context.objects, self.context.target, to)?;
        let Some(entry) = entry else { return Ok(StepResult::Changed) };
        let reason = format!("not a hard link to `{}` ({})", to.display(), error.reason());
        Ok(self.place(path, &entry)?.with_failures(vec![reason]))
    }

    /// Sets metadata in place, unless the inode has names that are not in the worktree. `added`: number of names that
    /// this checkout has added to it.
    pub(super) fn touch(&mut self, path: &RepoPath, entry: &Entry, added: u64) -> Result<StepResult> {
        let Some(record) = self.context.trusted(path) else { return Ok(StepResult::Changed) };
        let (directory, name) = self.directories.parent(path)?;
        let Some(there) = directory.stat(name)? else { return Ok(StepResult::Changed) };
        let saved = still_saved((&directory, name), &record, &there, self.context.objects)?;
        let Some(saved) = saved.filter(|_| there.links <= record.stat.links + added) else {
            return Ok(StepResult::Changed);
        };
        // Setting the metadata would hide that the content is unverified.
        if !is_proven(&directory, name, &saved, &there)? {
            return Ok(StepResult::Changed);
        }
        let subject = self.context.staging.link_subject(&directory, name, there.kind);
        let failed = self.context.apply_entry_metadata(&subject, &there, entry)?;
        if there.links == 1 {
            return Ok(StepResult::Placed(there.inode, failed));
        }
        let Some(after) = directory.stat(name)? else { return Ok(StepResult::Changed) };
        self.note_copied_up(path, &there, &after);
        Ok(StepResult::Placed(after.inode, failed))
    }
}

/// Links the names that copies on overlayfs left behind. A file of the lower layer is copied up when it is linked or its
/// metadata is set, and only the name used then belongs to the copy: the other names still belong to the lower file.
pub(super) fn relink_copied_up(applier: &mut Applier<'_>, outcome: &mut ApplyOutcome) -> Result<()> {
    let copied_up = std::mem::take(&mut applier.copied_up);
    if copied_up.is_empty() {
        return Ok(());
    }
    let (context, plan) = (applier.context, applier.context.plan);
    for n in (0..plan.end()).filter(|n| plan.verdict(*n) == Verdict::Same) {
        let path = plan.path(n);
        let copy = context.saved.find(&path).and_then(|record| copied_up.get(&inode(&record.stat)));
        if let Some(copy) = copy.filter(|copy| **copy != path) {
            let done = applier.link(&path, copy, outcome);
            outcome.note(n, &path, done)?;
        }
    }
    Ok(())
}
