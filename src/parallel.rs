//! Runs work on several threads: as many as there are cores, or `UNDO_WORKERS`.
//!
//! The calling thread is one of the workers, and does all of the work if the system starts no more threads (`ulimit -u`,
//! `pids.max`). Results never depend on the number of workers.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

/// Maximum number of workers by default: each may have a window on a large file in memory.
const MAX_DEFAULT: usize = 8;

/// Maximum value of `UNDO_WORKERS`.
const MAX_WORKERS: usize = 256;

/// Number of workers. Asks the system only once.
pub fn workers() -> usize {
    #[cfg(test)]
    if let Some(count) = tests::FORCED.get() {
        return count;
    }
    static WORKERS: OnceLock<usize> = OnceLock::new();
    *WORKERS.get_or_init(|| {
        let configured = std::env::var("UNDO_WORKERS").ok().and_then(|text| text.parse().ok());
        let cores = || std::thread::available_parallelism().map_or(1, usize::from).min(MAX_DEFAULT);
        configured.filter(|count| (1..=MAX_WORKERS).contains(count)).unwrap_or_else(cores)
    })
}

/// Runs two closures at the same time: the first on this thread, the second on a new one.
pub fn join<A, B: Send>(first: impl FnOnce() -> A, second: impl FnOnce() -> B + Send) -> (A, B) {
    if workers() == 1 {
        return (first(), second());
    }
    let second = Mutex::new(Some(second));
    let take = || lock(&second).take();
    std::thread::scope(|scope| {
        let thread = start(scope, || take().map(|second| second()));
        let first = first();
        let second = thread.and_then(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        // If the thread was not started, the closure is still there.
        let second = second.or_else(|| take().map(|second| second()));
        (first, second.expect("one of the two threads has run it"))
    })
}

/// Applies `work` to each item. Returns the results in item order.
pub fn map<I: Send, T: Send>(items: impl ExactSizeIterator<Item = I> + Send, work: impl Fn(I) -> T + Sync) -> Vec<T> {
    let Ok(results) = try_map(items, || (), |(), item| Ok::<T, Infallible>(work(item)));
    results
}

/// Applies `work` to each item. `init` makes the state of one worker, which its items share. Returns the results in item
/// order. After a failure no worker takes another item.
pub fn try_map<I: Send, S, T: Send, E: Send>(
    items: impl ExactSizeIterator<Item = I> + Send,
    init: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    try_map_on(workers(), items, init, work)
}

/// Like [`try_map`], on this number of threads: for work that waits.
pub fn try_map_on<I: Send, S, T: Send, E: Send>(
    threads: usize,
    items: impl ExactSizeIterator<Item = I> + Send,
    init: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, I) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let count = items.len();
    let (queue, results) = (Mutex::new(items.enumerate()), Mutex::new(Vec::with_capacity(count)));
    let has_failed = AtomicBool::new(false);
    let take = || lock(&queue).next().filter(|_| !has_failed.load(Ordering::Relaxed));
    let run = || {
        let mut state = None;
        while let Some((number, item)) = take() {
            let result = work(state.get_or_insert_with(&init), item);
            has_failed.fetch_or(result.is_err(), Ordering::Relaxed);
            lock(&results).push((number, result));
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(count)).map_while(|_| start(scope, run)).collect();
        run();
        others.into_iter().for_each(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Applies `work` to each item, and `each` to the results: on this thread, in item order, as early as possible. The first
/// failure of `each` stops all workers.
pub fn for_each_result<I: Send, T: Send, E>(
    items: impl ExactSizeIterator<Item = I> + Send,
    work: impl Fn(I) -> T + Sync,
    mut each: impl FnMut(T) -> Result<(), E>,
) -> Result<(), E> {
    let count = items.len();
    let queue = Mutex::new(items.enumerate());
    let take = || lock(&queue).next();
    let (sender, results) = channel();
    let run = |sender: Sender<(usize, T)>| {
        while let Some((number, item)) = take() {
            if sender.send((number, work(item))).is_err() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        let start = |sender: Sender<_>| start(scope, move || run(sender));
        let wanted = if workers() == 1 { 0 } else { workers().min(count) };
        if (0..wanted).map_while(|_| start(sender.clone())).count() == 0 {
            return std::iter::from_fn(take).try_for_each(|(_, item)| each(work(item)));
        }
        drop(sender);
        let (mut next, mut waiting) = (0, BTreeMap::new());
        for (number, result) in results {
            waiting.insert(number, result);
            while let Some(result) = waiting.remove(&next) {
                each(result)?;
                next += 1;
            }
        }
        Ok(())
    })
}

/// Splits items into runs of about the same weight: one for each worker, but fewer if a run would weigh less than `least`.
pub fn split<T>(items: &[T], least: u64, weight: impl Fn(&T) -> u64) -> Vec<&[T]> {
    let total: u64 = items.iter().map(&weight).sum();
    split_into(items, (workers() as u64).min(total / least), weight)
}

/// Splits items into at most `most` runs of about the same weight.
pub fn split_into<T>(items: &[T], most: u64, weight: impl Fn(&T) -> u64) -> Vec<&[T]> {
    let total: u64 = items.iter().map(&weight).sum();
    let (mut runs, mut start, mut before) = (Vec::new(), 0, 0);
    for (at, item) in items.iter().enumerate() {
        before += weight(item);
        let number = runs.len() as u64 + 1;
        if number < most && before >= total * number / most {
            runs.push(&items[start..=at]);
            start = at + 1;
        }
    }
    runs.push(&items[start..]);
    runs
}

/// Starts a worker in a scope; `None` if the system starts no more threads.
pub fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    Builder::new().spawn_scoped(scope, work).ok()
}

/// Starts a thread that waits for the system while others work; `None` if the system starts no more threads.
pub fn start_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<JoinHandle<T>> {
    Builder::new().spawn(work).ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;
    use std::sync::atomic::AtomicUsize;

    use super::*;

    thread_local! {
        /// Number of workers in this thread.
        pub(super) static FORCED: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// Runs a test with this many workers.
    pub fn with_workers<T>(count: usize, test: impl FnOnce() -> T) -> T {
        FORCED.set(Some(count));
        let result = test();
        FORCED.set(None);
        result
    }

    #[test]
    fn join_runs_both_closures_once() {
        for count in [1, 2] {
            let sum = AtomicUsize::new(0);
            let add = |n| sum.fetch_add(n, Ordering::Relaxed);
            let text = String::from("moved");
            assert_eq!(with_workers(count, || join(|| add(1), || (add(2), text))).1.1, "moved");
            assert_eq!(sum.into_inner(), 3);
        }
    }

    #[test]
    fn results_are_in_item_order() {
        let expected: Vec<usize> = (0..1000).map(|n| n * n).collect();
        for count in [1, 2, 4, 8] {
            assert_eq!(with_workers(count, || map(0..1000, |n| n * n)), expected, "{count} workers");
        }
        assert_eq!(map(0..0, |n: usize| n), Vec::<usize>::new());
    }

    #[test]
    fn results_are_delivered_in_item_order_until_a_failure() {
        for count in [1, 2, 4] {
            let mut delivered = Vec::new();
            let deliver = |n| {
                delivered.push(n);
                if n == 500 { Err("stop") } else { Ok(()) }
            };
            assert_eq!(with_workers(count, || for_each_result(0..1000, |n| n, deliver)), Err("stop"));
            assert_eq!(delivered, (0..=500).collect::<Vec<_>>(), "{count} workers");
        }
    }

    #[test]
    fn a_failure_stops_all_workers() {
        for count in [1, 2, 4] {
            let tried = AtomicUsize::new(0);
            let fail = |_: &mut (), n| {
                tried.fetch_add(1, Ordering::Relaxed);
                if n == 3 { Err(n) } else { Ok(n) }
            };
            assert_eq!(with_workers(count, || try_map(0..1_000_000, || (), fail)), Err(3));
            assert!(tried.into_inner() < 1_000_000, "{count} workers");
        }
    }

    #[test]
    fn runs_have_about_the_same_weight() {
        let runs = |count, items: &[u64], least| -> Vec<Vec<u64>> {
            with_workers(count, || split(items, least, |n| *n)).into_iter().map(<[u64]>::to_vec).collect()
        };
        assert_eq!(runs(2, &[1, 2, 3, 3, 3], 1), [vec![1, 2, 3], vec![3, 3]]);
        assert_eq!(runs(4, &[5, 5, 5, 5, 5, 5, 5, 5], 1), vec![[5, 5]; 4]);
        assert_eq!(runs(4, &[5, 5, 5, 5], 10), vec![[5, 5]; 2]);
        assert_eq!(runs(4, &[5, 5], 11), [[5, 5]]);
        assert_eq!(runs(4, &[0, 0], 1), [[0, 0]]);
        assert_eq!(runs(8, &[], 1), [[0; 0]]);
        for count in 1..10 {
            let all: Vec<u64> = (0..100).map(|n| n * 7919 % 101).collect();
            let runs = runs(count, &all, 1);
            assert_eq!((runs.len(), runs.concat()), (count, all));
        }
    }
}
