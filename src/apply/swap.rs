//! Replaces or removes one entry so that nothing unsaved is lost: stages the new entry beside it, swaps the two names, and
//! checks the old entry before removing it.

use std::borrow::Cow;

use crate::error::Result;
use crate::fs::{self, Dir, Renamed, Stat, Writers};
use crate::metadata::Kind;
use crate::object::Objects;
use crate::worktree::index::Record;

use super::proof::{is_moved, is_proven, is_saved, is_untouched, still_saved};

/// An entry under a staged name. Dropping it before it is put in place removes it, or moves it back.
pub(super) struct Staged<'d> {
    directory: &'d Dir,
    pub name: Vec<u8>,
    is_directory: bool,
    is_ours: bool,
    /// Original directory and name of a moved entry. `None` for a new one.
    from: Option<(&'d Dir, &'d [u8])>,
}

/// The entry expected at the final name.
pub(super) enum Expected {
    Nothing,
    /// The saved entry with this record.
    Saved(Box<Record>, WhenOpen),
    /// A directory whose content has been removed.
    EmptyDirectory,
}

/// What to do with a file that another program has open for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenOpen {
    /// Leave it at its name.
    Keep,
    /// Replace or remove it anyway; also used if the system cannot tell whether a file is open.
    Replace,
}

/// Result of one step.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum StepResult {
    /// The entry is in place, with this inode number. Metadata that could not be set, with reasons.
    Placed(u64, Vec<String>),
    /// The entry was removed.
    Removed,
    /// The existing entry is not the saved one.
    Changed,
    /// The entry was not created, for this reason.
    LeftOut(String),
    /// Another program is using the existing entry.
    InUse,
}

impl StepResult {
    pub(super) fn placed(inode: u64) -> StepResult {
        StepResult::Placed(inode, Vec::new())
    }

    /// Adds metadata that could not be set, if the entry is in place.
    pub(super) fn with_failures(self, found: Vec<String>) -> StepResult {
        match self {
            StepResult::Placed(inode, failed) => StepResult::Placed(inode, found.into_iter().chain(failed).collect()),
            other => other,
        }
    }
}

impl Expected {
    /// Record of the entry to replace.
    pub(super) fn record(&self) -> Option<&Record> {
        match self {
            Expected::Saved(record, _) => Some(record),
            Expected::Nothing | Expected::EmptyDirectory => None,
        }
    }
}

impl<'d> Staged<'d> {
    /// Takes responsibility for a new entry, which must exist.
    pub(super) fn new(directory: &'d Dir, name: Vec<u8>, kind: Kind) -> Staged<'d> {
        Staged { directory, name, is_directory: kind == Kind::Directory, is_ours: true, from: None }
    }

    /// Moves a file with a single name to a staged name or, with `is_final`, to its final name. `None`, without a
    /// change, if it is not the saved file or cannot be moved there.
    pub(super) fn take(
        from: (&'d Dir, &'d [u8]),
        directory: &'d Dir,
        (name, is_final): (Vec<u8>, bool),
        record: &Record,
    ) -> Result<Option<Staged<'d>>> {
        let is_there = |there: Stat| is_untouched(record, &there) && there.links == 1;
        if !matches!(from.0.stat(from.1), Ok(Some(there)) if is_there(there)) {
            return Ok(None);
        }
        let is_taken = match is_final {
            true => matches!(from.0.rename_new(from.1, directory, &name), Ok(Renamed::Yes | Renamed::ByLink)),
            false => from.0.rename(from.1, directory, &name).is_ok(),
        };
        if !is_taken {
            return Ok(None);
        }
        let staged = Staged { directory, name, is_directory: false, is_ours: true, from: Some(from) };
        // The stat shows whether the file was written to before it was moved.
        let is_taken = match directory.stat(&staged.name)? {
            Some(there) if is_saved(record, &there) && there.links == 1 => {
                is_proven(directory, &staged.name, record, &there)?
            }
            _ => false,
        };
        Ok(is_taken.then_some(staged))
    }

    /// Undoes the staging: removes a new entry, moves another one back.
    fn unstage(&self) -> Result<bool> {
        match self.from {
            Some((directory, name)) => Ok(self.directory.rename_new(&self.name, directory, name)? != Renamed::No),
            None if self.is_directory => self.directory.remove_dir(&self.name),
            None => self.directory.remove_file(&self.name).map(|()| true),
        }
    }

