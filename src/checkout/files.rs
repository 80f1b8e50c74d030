//! Files: written beside their places by two threads, in the order in which their bytes lie in the packs, so that each
//! frame is decoded once.

use std::cmp::Reverse;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::id::BlobId;
use crate::join::join;
use crate::metadata::Kind;
use crate::object::{Attributes, Content, Entry, ObjectKind};
use crate::path::RepoPath;
use crate::store::{Location, Reader};

use super::dress::{Subject, dress};
use super::patch::{self, Source};
use super::site::Directories;
use super::stage::{Expected, Staged};
use super::tally::{Done, Tally};
use super::work::Work;
use super::write::{self, Threads, Wanted};

/// A file to be written.
#[derive(Clone, Copy)]
pub(super) struct Job<'p> {
    pub path: &'p RepoPath,
    pub entry: &'p Entry,
    pub blob: BlobId,
    pub size: u64,
}

impl<'p> Job<'p> {
    /// The job of writing a file; `None` if the entry is something else.
    pub(super) fn new(path: &'p RepoPath, entry: &'p Entry) -> Option<Job<'p>> {
        let Content::File { blob, size } = entry.content else { return None };
        Some(Job { path, entry, blob, size })
    }
}

/// Below these a second thread is not worth its start.
const FEW: usize = 64;
const SMALL: u64 = 8 << 20;
/// What a thread takes at once, at least: it ends where a frame ends.
const RUN: u64 = 1 << 20;

/// Writes all files.
pub(super) fn write_all(work: &Work<'_>, jobs: Vec<Job<'_>>, tally: &mut Tally) -> Result<()> {
    let (mut large, small): (Vec<Job<'_>>, Vec<Job<'_>>) = jobs.into_iter().partition(|job| job.size >= write::SHARED);
    let bytes: u64 = small.iter().map(|job| job.size).sum();
    let runs = runs(work, small);
    if runs.len() > 1 && (bytes >= SMALL || runs.iter().map(Vec::len).sum::<usize>() >= FEW) {
        in_two_threads(work, &runs, tally)?;
    } else {
        let mut thread = Thread::new(work, Threads::One);
        runs.iter().try_for_each(|run| thread.write(run, tally))?;
    }
    // The largest first, so that both threads end at about the same time; the last, without a fellow, by both.
    large.sort_by_key(|job| Reverse(job.size));
    let last = if large.len().is_multiple_of(2) { None } else { large.pop() };
    let large: Vec<Vec<Job<'_>>> = large.into_iter().map(|job| vec![job]).collect();
    in_two_threads(work, &large, tally)?;
    last.map_or(Ok(()), |job| Thread::new(work, Threads::Two).write(&[job], tally))
}

/// The jobs in the order of the packs, cut where one frame ends and another begins.
fn runs<'p>(work: &Work<'_>, jobs: Vec<Job<'p>>) -> Vec<Vec<Job<'p>>> {
    let locate = |job: &Job<'_>| -> Option<Location> {
        let id = job.blob.object_id();
        work.store.locate(ObjectKind::Data, id).or_else(|| work.store.locate(ObjectKind::Layout, id))
    };
    let mut located: Vec<(Option<Location>, Job<'p>)> = jobs.into_iter().map(|job| (locate(&job), job)).collect();
    located.sort_by_key(|(location, _)| *location);
    let mut runs: Vec<Vec<Job<'p>>> = Vec::new();
    let (mut frame, mut bytes) = (None, RUN);
    for (location, job) in located {
        let its_frame = location.map(|location| (location.pack, location.frame));
        match runs.last_mut() {
            Some(run) if bytes < RUN || its_frame == frame => run.push(job),
            _ => {
                runs.push(vec![job]);
                bytes = 0;
            }
        }
        // An empty file costs something too.
        bytes += job.size.max(4096);
        frame = its_frame;
    }
    runs
}

fn in_two_threads(work: &Work<'_>, runs: &[Vec<Job<'_>>], tally: &mut Tally) -> Result<()> {
    if runs.is_empty() {
        return Ok(());
    }
    let next = AtomicUsize::new(0);
    let is_over = AtomicBool::new(false);
    let write = || {
        let mut tally = Tally::default();
        let mut thread = Thread::new(work, Threads::One);
        let mut result = Ok(());
        while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            result = thread.write(run, &mut tally);
            if result.is_err() || is_over.load(Ordering::Relaxed) {
                is_over.store(true, Ordering::Relaxed);
                break;
            }
        }
        (tally, result)
    };
    let (mine, theirs) = join(write, write);
    tally.merge(mine.0);
    tally.merge(theirs.0);
    mine.1.and(theirs.1)
}

