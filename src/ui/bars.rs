//! Progress bars: on a terminal only, for work that takes longer than a moment, and gone when it ends.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::progress::{Progress, Silent, Task, Unit};
use crate::ui::When;
use crate::ui::human::{Count, Size};

/// Work that is done sooner shows no bar.
const PATIENCE: Duration = Duration::from_millis(300);

/// Where there is no terminal, and progress is wanted all the same: a line so often.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// The bars of a command.
pub struct Bars {
    mode: Mode,
    multi: MultiProgress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Off,
    Bars,
    Lines,
}

impl Bars {
    /// Bars on stderr when wanted; `Auto`: on a terminal, unless the command is to be silent.
    pub fn new(when: When, silent: bool) -> Bars {
        let terminal = io::stderr().is_terminal();
        let mode = match (when, terminal) {
            (When::Never, _) => Mode::Off,
            (When::Always, true) => Mode::Bars,
            (When::Always, false) => Mode::Lines,
            (When::Auto, true) if !silent => Mode::Bars,
            (When::Auto, _) => Mode::Off,
        };
        Bars { mode, multi: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()) }
    }

    /// Does something on stderr while no bar is in the way.
    pub fn suspend(&self, write: impl FnOnce()) {
        match self.mode {
            Mode::Bars => self.multi.suspend(write),
            Mode::Off | Mode::Lines => write(),
        }
    }
}

impl Progress for Bars {
    fn start(&self, label: &'static str, unit: Unit, total: Option<u64>) -> Arc<dyn Task> {
        let now = Instant::now();
        let counts = Counts { label, unit, done: AtomicU64::new(0), total: AtomicU64::new(total.unwrap_or(0)) };
        match self.mode {
            Mode::Off => Arc::new(Silent),
            Mode::Bars => Arc::new(Bar { counts, begun: now, multi: self.multi.clone(), shown: OnceLock::new() }),
            Mode::Lines => Arc::new(Lines { counts, last: Mutex::new(now) }),
        }
    }
}

/// How far a task has come.
struct Counts {
    label: &'static str,
    unit: Unit,
    done: AtomicU64,
    /// 0: not known.
    total: AtomicU64,
}

/// A task with a bar, once it has taken long enough.
struct Bar {
    counts: Counts,
    begun: Instant,
    multi: MultiProgress,
    shown: OnceLock<ProgressBar>,
}

impl Bar {
    fn appear(&self) -> ProgressBar {
        let total = match self.counts.total.load(Ordering::Relaxed) {
            0 => None,
            total => Some(total),
        };
        let bar = self.multi.add(ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden()));
        bar.set_style(style(self.counts.unit, total.is_some()));
        bar.set_message(self.counts.label);
        bar.set_elapsed(self.begun.elapsed());
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }
}

impl Task for Bar {
    fn add(&self, units: u64) {
        let done = self.counts.done.fetch_add(units, Ordering::Relaxed) + units;
        if let Some(bar) = self.shown.get() {
            bar.set_position(done);
        } else if self.begun.elapsed() >= PATIENCE {
            self.shown.get_or_init(|| self.appear()).set_position(done);
        }
    }

    fn set_total(&self, total: u64) {
        self.counts.total.store(total, Ordering::Relaxed);
        if let Some(bar) = self.shown.get() {
            bar.set_style(style(self.counts.unit, true));
            bar.set_length(total);
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(bar) = self.shown.get() {
            bar.finish_and_clear();
        }
    }
}

/// A task that writes a line now and then.
struct Lines {
    counts: Counts,
    last: Mutex<Instant>,
}

impl Task for Lines {
    fn add(&self, units: u64) {
        let done = self.counts.done.fetch_add(units, Ordering::Relaxed) + units;
        // Another thread that is about to write is good enough.
        let Ok(mut last) = self.last.try_lock() else { return };
        if last.elapsed() >= LINE_EVERY {
            *last = Instant::now();
            let _ = writeln!(io::stderr(), "{}", self.counts.line(done));
        }
    }

    fn set_total(&self, total: u64) {
        self.counts.total.store(total, Ordering::Relaxed);
    }
}

impl Counts {
    fn line(&self, done: u64) -> String {
        let amount = |units| match self.unit {
            Unit::Bytes => Size(units).to_string(),
            Unit::Items => Count(units).to_string(),
        };
        match self.total.load(Ordering::Relaxed) {
            0 => format!("{}: {}", self.label, amount(done)),
            total => format!("{}: {} of {}", self.label, amount(done), amount(total)),
        }
    }
}

fn style(unit: Unit, total: bool) -> ProgressStyle {
    let template = match (unit, total) {
        (Unit::Bytes, true) => {
            "{msg:<12} {wide_bar} {binary_bytes:>10}/{binary_total_bytes} {binary_bytes_per_sec:>12}  {eta:>4}"
        }
        (Unit::Bytes, false) => "{msg:<12} {spinner} {binary_bytes:>10} {binary_bytes_per_sec:>12}  {elapsed:>4}",
        (Unit::Items, true) => "{msg:<12} {wide_bar} {human_pos:>10}/{human_len} {per_sec:>12}  {eta:>4}",
        (Unit::Items, false) => "{msg:<12} {spinner} {human_pos:>10} {per_sec:>12}  {elapsed:>4}",
    };
    ProgressStyle::with_template(template).expect("the templates above are valid")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_valid_and_lines_tell_what_is_known() {
        for unit in [Unit::Bytes, Unit::Items] {
            for total in [false, true] {
                style(unit, total);
            }
        }
        let counts = |unit, total| Counts { label: "recording", unit, done: 0.into(), total: AtomicU64::new(total) };
        assert_eq!(counts(Unit::Bytes, 2048).line(1024), "recording: 1.00 KiB of 2.00 KiB");
        assert_eq!(counts(Unit::Items, 0).line(1234), "recording: 1,234");
    }
}
