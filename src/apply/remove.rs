//! Removes files and directories: first everything except directories, with all workers if there is much to remove;
//! then directories, deepest first, each only if it is empty by then.

use std::sync::{Mutex, PoisonError};

use crate::error::{ErrorKind, Result};
use crate::fs::is_gone;
use crate::metadata::Kind;
use crate::parallel;
use crate::path::RepoPath;
use crate::progress::Unit;
use crate::worktree::index::Record;

use super::applier::Applier;
use super::outcome::ApplyOutcome;
use super::renames::SourceState;
use super::swap::{StepResult, take_out};
use super::write::Threads;

/// Number of removals that a thread takes at a time.
const RUN: usize = 512;

/// Removes everything except directories, with all workers if there is much to remove; then directories, deepest first,
/// each only if it is empty by then.
pub(super) fn remove_all(applier: &mut Applier<'_>, removals: &[u32], outcome: &mut ApplyOutcome) -> Result<()> {
    let context = applier.context;
    if removals.is_empty() {
        return Ok(());
    }
    let task = context.progress.start("removing", Unit::Items, Some(removals.len() as u64));
    let (shared, directories) = (Mutex::new(&mut *outcome), Mutex::new(Vec::new()));
    let remove = |applier: &mut Applier<'_>, run: &[u32]| {
        run.iter().try_for_each(|n| {
            task.add(1)?;
            applier.remove_unless_directory(*n, &shared, &directories)
        })
    };
    if removals.len() > RUN {
        parallel::try_map(removals.chunks(RUN), || Applier::new(context, Threads::All), remove)?;
    } else {
        remove(applier, removals)?;
    }
    let mut directories = directories.into_inner().unwrap_or_else(PoisonError::into_inner);
    directories.sort_unstable();
    for n in directories.into_iter().rev() {
        let path = context.plan.path(n);
        let done = applier.remove(n, &path, context.trusted(&path).as_ref());
        if matches!(done, Ok(StepResult::Changed)) && outcome.has_left_below(&path) {
            // The reason that it is not empty was already reported.
            continue;
        }
        outcome.note(n, &path, done)?;
    }
    Ok(())
}

/// Removes the files among these removals, except those that are only moved. Used on a full disk before anything else.
pub(super) fn remove_files(applier: &mut Applier<'_>, removals: &[u32], outcome: &mut ApplyOutcome) -> Result<()> {
    let context = applier.context;
    for n in removals.iter().map(|n| *n as usize) {
        let path = context.plan.path(n);
        let record = context.trusted(&path).filter(|record| record.stat.kind == Kind::File);
        let Some(record) = record.filter(|record| context.renames.state(n, record).is_none()) else { continue };
        match applier.remove(n, &path, Some(&record)) {
            // Renaming a file to its staged name may need space for the directory; the next files may not need any.
            Err(error) if error.kind() == ErrorKind::NoSpace => {}
            done => outcome.note(n, &path, done)?,
        }
    }
    Ok(())
}

impl Applier<'_> {
    /// Removes a recorded entry. A directory is added to the list instead.
    fn remove_unless_directory(
        &mut self,
        number: u32,
        outcome: &Mutex<&mut ApplyOutcome>,
        directories: &Mutex<Vec<usize>>,
    ) -> Result<()> {
        let n = number as usize;
        let path = self.context.plan.path(n);
        let record = self.context.trusted(&path);
        if record.as_ref().is_some_and(|record| record.stat.kind == Kind::Directory) {
            directories.lock().unwrap_or_else(PoisonError::into_inner).push(n);
            return Ok(());
        }
        let done = self.remove(n, &path, record.as_ref());
        outcome.lock().unwrap_or_else(PoisonError::into_inner).note(n, &path, done)
    }

    /// Removes a recorded entry; a directory only if it is empty.
    fn remove(&mut self, n: usize, path: &RepoPath, record: Option<&Record>) -> Result<StepResult> {
        let Some(record) = record else { return Ok(StepResult::Changed) };
        match self.context.renames.state(n, record) {
            // On a case-insensitive file system, the entry may be found by its old name.
            Some(SourceState::Renamed) => return Ok(StepResult::Removed),
            // No check has shown that its saved copy can be read.
            Some(SourceState::InPlace) => self.context.check_saved(record)?,
            None => {}
        }
        let (directory, name) = match self.directories.parent(path) {
            Err(error) if is_gone(&error) => return Ok(StepResult::Removed),
            result => result?,
        };
        if record.stat.kind == Kind::Directory {
            let is_removed = match directory.stat(name)? {
                None => true,
                Some(there) => there.kind == Kind::Directory && directory.remove_dir(name)?,
            };
            return Ok(if is_removed { StepResult::Removed } else { StepResult::Changed });
        }
        let staged_name = self.context.staging.staged_name(name);
        take_out((&directory, name), &staged_name, (record, self.context.when_open), self.context.objects)
    }
}
