//! Two halves of one piece of work, done at once.

use std::panic::resume_unwind;

/// What both give: the first is done by this thread, the second by one of its own. A panic of either goes on here.
pub fn join<A, B: Send>(mine: impl FnOnce() -> A, theirs: impl FnOnce() -> B + Send) -> (A, B) {
    std::thread::scope(|scope| {
        let theirs = scope.spawn(theirs);
        let mine = mine();
        (mine, theirs.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}
