//! The queue of a scan, last in, first out: the walk is depth-first, so few directories are unfinished at a time.

use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::fs::{Dir, DirEntry, Stat};
use crate::worktree::index::Directory;
use crate::worktree::node::{Child, Node};

/// Weight of queued jobs from which on starting threads pays. One unit is about 20 microseconds.
const WORTH_THREADS: u64 = 64;

/// One piece of work on a directory.
pub struct Job {
    pub node: Arc<Node>,
    pub task: Task,
}

/// What to do with a directory.
pub enum Task {
    /// List it; the handle, if any, is of its parent directory.
    List(Option<Arc<OpenDir>>),
    /// Classify a range of its entries.
    Classify(Listing, Range<usize>),
    /// Read some of its files.
    Read(Listing, Vec<(usize, Stat)>),
}

/// An open directory and its names.
#[derive(Clone)]
pub struct Listing {
    pub open: Arc<OpenDir>,
    /// Sorted by name.
    pub entries: Arc<Vec<DirEntry>>,
}

/// An open directory that jobs share.
pub struct OpenDir {
    pub dir: Dir,
    /// Counts the open directories of the scan.
    pub _counted: Arc<()>,
}

impl Listing {
    /// The entry at a position.
    pub fn child<'l>(&'l self, parent: &'l Arc<Node>, at: usize) -> Child<'l> {
        Child { parent, at, dir: &self.open.dir, name: &self.entries[at].name }
    }
}

impl Job {
    /// The job of listing a directory. `parent` is an open handle of its parent directory.
    pub fn list(node: Arc<Node>, parent: Option<Arc<OpenDir>>) -> Job {
        Job { node, task: Task::List(parent) }
    }

    fn weight(&self) -> u64 {
        match &self.task {
            // Assumes as many entries as in the last scan.
            Task::List(_) => 1 + entries(self.node.indexed.as_ref().map_or(0, Directory::expected_count)),
            Task::Classify(_, range) => entries(range.len()),
            Task::Read(_, files) => files.iter().map(|(_, stat)| 1 + (stat.size >> 16)).sum(),
        }
    }
}

/// Weight of classifying this many entries.
fn entries(count: usize) -> u64 {
    count as u64 / 16
}

#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: Vec<Job>,
    weight: u64,
    active: usize,
    stopped: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds jobs; the first one is taken first.
    pub fn push(&self, jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        let mut waiting = self.lock();
        waiting.weight += jobs.iter().map(Job::weight).sum::<u64>();
        waiting.jobs.extend(jobs.into_iter().rev());
        drop(waiting);
        self.changed.notify_all();
    }

    /// Takes a job, or waits for one. `None` when all jobs are done. The caller keeps the second value while it works.
    pub fn take(&self) -> Option<(Job, Active<'_>)> {
        let mut waiting = self.lock();
        loop {
            if waiting.stopped {
                return None;
            }
            if let Some(job) = waiting.jobs.pop() {
                waiting.weight -= job.weight();
                waiting.active += 1;
                return Some((job, Active(self)));
            }
            if waiting.active == 0 {
                return None;
            }
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether starting more threads pays.
    pub fn needs_threads(&self) -> bool {
        self.lock().weight >= WORTH_THREADS
    }

    /// Drops all jobs, after a failure. Returns their directories.
    pub fn stop(&self) -> Vec<Arc<Node>> {
        let mut waiting = self.lock();
        waiting.stopped = true;
        let jobs = std::mem::take(&mut waiting.jobs);
        drop(waiting);
        self.changed.notify_all();
        jobs.into_iter().map(|job| job.node).collect()
    }
}

/// A job in progress, which may still add others.
pub struct Active<'q>(&'q Queue);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.active -= 1;
        let last = waiting.active == 0 && waiting.jobs.is_empty();
        drop(waiting);
        if last {
            self.0.changed.notify_all();
        }
    }
}
