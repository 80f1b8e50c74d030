//! Progress bars: on a terminal only, for work that takes longer than a moment, and gone when it ends.

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
    /// Bars on stderr when wanted; `Auto`: if that is a terminal, unless the command is to be silent.
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
        // This starts a thread, and panics if the system starts no more.
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
        } else if self.begun.elapsed() >= PATIENCE {
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

/// A task that writes a line now and then.
struct Lines {
    counts: Counts,
    last: Mutex<Instant>,
}

impl Task for Lines {
    fn add(&self, units: u64) -> Result<()> {
        let done = self.counts.done.fetch_add(units, Ordering::Relaxed) + units;
        // Another thread that is about to write is good enough.
        let Ok(mut last) = self.last.try_lock() else { return Ok(()) };
        if last.elapsed() >= LINE_EVERY {
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
    let key = |tell: fn(Unit, &ProgressState) -> String| {
        move |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = out.write_str(&tell(unit, state));
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

/// Units a second, since the work began: it may have done much before there was a bar.
fn rate(unit: Unit, done: u64, elapsed: Duration) -> String {
    let units = done as f64 / elapsed.max(Duration::from_millis(1)).as_secs_f64();
    format!("{}/s", amount(unit, units as u64))
}

/// The time that the rest takes at this rate; empty before anything is done.
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

    /// A terminal that keeps what was written to it.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl indicatif::TermLike for Paper {
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

    /// What is on the terminal once so much is done, ten seconds after the work began.
    fn drawn(unit: Unit, total: Option<u64>, done: u64) -> String {
        let paper = Paper::default();
        let target = ProgressDrawTarget::term_like(Box::new(paper.clone()));
        let multi = MultiProgress::with_draw_target(target);
        let begun = Instant::now().checked_sub(Duration::from_secs(10)).unwrap();
        let counts = Counts { label: "reading", unit, done: 0.into(), total: total.unwrap_or(0).into() };
        let bar = Bar { counts, begun, multi, shown: OnceLock::new() };
        bar.add(done).unwrap();
        std::thread::sleep(Duration::from_millis(150));
        paper.0.lock().unwrap().clone()
    }

    #[test]
    fn a_rate_is_a_whole_number_since_the_work_began() {
        let text = drawn(Unit::Items, None, 50_000);
        let rate = text.split_whitespace().find_map(|word| word.strip_suffix("/s")).unwrap();
        let number: u64 = rate.replace(',', "").parse().unwrap_or_else(|_| panic!("{text}"));
        assert!((1_000..=5_000).contains(&number) && rate.contains(','), "{text}");
        let text = drawn(Unit::Bytes, None, 100 << 30);
        assert!(text.contains(" GiB/s") && !text.contains("100 GiB/s"), "{text}");
    }

    #[test]
    fn there_is_a_bar_and_a_time_left_only_where_the_total_is_known() {
        let text = drawn(Unit::Bytes, Some(300 << 20), 100 << 20);
        assert!(text.contains("100 MiB/300 MiB") && text.contains('█') && text.trim_end().ends_with('s'), "{text}");
        assert!(!drawn(Unit::Bytes, None, 100 << 20).contains('█'));
        assert_eq!(left(1, 3, Duration::from_secs(10)), "20s");
        assert_eq!(left(0, 3, Duration::from_secs(10)), "");
    }
}
