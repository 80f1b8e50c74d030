//! Signals that people and terminals send to end a program, taken for a while.

use std::sync::atomic::{AtomicI32, Ordering};

use libc::c_int;

/// A handler in place of what was there before, until it is dropped. A handler and not "ignore", since a program that is
/// started inherits what is ignored, and not handlers. Signals that were ignored stay so. Not for two threads at once.
pub(super) struct Handlers {
    before: Vec<(c_int, libc::sigaction)>,
}

impl Handlers {
    /// Puts it in place. The handler may do only what a handler may do: atomics, and system calls that leave `errno` alone.
    pub(super) fn place(signals: &[c_int], handler: extern "C" fn(c_int)) -> Handlers {
        let before = signals.iter().filter_map(|&signal| Some((signal, take(signal, handler)?))).collect();
        Handlers { before }
    }
}

impl Drop for Handlers {
    fn drop(&mut self) {
        for (signal, action) in &self.before {
            // SAFETY: the action is what the system gave for this signal, unchanged.
            #[expect(unsafe_code, reason = "signal actions have no safe form")]
            unsafe {
                libc::sigaction(*signal, action, std::ptr::null_mut());
            }
        }
    }
}

/// Puts the handler in place and gives what was there; `None` if the signal is ignored, and stays so.
fn take(signal: c_int, handler: extern "C" fn(c_int)) -> Option<libc::sigaction> {
    // SAFETY: both structures are plain data for which zeros are valid, and live through the calls. The handlers do only
    // what a handler may do, which `place` asks for.
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

/// The signal that came; 0: none.
static CAME: AtomicI32 = AtomicI32::new(0);

extern "C" fn note(signal: c_int) {
    CAME.store(signal, Ordering::SeqCst);
}

/// Ctrl-C and requests to end are only noted, until it is dropped.
pub(super) struct Interrupts {
    _handlers: Handlers,
}

impl Interrupts {
    pub(super) fn watch() -> Interrupts {
        CAME.store(0, Ordering::SeqCst);
        Interrupts { _handlers: Handlers::place(&[libc::SIGINT, libc::SIGTERM, libc::SIGHUP], note) }
    }

    /// The number of the last signal that came.
    pub(super) fn came(&self) -> Option<u8> {
        u8::try_from(CAME.load(Ordering::SeqCst)).ok().filter(|signal| *signal > 0)
    }
}
