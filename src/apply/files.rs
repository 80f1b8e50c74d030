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
use crate::object::{Attributes, Content, Entry, ObjectKind};
use crate::parallel;
use crate::path::RepoPath;
use crate::store::{Location, Reader};

use super::context::ApplyContext;
use super::outcome::{ApplyOutcome, StepResult};
use super::patch::{self, Source};
use super::privileges::User;
use super::staging::Directories;
use super::swap::{Expected, Staged, Swap};
use super::write::{self, Threads, Wanted};

/// A file to write.
#[derive(Clone, Copy)]
pub(super) struct Job<'p> {
    pub path: &'p RepoPath,
    pub entry: &'p Entry,
    pub blob: BlobId,
    pub size: u64,
}

impl<'p> Job<'p> {
    /// Creates the job for an entry. `None` if it is not a file.
    pub(super) fn new(path: &'p RepoPath, entry: &'p Entry) -> Option<Job<'p>> {
        let Content::File { blob, size } = entry.content else { return None };
        Some(Job { path, entry, blob, size })
    }
}

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
    let init = || Thread::new(context, Threads::One);
    let write = |thread: &mut Thread<'_>, run: &[u32]| run.iter().try_for_each(|n| thread.write(*n, &outcome));
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
    write(&mut Thread::new(context, Threads::All), together)
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
    let (mut thread, outcome) = (Thread::new(context, Threads::All), Mutex::new(outcome));
    numbers.into_iter().try_for_each(|n| thread.write(n, &outcome))
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

/// The handles and buffers of one thread.
pub(super) struct Thread<'c> {
    context: &'c ApplyContext<'c>,
    directories: Directories<'c>,
    reader: Reader<'c>,
    /// Number of workers that may write to one file.
    threads: Threads,
}

impl<'c> Thread<'c> {
    pub(super) fn new(context: &'c ApplyContext<'c>, threads: Threads) -> Thread<'c> {
        Thread { context, directories: Directories::new(&context.staging), reader: context.store.reader(), threads }
    }

    /// Writes the file of one action.
    fn write(&mut self, number: u32, outcome: &Mutex<&mut ApplyOutcome>) -> Result<()> {
        let n = number as usize;
        let (path, Some(entry)) = (self.context.plan.path(n), self.context.plan.entry(n)) else { return Ok(()) };
        let Some(job) = Job::new(&path, &entry) else { return Ok(()) };
        let done = self.place(&job);
        outcome.lock().unwrap_or_else(PoisonError::into_inner).note(n, &path, done)
    }

    /// Writes one file under a staged name, or moves an existing file there; applies the metadata, and puts the file in place.
    pub(super) fn place(&mut self, job: &Job<'_>) -> Result<StepResult> {
        let context = self.context;
        let Some(expected) = context.expected(job.path) else { return Ok(StepResult::Changed) };
        let (directory, name) = self.directories.parent(job.path)?;
        let attributes = context.attributes(job.entry.attributes)?;
        if let Some(done) = self.place_moved(job, &attributes, &expected)? {
            return Ok(done);
        }
        let wanted = Wanted { blob: job.blob, size: job.size, holes: &attributes.holes };
        let staged_name = context.staging.staged_name(name);
        let file = directory.create_file(&staged_name)?;
        let staged = Staged::new(&directory, staged_name, Kind::File);
        let source = Source { directory: &directory, name, record: expected.record() };
        if !patch::patch(&file, wanted, source, context, (&mut self.reader, self.threads))? {
            write::write(&file, wanted, context.store, (&mut self.reader, self.threads), context.task)?;
        }
        let now = fs::stat_file(&file)?;
        if now.size != job.size {
            let message = Message::path(job.path) + format!(" has {} bytes instead of {}", now.size, job.size);
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let subject = context.staging.subject(&directory, &staged.name, Some(&file));
        let failed = context.apply_metadata(&subject, &now, &job.entry.metadata, Some(&attributes.xattrs));
        Ok(StepResult::of(staged.put(now.inode, name, &expected, context.objects)?, failed))
    }

    /// Like [`Thread::place`], with a file that the plan removes elsewhere. `None`, without a change, if none can be moved here.
    fn place_moved(&mut self, job: &Job<'_>, wanted: &Attributes, expected: &Expected) -> Result<Option<StepResult>> {
        let context = self.context;
        let Some(from_number) = context.moved.take(job.entry) else { return Ok(None) };
        let path = context.plan.path(from_number);
        let Some(record) = context.trusted(&path) else { return Ok(None) };
        let Ok(there) = context.attributes(record.attributes) else { return Ok(None) };
        let (directory, name) = self.directories.parent(job.path)?;
        let Ok((from, old_name)) = self.directories.parent(&path) else { return Ok(None) };
        if there.holes != wanted.holes {
            return Ok(None);
        }
        let has_metadata = record.stat.metadata == job.entry.metadata && there.xattrs == wanted.xattrs;
        if !has_metadata {
            let (user, now, to_be) = (User::current(), &record.stat.metadata, &job.entry.metadata);
            if user.must_replace(now, to_be, Kind::File)
                || user.must_replace_for_xattrs(&there.xattrs, (to_be, &wanted.xattrs), Kind::File)
            {
                return Ok(None);
            }
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
            false => context.apply_metadata(&subject, &record.stat, &job.entry.metadata, Some(&wanted.xattrs)),
        };
        let swap = staged.put(record.stat.inode, name, expected, context.objects)?;
        if matches!(swap, Swap::Done(_)) {
            context.moved.note(from_number, &record);
            context.task.add(job.size)?;
        }
        Ok(Some(StepResult::of(swap, failed)))
    }
}
