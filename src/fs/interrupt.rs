//! The last words of a command that a signal ends: how far it has come is noted as it goes on, and told by the handler.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use libc::c_int;

use crate::fs::signal::Handlers;

/// How far a command that changes something has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Reached {
    /// It has changed nothing and is about to change nothing.
    Nothing,
    /// It has the lock; nothing is recorded, and the worktree is as it was.
    Begun,
    /// The same, but directories have been made accessible to their owner.
    Opened,
    /// The same, but another program has changed the worktree.
    Ran,
    /// A record is being written.
    Recording,
    /// The worktree is between two states.
    Halfway,
    /// All is recorded.
    Recorded,
}

impl Reached {
    const ALL: [Reached; 7] = [
        Reached::Nothing,
        Reached::Begun,
        Reached::Opened,
        Reached::Ran,
        Reached::Recording,
        Reached::Halfway,
        Reached::Recorded,
    ];
}

/// What people and terminals send to end a program.
const SIGNALS: [c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

static REACHED: AtomicUsize = AtomicUsize::new(Reached::Nothing as usize);

/// For each of [`Reached::ALL`] what is said, signal by signal.
static WORDS: OnceLock<Vec<[String; SIGNALS.len()]>> = OnceLock::new();

/// Notes how far the command has come.
pub fn reached(how_far: Reached) {
    REACHED.store(how_far as usize, Ordering::SeqCst);
}

/// The same, where it may have come further before.
pub fn begun() {
    reached_after(Reached::Nothing, Reached::Begun);
}

/// The same, only if it had come to `from`.
pub fn reached_after(from: Reached, to: Reached) {
    let _ = REACHED.compare_exchange(from as usize, to as usize, Ordering::SeqCst, Ordering::SeqCst);
}

/// From now on a signal that ends this process is answered on stderr with what `words` has for how far it has come and for
/// the signal's number. It ends by the signal all the same. Signals that are ignored stay so.
pub fn on_interrupt(words: impl Fn(Reached, u8) -> String) {
    let of = |how_far| SIGNALS.map(|signal| words(how_far, u8::try_from(signal).unwrap_or(u8::MAX)));
    if WORDS.set(Reached::ALL.map(of).into()).is_ok() {
        std::mem::forget(Handlers::place(&SIGNALS, say));
    }
}

/// Only atomics and system calls: a handler may do no more. The signal ends the process when this returns.
extern "C" fn say(signal: c_int) {
    let words = WORDS.get().and_then(|words| words.get(REACHED.load(Ordering::SeqCst)));
    let at = SIGNALS.iter().position(|&one| one == signal);
    if let (Some(words), Some(at)) = (words, at) {
        let words = words[at].as_bytes();
        // SAFETY: the bytes live as long as the process. What is written or not makes no difference.
        #[expect(unsafe_code, reason = "a handler may not use what could lock or allocate")]
        unsafe {
            libc::write(libc::STDERR_FILENO, words.as_ptr().cast(), words.len());
        }
    }
    // SAFETY: both may be called in a handler.
    #[expect(unsafe_code, reason = "signal actions have no safe form")]
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}