/// What one thread keeps open.
pub(super) struct Thread<'w> {
    work: &'w Work<'w>,
    directories: Directories<'w>,
    reader: Reader<'w>,
    /// How many write to one file.
    threads: Threads,
}

impl<'w> Thread<'w> {
    pub(super) fn new(work: &'w Work<'w>, threads: Threads) -> Thread<'w> {
        Thread { work, directories: Directories::new(&work.site), reader: work.store.reader(), threads }
    }

    fn write(&mut self, jobs: &[Job<'_>], tally: &mut Tally) -> Result<()> {
        jobs.iter().try_for_each(|job| {
            let done = self.place(job);
            tally.note(job.path, done)
        })
    }

    /// Writes one file beside its place, or moves it there from where it is now; dresses it, and swaps it in.
    pub(super) fn place(&mut self, job: &Job<'_>) -> Result<Done> {
        let work = self.work;
        let Some(expected) = work.expected(job.path) else { return Ok(Done::Changed) };
        let (directory, name) = self.directories.parent(job.path)?;
        let attributes = work.attributes(job.entry.attributes)?;
        if let Some(done) = self.place_moved(job, &attributes, &expected)? {
            return Ok(done);
        }
        let wanted = Wanted { blob: job.blob, size: job.size, holes: &attributes.holes };
        let staged_name = work.site.staged_name(name);
        let file = directory.create_file(&staged_name)?;
        let staged = Staged::new(&directory, staged_name, Kind::File);
        let source = Source { directory: &directory, name, record: expected.record() };
        if !patch::patch(&file, wanted, source, work, (&mut self.reader, self.threads))? {
            write::write(&file, wanted, work.store, (&mut self.reader, self.threads), work.task)?;
        }
        let now = fs::stat_file(&file)?;
        if now.size != job.size {
            let message = format!("`{}` has {} bytes instead of {}", job.path.display(), now.size, job.size);
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let subject =
            Subject { directory: &directory, name: &staged.name, file: Some(&file), atime: work.site.atime() };
        let failed = dress(&subject, &now, &job.entry.metadata, Some(&attributes.xattrs));
        Ok(match staged.put(now.inode, name, &expected, work.objects)? {
            Some(inode) => Done::Placed(inode, failed),
            None => Done::Changed,
        })
    }

    /// The same with what the plan removes elsewhere; `None`, and nothing done, if that is nothing which can become this.
    fn place_moved(&mut self, job: &Job<'_>, wanted: &Attributes, expected: &Expected) -> Result<Option<Done>> {
        let work = self.work;
        let Some(path) = work.moved.take(job.entry) else { return Ok(None) };
        let Some(record) = work.trusted(path) else { return Ok(None) };
        let Ok(there) = work.attributes(record.attributes) else { return Ok(None) };
        let (directory, name) = self.directories.parent(job.path)?;
        let Ok((from, old_name)) = self.directories.parent(path) else { return Ok(None) };
        if there.holes != wanted.holes {
            return Ok(None);
        }
        let is_dressed = record.stat.metadata == job.entry.metadata && there.xattrs == wanted.xattrs;
        // Where nothing is to be done to it and nothing is there, one step will do.
        let staged_name = match (expected, is_dressed) {
            (Expected::Nothing, true) => (name.to_vec(), true),
            _ => (work.site.staged_name(name), false),
        };
        let staged = Staged::take((&from, old_name), &directory, staged_name, &record)?;
        let Some(staged) = staged else { return Ok(None) };
        let subject = Subject { directory: &directory, name: &staged.name, file: None, atime: work.site.atime() };
        let failed = match is_dressed {
            true => Vec::new(),
            false => dress(&subject, &record.stat, &job.entry.metadata, Some(&wanted.xattrs)),
        };
        let Some(inode) = staged.put(record.stat.inode, name, expected, work.objects)? else {
            return Ok(Some(Done::Changed));
        };
        work.moved.note(path, &record);
        work.task.add(job.size);
        Ok(Some(Done::Placed(inode, failed)))
    }
}
