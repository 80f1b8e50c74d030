//! Prints a message when a signal interrupts a command. The message depends on the phase of the command.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use libc::c_int;

use crate::environment::{Environment, Phase};
use crate::fs::signal::Handlers;

/// Signals that users and terminals send to end a program.
const SIGNALS: [c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// The phase of the command, and the messages of [`Phase::ALL`] for each of [`SIGNALS`].
static MESSAGES: OnceLock<(Arc<AtomicU8>, Vec<[String; SIGNALS.len()]>)> = OnceLock::new();

/// From now on, a signal that ends this process prints the message for the phase of `environment` and the signal to stderr.
/// The signal ends the process all the same. Ignored signals stay ignored. Only the first call has an effect.
pub fn on_interrupt(environment: &Environment, message: impl Fn(Phase, u8) -> String) {
    let of = |phase| SIGNALS.map(|signal| message(phase, u8::try_from(signal).unwrap_or(u8::MAX)));
    if MESSAGES.set((environment.phase(), Phase::ALL.map(of).into())).is_ok() {
        std::mem::forget(Handlers::install(&SIGNALS, say));
    }
}

/// Async-signal-safe: uses only atomics and system calls. The signal ends the process when this returns.
extern "C" fn say(signal: c_int) {
    let messages = MESSAGES.get().and_then(|(phase, all)| all.get(usize::from(phase.load(Ordering::SeqCst))));
    let at = SIGNALS.iter().position(|&one| one == signal);
    if let (Some(messages), Some(at)) = (messages, at) {
        let message = messages[at].as_bytes();
        // SAFETY: the bytes live as long as the process. Whether they are written makes no difference.
        #[expect(unsafe_code, reason = "a handler may not use what could lock or allocate")]
        unsafe {
            libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len());
        }
    }
    // SAFETY: both are async-signal-safe.
    #[expect(unsafe_code, reason = "signal actions have no safe form")]
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}
