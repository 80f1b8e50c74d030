//! Removes files and directories: first everything except directories, with all workers if there is much to remove;
//! then directories, deepest first, each only if it is empty by then.

use std::sync::{Mutex, PoisonError};

use crate::error::{ErrorKind, Result};
use crate::fs::is_gone;
use crate::metadata::Kind;
use crate::parallel;
use crate::path::RepoPath;
use crate::worktree::index::Record;

use super::applier::Applier;
use super::outcome::{ApplyOutcome, Done};
use super::renames::SourceState;
use super::swap::{Swap, take_out};

/// Number of removals that a thread takes at a time.
const RUN: usize = 512;

/// Removes everything except directories, with all workers if there is much to remove; then directories, deepest first,
/// each only if it is empty by then.
pub(super) fn remove_all(applier: &mut Applier<'_>, removals: &[u32], tally: &mut ApplyOutcome) -> Result<()> {
    let work = applier.work;
    let (shared, directories) = (Mutex::new(&mut *tally), Mutex::new(Vec::new()));
    let remove = |applier: &mut Applier<'_>, run: &[u32]| {
        run.iter().try_for_each(|n| applier.remove_unless_directory(*n, &shared, &directories))
    };
    if removals.len() > RUN {
        parallel::try_map(removals.chunks(RUN), || Applier::new(work), remove)?;
    } else {
        remove(applier, removals)?;
    }
    let mut directories = directories.into_inner().unwrap_or_else(PoisonError::into_inner);
    directories.sort_unstable();
    for n in directories.into_iter().rev() {
        let path = work.plan.path(n);
        let done = applier.remove(n, &path, work.trusted(&path).as_ref());
        if matches!(done, Ok(Done::Changed)) && tally.has_left_below(&path) {
            // The reason that it is not empty was already reported.
            continue;
        }
        tally.note(n, &path, done)?;
    }
    Ok(())
}

/// Removes the files among these removals, except those that are only moved. Used on a full disk before anything else.
pub(super) fn remove_files(applier: &mut Applier<'_>, removals: &[u32], tally: &mut ApplyOutcome) -> Result<()> {
    let work = applier.work;
    for n in removals.iter().map(|n| *n as usize) {
        let path = work.plan.path(n);
        let record = work.trusted(&path).filter(|record| record.stat.kind == Kind::File);
        let Some(record) = record.filter(|record| work.moved.state(n, record).is_none()) else { continue };
        match applier.remove(n, &path, Some(&record)) {
            // Renaming a file to its staged name may need space for the directory; the next files may not need any.
            Err(error) if error.kind() == ErrorKind::NoSpace => {}
            done => tally.note(n, &path, done)?,
        }
    }
    Ok(())
}

impl Applier<'_> {
    /// Removes a recorded entry. A directory is added to the list instead.
    fn remove_unless_directory(
        &mut self,
        number: u32,
        tally: &Mutex<&mut ApplyOutcome>,
        directories: &Mutex<Vec<usize>>,
    ) -> Result<()> {
        self.work.task.add(0)?;
        let n = number as usize;
        let path = self.work.plan.path(n);
        let record = self.work.trusted(&path);
        if record.as_ref().is_some_and(|record| record.stat.kind == Kind::Directory) {
            directories.lock().unwrap_or_else(PoisonError::into_inner).push(n);
            return Ok(());
        }
        let done = self.remove(n, &path, record.as_ref());
        tally.lock().unwrap_or_else(PoisonError::into_inner).note(n, &path, done)
    }

    /// Removes a recorded entry; a directory only if it is empty.
    fn remove(&mut self, n: usize, path: &RepoPath, record: Option<&Record>) -> Result<Done> {
        let Some(record) = record else { return Ok(Done::Changed) };
        match self.work.moved.state(n, record) {
            // On a case-insensitive file system, the entry may be found by its old name.
            Some(SourceState::Renamed) => return Ok(Done::Removed),
            // No check has shown that its saved copy can be read.
            Some(SourceState::InPlace) => self.work.check_saved(record)?,
            None => {}
        }
        let (directory, name) = match self.directories.parent(path) {
            Err(error) if is_gone(&error) => return Ok(Done::Removed),
            result => result?,
        };
        if record.stat.kind == Kind::Directory {
            let is_removed = match directory.stat(name)? {
                None => true,
                Some(there) => there.kind == Kind::Directory && directory.remove_dir(name)?,
            };
            return Ok(if is_removed { Done::Removed } else { Done::Changed });
        }
        let staged_name = self.work.site.staged_name(name);
        Ok(match take_out((&directory, name), &staged_name, (record, self.work.when_open), self.work.objects)? {
            Swap::Done(_) => Done::Removed,
            Swap::Changed => Done::Changed,
            Swap::InUse => Done::InUse,
        })
    }
}
