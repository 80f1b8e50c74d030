//! Writes files under staged names with all workers, in the order of their bytes in the packs, so that each frame is decoded
//! once.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::BlobId;
use crate::message::Message;
use crate::metadata::Kind;
use crate::object::{Attributes, Entry, ObjectKind};
use crate::parallel;
use crate::path::RepoPath;
use crate::store::Location;

use super::applier::Applier;
use super::context::ApplyContext;
use super::outcome::ApplyOutcome;
use super::patch::Source;
use super::privileges::User;
use super::swap::{Expected, Staged, StepResult};
use super::write::{self, FileWriter, Threads, Wanted};

/// Below both this number of files and this number of bytes, one thread is used.
const FEW: usize = 64;
const SMALL: u64 = 8 << 20;
/// Minimum number of bytes that a thread takes at a time. Runs end at the end of a frame.
const RUN: u64 = 1 << 20;

/// Writes the files of all these actions.
pub(super) fn write_all(context: &ApplyContext<'_>, numbers: Vec<u32>, outcome: &mut ApplyOutcome) -> Result<()> {
    let size = |n: &u32| context.plan.file(*n as usize).map_or(0, |(_, size)| size);
    let (mut large, small): (Vec<u32>, Vec<u32>) = numbers.into_iter().partition(|n| size(n) >= write::SHARED);
    let bytes: u64 = small.iter().map(size).sum();
    let is_much = bytes >= SMALL || small.len() >= FEW;
    let (order, runs) = runs(context, small);
    let outcome = Mutex::new(outcome);
    let init = || Applier::new(context, Threads::One);
    let write = |applier: &mut Applier<'_>, run: &[u32]| run.iter().try_for_each(|n| applier.write(*n, &outcome));
    if runs.len() > 1 && is_much {
        parallel::try_map(runs.into_iter().map(|run| &order[run]), init, write)?;
    } else {
        write(&mut init(), &order)?;
    }
    drop(order);
    // The largest first, so that all workers end at about the same time. If the last ones would leave workers idle, all
    // workers write one file after the other.
    large.sort_by_key(|n| Reverse(size(n)));
    let workers = parallel::workers();
    let rest = large.len() % workers;
    let (alone, together) = large.split_at(large.len() - if 2 * rest <= workers { rest } else { 0 });
    parallel::try_map(alone.chunks(1), init, write)?;
    write(&mut Applier::new(context, Threads::All), together)
}

/// Writes files one at a time, starting with those that need the least space beyond that of the files they replace.
pub(super) fn write_least_first(
    context: &ApplyContext<'_>,
    mut numbers: Vec<u32>,
    outcome: &mut ApplyOutcome,
) -> Result<()> {
    numbers.sort_by_cached_key(|n| {
        let size = context.plan.file(*n as usize).map_or(0, |(_, size)| size);
        let freed = context.saved.find(&context.plan.path(*n as usize)).map_or(0, |record| record.stat.allocated);
        (i128::from(size) - i128::from(freed), size)
    });
    let (mut applier, outcome) = (Applier::new(context, Threads::All), Mutex::new(outcome));
    numbers.into_iter().try_for_each(|n| applier.write(n, &outcome))
}

/// Location of a file's bytes in the store.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Located {
    /// Number of the pack plus one; 0 if the bytes are in no pack.
    pack: u32,
    frame: u64,
    offset: u32,
    /// Number of the action.
    number: u32,
}

impl Located {
    fn new(context: &ApplyContext<'_>, number: u32) -> Located {
        let id = context.plan.file(number as usize).map(|(blob, _)| blob.object_id());
        let locate =
            |id| context.store.locate(ObjectKind::Data, id).or_else(|| context.store.locate(ObjectKind::Layout, id));
        match id.and_then(locate) {
            Some(Location { pack, frame, offset, .. }) => {
                Located { pack: pack + 1, frame: frame.offset, offset, number }
            }
            None => Located { pack: 0, frame: 0, offset: 0, number },
        }
    }
}

/// Actions in the order of the packs, split at the boundaries between frames.
fn runs(context: &ApplyContext<'_>, numbers: Vec<u32>) -> (Vec<u32>, Vec<Range<usize>>) {
    let mut located: Vec<Located> = numbers.into_iter().map(|n| Located::new(context, n)).collect();
    located.sort_unstable();
    let mut runs: Vec<Range<usize>> = Vec::new();
    let (mut frame, mut bytes) = (None, RUN);
    for (at, it) in located.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if bytes < RUN || frame == Some((it.pack, it.frame)) => run.end = at + 1,
            _ => {
                runs.push(at..at + 1);
                bytes = 0;
            }
        }
        // Creating an empty file also takes time.
        bytes += context.plan.file(it.number as usize).map_or(0, |(_, size)| size.max(4096));
        frame = Some((it.pack, it.frame));
    }
    (located.into_iter().map(|it| it.number).collect(), runs)
}

