//! What happens when a signal interrupts a command: an interactive child is waited for, and a message is printed that
//! depends on the phase of the command.

use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use libc::c_int;

use crate::environment::{Environment, Phase};
use crate::fs::signal::Handlers;

/// Signals that users and terminals send to end a program.
const SIGNALS: [c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// What a signal does.
struct Reaction {
    /// The phase of the command.
    phase: Arc<AtomicU8>,
    /// The messages of [`Phase::ALL`] for each of [`SIGNALS`].
    messages: Vec<[String; SIGNALS.len()]>,
}

impl Reaction {
    fn new(environment: &Environment, message: impl Fn(Phase, u8) -> String) -> Reaction {
        let of = |phase| SIGNALS.map(|signal| message(phase, u8::try_from(signal).unwrap_or(u8::MAX)));
        Reaction { phase: environment.phase(), messages: Phase::ALL.map(of).into() }
    }

    /// Async-signal-safe.
    fn message(&self, signal: c_int) -> &str {
        let messages = self.messages.get(usize::from(self.phase.load(Ordering::SeqCst)));
        let at = SIGNALS.iter().position(|&one| one == signal);
        messages.zip(at).map_or("", |(messages, at)| &messages[at])
    }
}

/// Of [`on_interrupt`].
static ENDS: OnceLock<Reaction> = OnceLock::new();

/// Of [`exit_on_interrupt`].
static EXITS: OnceLock<Reaction> = OnceLock::new();

/// From now on, a signal that ends this process prints the message for the phase of `environment` and the signal to stderr.
/// The signal ends the process all the same. Ignored signals stay ignored. Only the first call has an effect.
pub fn on_interrupt(environment: &Environment, message: impl Fn(Phase, u8) -> String) {
    if ENDS.set(Reaction::new(environment, message)).is_ok() {
        std::mem::forget(Handlers::install(&SIGNALS, handle));
    }
}

/// From now on, a signal of [`on_interrupt`] prints these messages instead, and exits the process with 128 + its number, as if it
/// had ended normally. A shell that sees one of its commands end by SIGINT would end its own command line too.
pub fn exit_on_interrupt(environment: &Environment, message: impl Fn(Phase) -> String) {
    let _ = EXITS.set(Reaction::new(environment, |phase, _| message(phase)));
}

/// Process id of the [`AwaitedChild`]; 0 for none.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// File descriptor of its [`AwaitedInput`]; -1 for none.
static INPUT: AtomicI32 = AtomicI32::new(-1);

/// A child that reads the output of this process and the keyboard. A signal ends this process only after the child has
/// exited, so that the two never share the terminal with the shell. At most one exists at a time.
pub struct AwaitedChild(Child);

/// The input of an [`AwaitedChild`]. A signal closes it, so that the child sees the end of its input.
pub struct AwaitedInput(ChildStdin);

impl AwaitedChild {
    /// Waits for a child on signals from now on. Its stdin must be piped.
    pub fn new(mut child: Child) -> (AwaitedChild, AwaitedInput) {
        let input = child.stdin.take().expect("stdin is piped");
        INPUT.store(input.as_raw_fd(), Ordering::SeqCst);
        CHILD.store(i32::try_from(child.id()).unwrap_or_default(), Ordering::SeqCst);
        (AwaitedChild(child), AwaitedInput(input))
    }

    /// Waits until the child has exited.
    pub fn wait(mut self) -> io::Result<ExitStatus> {
        let status = self.0.wait();
        CHILD.store(0, Ordering::SeqCst);
        status
    }
}

impl Write for AwaitedInput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Drop for AwaitedInput {
    fn drop(&mut self) {
        // Before the file descriptor is closed and may be reused.
        INPUT.store(-1, Ordering::SeqCst);
    }
}

/// Closes the input of the [`AwaitedChild`] and waits until it has exited. Async-signal-safe.
fn await_child() {
    let (child, input) = (CHILD.load(Ordering::SeqCst), INPUT.swap(-1, Ordering::SeqCst));
    // SAFETY: both calls are async-signal-safe. The descriptor is open: its owner takes it out of `INPUT` before closing it,
    // and no longer runs, since it is the main thread, which handles the signal.
    #[expect(unsafe_code, reason = "a handler may not use what could lock or allocate")]
    unsafe {
        if input >= 0 {
            libc::close(input);
        }
        if child > 0 {
            libc::waitpid(child, std::ptr::null_mut(), 0);
        }
    }
}

/// Async-signal-safe: uses only atomics and system calls. The signal ends the process when this returns.
extern "C" fn handle(signal: c_int) {
    await_child();
    let exits = EXITS.get();
    if let Some(reaction) = exits.or_else(|| ENDS.get()) {
        let message = reaction.message(signal).as_bytes();
        // SAFETY: the bytes live as long as the process. Whether they are written makes no difference.
        #[expect(unsafe_code, reason = "a handler may not use what could lock or allocate")]
        unsafe {
            libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len());
        }
    }
    // SAFETY: all are async-signal-safe.
    #[expect(unsafe_code, reason = "signal actions have no safe form, and a handler may not run destructors")]
    unsafe {
        if exits.is_some() {
            libc::_exit(128 + signal);
        }
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}
