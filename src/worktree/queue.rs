//! The jobs of a walk that wait, the last one first: so the walk goes deep, and few directories are unfinished at a time.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::fs::{Dir, DirEntry, Stat};
use crate::worktree::dir_node::Node;
use crate::worktree::index::Directory;

/// Work that pays for starting threads; one is some 20 microseconds.
const PILE: u64 = 64;

/// One piece of work on a directory.
pub struct Job {
    /// The directory.
    pub node: Arc<Node>,
    /// What to do.
    pub task: Task,
}

/// What to do with a directory.
pub enum Task {
    /// List it; the handle, if any, is of the directory that it is in.
    List(Option<Arc<Open>>),
    /// Look at a stretch of its entries.
    Look(Listing, Range<usize>),
    /// Read some of its files.
    Read(Listing, Vec<(usize, Stat)>),
}

/// An open directory and its names.
#[derive(Clone)]
pub struct Listing {
    /// The directory.
    pub open: Arc<Open>,
    /// Sorted by name.
    pub entries: Arc<Vec<DirEntry>>,
}

/// An open directory that jobs share, counted.
pub struct Open {
    /// The directory.
    pub dir: Dir,
    count: Arc<AtomicUsize>,
}

impl Open {
    /// Counts a handle in.
    pub fn new(dir: Dir, count: &Arc<AtomicUsize>) -> Open {
        count.fetch_add(1, Ordering::Relaxed);
        Open { dir, count: count.clone() }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Job {
    fn weight(&self) -> u64 {
        match &self.task {
            // As many entries as it had the last time.
            Task::List(_) => 1 + looks(self.node.known.as_ref().map_or(0, Directory::expected_count)),
            Task::Look(_, range) => looks(range.len()),
            Task::Read(_, files) => files.iter().map(|(_, stat)| 1 + (stat.size >> 16)).sum(),
        }
    }
}

/// What it weighs to look at so many entries.
fn looks(entries: usize) -> u64 {
    entries as u64 / 16
}

/// The queue.
#[derive(Default)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    news: Condvar,
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
        self.news.notify_all();
    }

    /// Takes a job, waiting for one; `None` when all are done. The caller holds the second value while it works.
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
            waiting = self.news.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether more threads would help.
    pub fn is_piled_up(&self) -> bool {
        self.lock().weight >= PILE
    }

    /// No more jobs: one has failed.
    pub fn stop(&self) {
        let mut waiting = self.lock();
        waiting.stopped = true;
        let jobs = std::mem::take(&mut waiting.jobs);
        drop(waiting);
        drop(jobs);
        self.news.notify_all();
    }
}

/// A job being worked on: it may still bring new ones.
pub struct Active<'q>(&'q Queue);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.lock();
        waiting.active -= 1;
        let last = waiting.active == 0 && waiting.jobs.is_empty();
        drop(waiting);
        if last {
            self.0.news.notify_all();
        }
    }
}