impl Applier<'_> {
    /// Creates the file of one action.
    fn write(&mut self, number: u32, outcome: &Mutex<&mut ApplyOutcome>) -> Result<()> {
        let n = number as usize;
        let (path, Some(entry)) = (self.context.plan.path(n), self.context.plan.entry(n)) else { return Ok(()) };
        let done = self.place(&path, &entry);
        outcome.lock().unwrap_or_else(PoisonError::into_inner).note(n, &path, done)
    }

    /// Writes one file under a staged name, or moves an existing file there; applies the metadata, and puts the file in place.
    pub(super) fn place_file(
        &mut self,
        path: &RepoPath,
        entry: &Entry,
        (blob, size): (BlobId, u64),
    ) -> Result<StepResult> {
        let context = self.context;
        let Some(expected) = context.expected(path) else { return Ok(StepResult::Changed) };
        let (directory, name) = self.directories.parent(path)?;
        let attributes = context.attributes(entry.attributes)?;
        if let Some(done) = self.place_moved(path, entry, &attributes, &expected)? {
            return Ok(done);
        }
        if let Some(done) = self.place_fetched(path, entry, &attributes, &expected)? {
            return Ok(done);
        }
        let staged_name = context.staging.staged_name(name);
        let file = directory.create_file(&staged_name)?;
        let staged = Staged::new(&directory, staged_name, Kind::File);
        let wanted = Wanted { blob, size, holes: &attributes.holes };
        let writer = FileWriter { file: &file, wanted, context, threads: self.threads };
        let is_patched = match expected.record() {
            Some(record) => writer.patch(&Source { directory: &directory, name, record }, &mut self.reader)?,
            None => false,
        };
        if !is_patched {
            writer.write(&mut self.reader)?;
        }
        let now = fs::stat_file(&file)?;
        if now.size != size {
            let message = Message::path(path) + format!(" has {} bytes instead of {size}", now.size);
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let subject = context.staging.subject(&directory, &staged.name, Some(&file));
        let failed = context.apply_metadata(&subject, &now, &entry.metadata, Some(&attributes.xattrs));
        Ok(staged.put(now.inode, name, &expected, context.objects)?.with_failures(failed))
    }

    /// Like [`Applier::place_file`], with a file that was written while its content was fetched. `None`, without a change, if there is
    /// none.
    fn place_fetched(
        &mut self,
        path: &RepoPath,
        entry: &Entry,
        wanted: &Attributes,
        expected: &Expected,
    ) -> Result<Option<StepResult>> {
        let context = self.context;
        let (Some(fetched), Some(blob)) = (context.fetched, entry.blob()) else { return Ok(None) };
        if !wanted.holes.is_empty() {
            return Ok(None);
        }
        let (directory, name) = self.directories.parent(path)?;
        let staged_name = context.staging.staged_name(name);
        let Some(now) = fetched.take((blob, entry.size()), &directory, &staged_name)? else { return Ok(None) };
        let staged = Staged::new(&directory, staged_name, Kind::File);
        let subject = context.staging.subject(&directory, &staged.name, None);
        let failed = context.apply_metadata(&subject, &now, &entry.metadata, Some(&wanted.xattrs));
        context.task.add(entry.size())?;
        Ok(Some(staged.put(now.inode, name, expected, context.objects)?.with_failures(failed)))
    }

    /// Like [`Applier::place_file`], with a file that the plan removes elsewhere. `None`, without a change, if none can be
    /// moved here.
    fn place_moved(
        &mut self,
        path: &RepoPath,
        entry: &Entry,
        wanted: &Attributes,
        expected: &Expected,
    ) -> Result<Option<StepResult>> {
        let context = self.context;
        let Some(from_number) = context.renames.take(entry) else { return Ok(None) };
        let old_path = context.plan.path(from_number);
        let Some(record) = context.trusted(&old_path) else { return Ok(None) };
        let Ok(there) = context.attributes(record.attributes) else { return Ok(None) };
        let (directory, name) = self.directories.parent(path)?;
        let Ok((from, old_name)) = self.directories.parent(&old_path) else { return Ok(None) };
        let has_metadata = record.stat.metadata == entry.metadata && there.xattrs == wanted.xattrs;
        let (user, now, to_be) = (User::current(), &record.stat.metadata, &entry.metadata);
        let must_replace = !has_metadata
            && (user.must_replace(now, to_be, Kind::File)
                || user.must_replace_for_xattrs(&there.xattrs, (to_be, &wanted.xattrs), Kind::File));
        if there.holes != wanted.holes || must_replace {
            return Ok(None);
        }
        // If the metadata is right and the path does not exist, one rename is sufficient.
        let staged_name = match (expected, has_metadata) {
            (Expected::Nothing, true) => (name.to_vec(), true),
            _ => (context.staging.staged_name(name), false),
        };
        let staged = Staged::take((&from, old_name), &directory, staged_name, &record)?;
        let Some(staged) = staged else { return Ok(None) };
        let subject = context.staging.subject(&directory, &staged.name, None);
        let failed = match has_metadata {
            true => Vec::new(),
            false => context.apply_metadata(&subject, &record.stat, &entry.metadata, Some(&wanted.xattrs)),
        };
        let placed = staged.put(record.stat.inode, name, expected, context.objects)?;
        if matches!(placed, StepResult::Placed(..)) {
            context.renames.note(from_number, &record);
            context.task.add(entry.size())?;
        }
        Ok(Some(placed.with_failures(failed)))
    }
}
