//! Scans the worktree: reads every entry that the index does not prove unchanged.
//!
//! Workers take jobs on directories from a queue. The caller is the first worker; others start when there is enough work.
//! `worker` lists the directories and builds their trees, `classify` compares entries with the index, and `read_entry`
//! reads those that have changed.

use std::sync::{Arc, OnceLock};

use crate::error::{ErrorKind, Result};
use crate::parallel;
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::store::Store;
use crate::worktree::node::Node;
use crate::worktree::queue::Job;
use crate::worktree::sink::Sink;
use crate::worktree::walk::Walk;
use crate::worktree::worker::Worker;
use crate::worktree::{Index, Worktree};

pub use crate::worktree::walk::{Options, PartialIndex, Scan};

/// Scans the worktree. `new_sink` makes a sink for each worker.
pub fn scan<S: Sink>(
    worktree: &Worktree,
    store: &Store,
    index: &Index,
    options: &Options,
    new_sink: &(dyn Fn() -> S + Sync),
    progress: &dyn Progress,
) -> Result<Scan> {
    let nothing = Index::empty();
    let mut walk = Walk::new(worktree, store, index, options, progress)?;
    if let Err(error) = run(&walk, new_sink) {
        if error.kind() == ErrorKind::NotInTime {
            options.partial.set(walk.into_partial_index());
        }
        return Err(error);
    }
    if walk.inodes.are_contradicted() {
        walk = Walk::new(worktree, store, &nothing, options, progress)?;
        run(&walk, new_sink)?;
    }
    let scan = walk.finish()?;
    Ok(Scan { index_failure: index.failure().cloned(), ..scan })
}

/// Reads everything that is selected.
fn run<S: Sink>(walk: &Walk<'_>, new_sink: &(dyn Fn() -> S + Sync)) -> Result<()> {
    let mut root = Node::new(walk.index, None, RepoPathBuf::default(), walk.worktree.root.stat_self()?);
    root.selected = walk.selection.is_empty() || walk.selection.covers(&root.path);
    walk.queue.push(vec![Job::list(Arc::new(root), None)]);
    let failure = OnceLock::new();
    let run_worker = |between: &mut dyn FnMut()| {
        if let Err(error) = work(Worker::new(walk, new_sink), between) {
            let _ = failure.set(error);
            walk.stop(None);
        }
    };
    std::thread::scope(|scope| {
        let mut are_started = false;
        run_worker(&mut || {
            if !are_started && walk.queue.needs_threads() {
                are_started = true;
                let start = |_| parallel::start(scope, || run_worker(&mut || {}));
                (1..parallel::workers()).map_while(start).for_each(drop);
            }
        });
    });
    let Some(error) = failure.into_inner() else { return Ok(()) };
    // Jobs that were queued after the failure.
    walk.stop(None);
    Err(error)
}

/// Works until no jobs are left. Calls `between` after each job.
fn work<S: Sink>(mut worker: Worker<'_, S>, between: &mut dyn FnMut()) -> Result<()> {
    let mut result = Ok(());
    while let Some((job, _active)) = worker.walk.queue.take() {
        let node = job.node.clone();
        result = worker.work_on(job);
        if result.is_err() {
            worker.walk.stop(Some(node));
            break;
        }
        between();
    }
    result.and(worker.finish())
}
