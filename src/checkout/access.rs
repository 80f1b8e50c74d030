//! Directories that their owner can no longer read, such as after `chmod -R 644`. A checkout gives the owner access first, so
//! that their content can be saved and restored.

use std::path::PathBuf;

use crate::apply::plan::Plan;
use crate::environment::{Environment, Phase};
use crate::error::Result;
use crate::fs::{self, Dir, Stat};
use crate::metadata::Kind;
use crate::object::commit::Reason;
use crate::path::{RepoPath, RepoPathBuf};
use crate::repo::Repository;
use crate::repo::layout::Layout;
use crate::repo::opened::{self, Modes};
use crate::worktree::{Scan, Worktree};

/// What the owner needs to list a directory and to reach what is in it.
const READ: u16 = 0o500;
/// What the owner gets.
const ALL: u16 = 0o700;

/// Directories that have been made accessible. Dropping it restores their modes.
#[derive(Debug)]
pub struct Access {
    root: Dir,
    note: PathBuf,
    environment: Environment,
    /// As they were.
    modes: Modes,
}

/// Unreadable directories of this user that a plan changes, or that hide something the plan would save, replace or remove;
/// sorted. Of nested ones only the topmost, since nothing is known about the others.
pub fn closed_directories(worktree: &Worktree, scan: &Scan, plan: &Plan) -> Vec<RepoPathBuf> {
    let mut closed: Vec<RepoPathBuf> = Vec::new();
    for uncovered in scan.uncovered.iter().filter(|uncovered| uncovered.reason == Reason::Unreadable) {
        let path = &uncovered.path;
        let is_wanted = |directory: &RepoPath| {
            plan.conflicts.iter().any(|one| one.is_within(directory) || directory.is_within(one))
                || plan.kept.iter().any(|kept| directory.is_within(kept))
                // What is in it must not be left to others, with the mode that it gets.
                || plan.find(directory).is_some()
        };
        if !closed.last().is_some_and(|last| path.is_within(last))
            && let Some(directory) = first_closed(&worktree.root, path)
            && is_wanted(&directory)
        {
            closed.push(directory);
        }
    }
    closed.retain(|directory| !worktree.opened.contains_key(directory));
    closed
}

/// Whether a killed command has left directories open.
pub fn has_left_open(layout: &Layout) -> bool {
    !opened::read(&layout.opened_directories()).is_empty()
}

/// The first directory on the way to a path, or at it, that this user has closed.
fn first_closed(root: &Dir, path: &RepoPath) -> Option<RepoPathBuf> {
    let (mut directory, mut below) = (root.open_dir(b".").ok()?, RepoPathBuf::default());
    for name in path.names() {
        let stat = directory.stat(name).ok().flatten()?;
        below = below.join(name);
        if is_closed(&stat) {
            return Some(below);
        }
        directory = directory.open_dir(name).ok()?;
    }
    None
}

fn is_closed(stat: &Stat) -> bool {
    stat.kind == Kind::Directory && stat.metadata.uid == fs::effective_uid() && stat.metadata.mode & READ != READ
}

impl Access {
    /// First restores the modes that a killed command has left changed. The lock must be held.
    pub fn new(repository: &Repository, worktree: &Worktree) -> Result<Access> {
        let note = repository.layout.opened_directories();
        let (root, environment) = (worktree.root.open_dir(b".")?, repository.environment.clone());
        let mut access = Access { root, modes: opened::read(&note), note, environment };
        access.restore_modes();
        Ok(access)
    }

    /// Makes these directories accessible, and closed directories inside them if `is_recorded` is true for them. Returns
    /// `false` if none could be opened. Scans of `worktree` report the original modes.
    pub fn open(
        &mut self,
        worktree: &mut Worktree,
        directories: Vec<RepoPathBuf>,
        is_recorded: &dyn Fn(&RepoPath) -> Result<bool>,
    ) -> Result<bool> {
        let (mut level, mut is_any_open) = (directories, false);
        while !level.is_empty() {
            let closed = level.iter().filter_map(|path| Some((path.clone(), self.stat(path)?)));
            let closed: Modes =
                closed.filter(|it| is_closed(&it.1)).map(|(path, it)| (path, it.metadata.mode)).collect();
            if !closed.is_empty() {
                self.modes.extend(closed.clone());
                opened::write(&self.note, &self.modes, self.environment.durability())?;
                self.environment.advance_phase(Phase::Locked, Phase::DirectoriesOpened);
            }
            for (path, mode) in closed {
                if self.set_mode(&path, mode | ALL) {
                    worktree.opened.insert(path, mode);
                    is_any_open = true;
                }
            }
            level = self.directories_in(level, is_recorded)?;
        }
        Ok(is_any_open)
    }

    /// The recorded directories in these.
    fn directories_in(
        &self,
        above: Vec<RepoPathBuf>,
        is_recorded: &dyn Fn(&RepoPath) -> Result<bool>,
    ) -> Result<Vec<RepoPathBuf>> {
        let mut found = Vec::new();
        for path in above {
            // What may still not be read is not covered.
            let Ok(entries) = self.root.open_below(&path).and_then(|directory| directory.entries()) else { continue };
            for entry in entries {
                let below = path.join(&entry.name);
                if self.stat(&below).is_some_and(|stat| stat.kind == Kind::Directory) && is_recorded(&below)? {
                    found.push(below);
                }
            }
        }
        Ok(found)
    }

    /// Leaves the modes to the checkout, whose intent is in the journal by now. Returns the directories.
    pub(super) fn hand_over(mut self) -> Vec<RepoPathBuf> {
        if !self.modes.is_empty() {
            opened::remove(&self.note);
        }
        std::mem::take(&mut self.modes).into_keys().collect()
    }

    /// Restores the modes, deepest directories first.
    fn restore_modes(&mut self) {
        if self.modes.is_empty() {
            return;
        }
        let mut is_done = true;
        for (path, mode) in std::mem::take(&mut self.modes).into_iter().rev() {
            // Skips directories whose mode has been changed since.
            if self.stat(&path).is_some_and(|stat| stat.kind == Kind::Directory && stat.metadata.mode == mode | ALL) {
                is_done &= self.set_mode(&path, mode);
            }
        }
        if is_done {
            opened::remove(&self.note);
            self.environment.advance_phase(Phase::DirectoriesOpened, Phase::Locked);
        }
    }

    fn stat(&self, path: &RepoPath) -> Option<Stat> {
        self.root.stat_below(path).ok().flatten()
    }

    /// Sets a mode. `false` if the directory does not have it afterwards: not every file system stores modes.
    fn set_mode(&self, path: &RepoPath, mode: u16) -> bool {
        let set = self.root.open_parent(path).and_then(|(parent, name)| parent.set_mode(name, mode));
        set.is_ok() && self.stat(path).is_some_and(|stat| stat.metadata.mode == mode)
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        self.restore_modes();
    }
}
