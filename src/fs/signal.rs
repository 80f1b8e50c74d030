//! Temporary handlers of the signals that users and terminals send to end a program.

use std::sync::atomic::{AtomicI32, Ordering};

use libc::c_int;

#[cfg(feature = "targets")]
use crate::error::{Error, ErrorKind, Exit, Result};

/// Installed handlers. Dropping them restores the previous actions. Uses a handler instead of `SIG_IGN` because child
/// processes inherit ignored signals, but not handlers. Signals that were ignored stay ignored. Not for concurrent use.
pub(super) struct Handlers {
    before: Vec<(c_int, libc::sigaction)>,
}

impl Handlers {
    /// Installs a handler. The handler must be async-signal-safe: only atomics, and system calls that leave `errno` alone.
    pub(super) fn install(signals: &[c_int], handler: extern "C" fn(c_int)) -> Handlers {
        let before = signals.iter().filter_map(|&signal| Some((signal, take(signal, handler)?))).collect();
        Handlers { before }
    }
}

impl Drop for Handlers {
    fn drop(&mut self) {
        for (signal, action) in &self.before {
            // SAFETY: the system returned this action for this signal.
            #[expect(unsafe_code, reason = "signal actions have no safe form")]
            unsafe {
                libc::sigaction(*signal, action, std::ptr::null_mut());
            }
        }
    }
}

/// Installs the handler and returns the previous action; `None` if the signal is ignored, which it stays.
fn take(signal: c_int, handler: extern "C" fn(c_int)) -> Option<libc::sigaction> {
    // SAFETY: both structures are plain data for which zeros are valid, and outlive the calls. The handlers are
    // async-signal-safe, as `install` requires.
    #[expect(unsafe_code, reason = "signal actions have no safe form")]
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signal, std::ptr::null(), &mut before) != 0 || before.sa_sigaction == libc::SIG_IGN {
            return None;
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        action.sa_flags = libc::SA_RESTART;
        libc::sigemptyset(&mut action.sa_mask);
        (libc::sigaction(signal, &action, std::ptr::null_mut()) == 0).then_some(before)
    }
}

/// From now on, Ctrl-Z does not stop this process.
pub fn ignore_stop_key() {
    std::mem::forget(Handlers::install(&[libc::SIGTSTP], pass));
}

/// A handler that does nothing.
pub(super) extern "C" fn pass(_: c_int) {}

/// The signal that was received last; 0 for none.
static RECEIVED: AtomicI32 = AtomicI32::new(0);

extern "C" fn note(signal: c_int) {
    RECEIVED.store(signal, Ordering::SeqCst);
}

/// Only notes SIGINT, SIGTERM and SIGHUP until it is dropped.
pub struct Interrupts {
    _handlers: Handlers,
}

impl Interrupts {
    /// Begins to note signals.
    pub fn watch() -> Interrupts {
        RECEIVED.store(0, Ordering::SeqCst);
        Interrupts { _handlers: Handlers::install(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP], note) }
    }

    /// The last signal received.
    pub(super) fn received(&self) -> Option<u8> {
        Interrupts::last()
    }

    /// The last signal that was received since a value of this type exists.
    pub fn last() -> Option<u8> {
        u8::try_from(RECEIVED.load(Ordering::SeqCst)).ok().filter(|signal| *signal > 0)
    }

    /// Fails with [`ErrorKind::Interrupted`] and the exit status of the signal if one was received. The message tells what the command
    /// leaves.
    #[cfg(feature = "targets")]
    pub fn check(left: &str) -> Result<()> {
        match Interrupts::last() {
            Some(signal) => {
                let message = format!("interrupted: {left}");
                Err(Error::new(ErrorKind::Interrupted, message).ends_with(Exit::signal(signal)))
            }
            None => Ok(()),
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        RECEIVED.store(0, Ordering::SeqCst);
    }
}
