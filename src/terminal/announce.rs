//! Announces work that takes longer than a moment.

use std::io::{self, Write};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::Builder;
use std::time::Duration;

use super::Ui;
use super::sanitize::Printable;

/// Delay before the message.
const DELAY: Duration = Duration::from_millis(500);

impl Ui {
    /// Does some work, and prints a message if it takes longer than half a second.
    pub fn announce<T>(&self, message: &str, work: impl FnOnce() -> T) -> T {
        let is_shown = !self.options.quiet && !self.options.json;
        // The rest of `self` cannot be used in another thread.
        let bars = &self.bars;
        std::thread::scope(|scope| {
            let (end, waiting) = channel::<()>();
            let wait = move || {
                if is_shown && waiting.recv_timeout(DELAY) == Err(RecvTimeoutError::Timeout) {
                    let line = format!("{}\n", Printable::lines(&message));
                    bars.suspend(|| drop(io::stderr().write_all(line.as_bytes())));
                }
            };
            // Without a thread, nothing is announced.
            let _ = Builder::new().spawn_scoped(scope, wait);
            let result = work();
            drop(end);
            result
        })
    }
}
