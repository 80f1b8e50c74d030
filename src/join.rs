//! Shares work between threads. One thread does all of it if the system starts no more (`ulimit -u`, `pids.max`).

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// Runs both closures and returns both results. This thread runs the first one, and a new thread the second one; if no
/// thread can be started, this one runs both. A panic of either is propagated.
pub fn join<A, B: Send>(mine: impl FnOnce() -> A, theirs: impl FnOnce() -> B + Send) -> (A, B) {
    let work = Mutex::new(Some(theirs));
    let take = || work.lock().unwrap_or_else(PoisonError::into_inner).take();
    std::thread::scope(|scope| {
        let thread = start(scope, || take().map(|theirs| theirs()));
        let mine = mine();
        let theirs = thread.and_then(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        // The thread was not started, so the work is still there.
        let theirs = theirs.or_else(|| take().map(|theirs| theirs()));
        (mine, theirs.expect("one of the two threads has done it"))
    })
}

/// Starts a thread; `None` if the system starts no more.
pub fn start<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    Builder::new().spawn_scoped(scope, work).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_are_done_once() {
        let count = std::sync::atomic::AtomicU32::new(0);
        let add = |n| count.fetch_add(n, std::sync::atomic::Ordering::Relaxed);
        let text = String::from("moved");
        assert_eq!(join(|| add(1), || (add(2), text)).1.1, "moved");
        assert_eq!(count.into_inner(), 3);
    }
}
