//! Progress bars: on a terminal only, for work that takes longer than a moment, and removed at its end.

use std::fmt;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::error::Result;
use crate::progress::{Progress, Silent, Task, Unit};
use crate::terminal::When;
use crate::terminal::human::{Count, Size};

/// Delay before a bar appears.
const DELAY: Duration = Duration::from_millis(300);

/// Interval of progress lines, which replace bars without a terminal.
const LINE_INTERVAL: Duration = Duration::from_secs(2);

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
    /// Draws bars on stderr; with `Auto`, only on a terminal and unless the command is silent.
    pub fn new(when: When, terminal: bool, silent: bool) -> Bars {
        let mode = match (when, terminal) {
            (When::Never, _) => Mode::Off,
            (When::Always, true) => Mode::Bars,
            (When::Always, false) => Mode::Lines,
            (When::Auto, true) if !silent => Mode::Bars,
            (When::Auto, _) => Mode::Off,
        };
        Bars { mode, multi: MultiProgress::with_draw_target(ProgressDrawTarget::stderr()) }
    }

    /// Writes to stderr while the bars are hidden.
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
            Mode::Bars => Arc::new(Bar { counts, started: now, multi: self.multi.clone(), shown: OnceLock::new() }),
            Mode::Lines => Arc::new(Lines { counts, last: Mutex::new(now) }),
        }
    }
}

/// The progress of a task.
struct Counts {
    label: &'static str,
    unit: Unit,
    done: AtomicU64,
    /// 0 if unknown.
    total: AtomicU64,
}

/// A task with a bar, which appears after [`DELAY`].
struct Bar {
    counts: Counts,
    started: Instant,
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
        bar.set_elapsed(self.started.elapsed());
        // `enable_steady_tick` starts a thread, and panics if it cannot.
        if crate::parallel::start_background(|| {}).is_some_and(|thread| thread.join().is_ok()) {
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        bar
    }
}

impl Task for Bar {
    fn add(&self, units: u64) -> Result<()> {
        let done = self.counts.done.fetch_add(units, Ordering::Relaxed) + units;
        if let Some(bar) = self.shown.get() {
            bar.set_position(done);
        } else if self.started.elapsed() >= DELAY {
            self.shown.get_or_init(|| self.appear()).set_position(done);
        }
        Ok(())
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

/// A task that prints a line every [`LINE_INTERVAL`].
struct Lines {
    counts: Counts,
    last: Mutex<Instant>,
}

impl Task for Lines {
    fn add(&self, units: u64) -> Result<()> {
        let done = self.counts.done.fetch_add(units, Ordering::Relaxed) + units;
        // If another thread holds the lock, it prints the line.
        let Ok(mut last) = self.last.try_lock() else { return Ok(()) };
        if last.elapsed() >= LINE_INTERVAL {
            *last = Instant::now();
            let _ = writeln!(io::stderr(), "{}", self.counts.line(done));
        }
        Ok(())
    }

    fn set_total(&self, total: u64) {
        self.counts.total.store(total, Ordering::Relaxed);
    }
}

impl Counts {
    fn line(&self, done: u64) -> String {
        let done = amount(self.unit, done);
        match self.total.load(Ordering::Relaxed) {
            0 => format!("{}: {done}", self.label),
            total => format!("{}: {done} of {}", self.label, amount(self.unit, total)),
        }
    }
}

fn style(unit: Unit, total: bool) -> ProgressStyle {
    let template = match total {
        true => "{msg:<12} {wide_bar} {done:>10}/{total} {rate:>14}  {left:>4}",
        false => "{msg:<12} {spinner} {done:>10} {rate:>14}  {elapsed:>4}",
    };
    let key = |format: fn(Unit, &ProgressState) -> String| {
        move |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = out.write_str(&format(unit, state));
        }
    };
    ProgressStyle::with_template(template)
        .expect("the templates above are valid")
        .with_key("done", key(|unit, state| amount(unit, state.pos())))
        .with_key("total", key(|unit, state| amount(unit, state.len().unwrap_or_default())))
        .with_key("rate", key(|unit, state| rate(unit, state.pos(), state.elapsed())))
        .with_key("left", key(|_, state| left(state.pos(), state.len().unwrap_or_default(), state.elapsed())))
}

fn amount(unit: Unit, units: u64) -> String {
    match unit {
        Unit::Bytes => Size(units).to_string(),
        Unit::Items => Count(units).to_string(),
    }
}

/// Units per second since the task began, not since the bar appeared.
fn rate(unit: Unit, done: u64, elapsed: Duration) -> String {
    let units = done as f64 / elapsed.max(Duration::from_millis(1)).as_secs_f64();
    format!("{}/s", amount(unit, units as u64))
}

/// The remaining time at the current rate; empty before the first unit.
fn left(done: u64, total: u64, elapsed: Duration) -> String {
    if done == 0 {
        return String::new();
    }
    let seconds = elapsed.as_secs_f64() * total.saturating_sub(done) as f64 / done as f64;
    format!("{:#}", HumanDuration(Duration::from_secs(seconds as u64)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_valid_and_lines_show_known_totals() {
        for unit in [Unit::Bytes, Unit::Items] {
            for total in [false, true] {
                style(unit, total);
            }
        }
        let counts = |unit, total| Counts { label: "recording", unit, done: 0.into(), total: AtomicU64::new(total) };
        assert_eq!(counts(Unit::Bytes, 2048).line(1024), "recording: 1.00 KiB of 2.00 KiB");
        assert_eq!(counts(Unit::Items, 0).line(1234), "recording: 1,234");
    }

    /// A terminal that records its output.
    #[derive(Clone, Debug, Default)]
    struct RecordedTerminal(Arc<Mutex<String>>);

    impl indicatif::TermLike for RecordedTerminal {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().unwrap().clear();
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The terminal after `done` units, ten seconds after the task began.
    fn drawn(unit: Unit, total: Option<u64>, done: u64) -> String {
        let paper = RecordedTerminal::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let multi = MultiProgress::with_draw_target(target);
        let started = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        let counts = Counts { label: "reading", unit, done: 0.into(), total: total.unwrap_or(0).into() };
        let bar = Bar { counts, started, multi, shown: OnceLock::new() };
        bar.add(done).unwrap();
        std::thread::sleep(Duration::from_millis(150));
        paper.0.lock().unwrap().clone()
    }

    #[test]
    fn rates_are_whole_numbers_since_the_task_began() {
        let text = drawn(Unit::Items, None, 50_000);
        let rate = text.split_whitespace().find_map(|word| word.strip_suffix("/s")).unwrap();
        let number: u64 = rate.replace(',', "").parse().unwrap_or_else(|_| panic!("{text}"));
        assert!((1_000..=5_000).contains(&number) && rate.contains(','), "{text}");
        let text = drawn(Unit::Bytes, None, 100 << 30);
        assert!(text.contains(" GiB/s") && !text.contains("100 GiB/s"), "{text}");
    }

    #[test]
    fn bar_and_remaining_time_require_a_total() {
        let text = drawn(Unit::Bytes, Some(300 << 20), 100 << 20);
        assert!(text.contains("100 MiB/300 MiB") && text.contains('█') && text.trim_end().ends_with('s'), "{text}");
        assert!(!drawn(Unit::Bytes, None, 100 << 20).contains('█'));
        assert_eq!(left(1, 3, Duration::from_secs(10)), "20s");
        assert_eq!(left(0, 3, Duration::from_secs(10)), "");
    }
}