    /// Moves the staged entry, which has this inode, to `name`, unless the entry there is not the expected one.
    pub(super) fn put(
        mut self,
        inode: u64,
        name: &[u8],
        expected: &Expected,
        objects: &dyn Objects,
    ) -> Result<StepResult> {
        if self.name == name {
            self.is_ours = false;
            return Ok(StepResult::placed(inode));
        }
        let there = match expected {
            Expected::Nothing => None,
            _ => self.directory.stat(name)?,
        };
        let saved = match (expected, &there) {
            // No entry (any more), so nothing can be lost.
            (_, None) => return self.put_new(inode, name),
            (Expected::Nothing, Some(_)) => return Ok(StepResult::Changed),
            (Expected::Saved(record, when_open), Some(there)) => {
                let saved = still_saved((self.directory, name), record, there, objects)?;
                let Some(saved) = saved else { return Ok(StepResult::Changed) };
                Some((saved, *when_open))
            }
            (Expected::EmptyDirectory, Some(there)) if there.kind == Kind::Directory => None,
            (Expected::EmptyDirectory, Some(_)) => return Ok(StepResult::Changed),
        };
        if !self.directory.exchange(&self.name, self.directory, name)? {
            return self.put_over(inode, name, saved);
        }
        // The staged name now holds the old entry.
        self.is_ours = false;
        let taken = match saved {
            Some((record, when_open)) => take_away(self.directory, &self.name, &record, when_open)?,
            None => remove_dir(self.directory, &self.name)?,
        };
        if taken != StepResult::Removed {
            self.directory.exchange(&self.name, self.directory, name)?;
            // If another program has put a third entry there meanwhile, the staged name now holds that, and it stays.
            self.is_ours = self.directory.stat(&self.name)?.is_some_and(|there| there.inode == inode);
            return Ok(taken);
        }
        Ok(StepResult::placed(inode))
    }

    fn put_new(mut self, inode: u64, name: &[u8]) -> Result<StepResult> {
        let renamed = self.directory.rename_new(&self.name, self.directory, name)?;
        self.is_ours = renamed == Renamed::No;
        match renamed {
            Renamed::No => Ok(StepResult::Changed),
            Renamed::Yes => Ok(StepResult::placed(inode)),
            // On file systems with inode numbers per name, the file now has another number.
            Renamed::ByLink => {
                Ok(self.directory.stat(name)?.map_or(StepResult::Changed, |there| StepResult::placed(there.inode)))
            }
        }
    }

    /// Fallback for file systems that cannot swap names: first takes out the existing entry, a saved file or an empty
    /// directory.
    fn put_over(self, inode: u64, name: &[u8], saved: Option<(Cow<'_, Record>, WhenOpen)>) -> Result<StepResult> {
        let taken = match saved {
            Some((record, when_open)) => {
                let aside = [&self.name[..], b"-old"].concat();
                move_out(self.directory, name, &aside, (&record, when_open))?
            }
            None => remove_dir(self.directory, name)?,
        };
        if taken == StepResult::Removed { self.put_new(inode, name) } else { Ok(taken) }
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if self.is_ours {
            // On failure, the next command finds the staged name by its token.
            let _ = self.unstage();
        }
    }
}

/// Removes the saved entry at `name` through the name `aside`, unless it does not match the record.
pub(super) fn take_out(
    (directory, name): (&Dir, &[u8]),
    aside: &[u8],
    (record, when_open): (&Record, WhenOpen),
    objects: &dyn Objects,
) -> Result<StepResult> {
    let Some(there) = directory.stat(name)? else { return Ok(StepResult::Removed) };
    let saved = still_saved((directory, name), record, &there, objects)?;
    let Some(record) = saved else { return Ok(StepResult::Changed) };
    move_out(directory, name, aside, (&record, when_open))
}

/// Moves a file to a staged name and removes it there. Moves it back if it does not match the record or is in use.
fn move_out(
    directory: &Dir,
    name: &[u8],
    aside: &[u8],
    (record, when_open): (&Record, WhenOpen),
) -> Result<StepResult> {
    directory.rename(name, directory, aside)?;
    let taken = take_away(directory, aside, record, when_open)?;
    if taken != StepResult::Removed {
        directory.rename_new(aside, directory, name)?;
    }
    Ok(taken)
}

/// Removes a file that was moved to a staged name, if it still is the saved one and no program can write to it any
/// more: no program has it open or knows this name.
fn take_away(directory: &Dir, name: &[u8], record: &Record, when_open: WhenOpen) -> Result<StepResult> {
    // Checked before the stat, so that the stat shows everything that was written.
    let is_open = when_open == WhenOpen::Keep && record.stat.kind == Kind::File && is_open_for_writing(directory, name);
    let Some(there) = directory.stat(name)? else { return Ok(StepResult::Removed) };
    if !is_moved(directory, name, record, &there)? {
        return Ok(StepResult::Changed);
    }
    if is_open {
        return Ok(StepResult::InUse);
    }
    directory.remove_file(name).map(|()| StepResult::Removed)
}

/// Removes an empty directory.
fn remove_dir(directory: &Dir, name: &[u8]) -> Result<StepResult> {
    Ok(if directory.remove_dir(name)? { StepResult::Removed } else { StepResult::Changed })
}

/// Whether a program has a file open for writing or mapped for shared writing. `false` if the system cannot tell.
fn is_open_for_writing(directory: &Dir, name: &[u8]) -> bool {
    directory.open_file(name).is_ok_and(|file| fs::writers_of(&file) == Writers::Some)
}

#[cfg(test)]
mod tests;
