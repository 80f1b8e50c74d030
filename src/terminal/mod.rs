//! The face: one value, two faces (text for people, JSON for programs); roles, not colours; names made safe for a
//! terminal. The only room that prints. It shows values and fetches nothing.

pub mod bars;
pub mod human;
pub mod json;
pub mod page;
mod pager;
pub mod sanitize;
pub mod style;
pub mod table;

use std::cell::{Cell, RefCell};
use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use serde::Serialize;

use crate::environment::Environment;
use crate::error::{Error, Exit, Result};
use crate::path::RepoPath;
use crate::progress::Progress;

pub use bars::Bars;
pub use page::Page;
pub use style::{Palette, Role};

use json::{Failure, Report, Typed, Warned, Why};
use pager::Pager;

/// Paths that an error or a warning lists for people, unless `-v` asks for all.
const LISTED: usize = 20;

/// When something is done that depends on a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the command line says about output.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// One JSON object a line instead of text.
    pub json: bool,
    /// No status, no hints, no outcomes.
    pub quiet: bool,
    /// More of everything.
    pub verbose: bool,
    /// Colours.
    pub color: When,
    /// Progress bars.
    pub progress: When,
    /// Records end with NUL, and names in them are raw bytes.
    pub nul: bool,
}

/// Where a command shows what it found and says what it did: data to stdout, talk to stderr.
pub struct Ui {
    options: Options,
    out: RefCell<Out>,
    /// The reader of stdout has gone away.
    closed: Cell<bool>,
    /// Whether stdout is a terminal.
    terminal: bool,
    palette: Palette,
    /// Whether stderr is one.
    talks_to_terminal: bool,
    talk: Palette,
    bars: Bars,
    environment: Environment,
}

/// Where data goes.
enum Out {
    Stdout(BufWriter<io::Stdout>),
    Pager(Pager),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Out::Stdout(out) => out.write(bytes),
            Out::Pager(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Out::Stdout(out) => out.flush(),
            Out::Pager(out) => out.flush(),
        }
    }
}

impl Ui {
    /// A face for this process's stdout and stderr.
    pub fn new(options: Options, environment: Environment) -> Ui {
        let (terminal, talks_to_terminal) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let palette = Palette::new(style::wanted(options.color, &io::stdout()) && !options.json);
        let talk = Palette::new(style::wanted(options.color, &io::stderr()));
        let bars = Bars::new(options.progress, talks_to_terminal, options.json || options.quiet);
        let out = RefCell::new(Out::Stdout(BufWriter::with_capacity(1 << 16, io::stdout())));
        Ui { options, out, closed: Cell::new(false), terminal, palette, talks_to_terminal, talk, bars, environment }
    }

    /// What it was made with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether people read stdout as it comes.
    pub fn is_for_people(&self) -> bool {
        self.terminal && !self.options.json && !self.options.nul
    }

    /// Long output follows: through the user's pager, where people read. Without it if it cannot be started.
    pub fn page_long_output(&self) {
        if !self.is_for_people() {
            return;
        }
        match Pager::start() {
            Ok(Some(pager)) => *self.out.borrow_mut() = Out::Pager(pager),
            Ok(None) => {}
            Err(error) => {
                self.warning(&error);
                error.hint_text().into_iter().for_each(|hint| self.hint(hint));
            }
        }
    }

    /// Shows data: an object on a line of its own with `--json`, else text. A list is shown item by item.
    pub fn show<R: Report>(&self, report: &R) -> Result<()> {
        if self.options.json {
            return self.json(&Typed::new(report));
        }
        self.write(|page| report.human(page))
    }

    /// Whether `-q` silences the text of what a command has changed, or of an answer that its exit status tells.
    pub fn is_silent(&self) -> bool {
        self.options.quiet && !self.options.json
    }

    /// Shows what a command has changed: like [`Ui::show`], unless it is to be silent.
    pub fn outcome<R: Report>(&self, report: &R) -> Result<()> {
        if self.is_silent() { Ok(()) } else { self.show(report) }
    }

    /// Tells what happened, on stderr, where stdout belongs to another program. Text is silenced by `-q`.
    pub fn tell<R: Report>(&self, report: &R) -> Result<()> {
        if self.options.json {
            self.say_json(&Typed::new(report));
            return Ok(());
        }
        let mut text = Vec::new();
        let mut page = Page::new(&mut text, self.talk, true, false, self.options.verbose, &self.environment);
        report.human(&mut page).map_err(stdout_failed)?;
        if !self.options.quiet {
            String::from_utf8_lossy(&text).lines().for_each(|line| self.say(line));
        }
        Ok(())
    }

    /// Whether there is a person to ask.
    pub fn can_ask(&self) -> bool {
        !self.options.json && io::stdin().is_terminal() && self.talks_to_terminal
    }

    /// Asks the person at the terminal. None: there is nobody to answer.
    pub fn ask(&self, question: &str) -> Option<String> {
        let _ = self.out.borrow_mut().flush();
        let _ = write!(io::stderr(), "{question} ");
        let mut answer = String::new();
        let length = io::stdin().read_line(&mut answer).unwrap_or(0);
        (length > 0).then(|| answer.trim().to_lowercase())
    }

    /// Hands stdout to something that writes raw data.
    pub fn data<T: Default>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        self.stream(write).and_then(|value| self.flush().map(|()| value))
    }

    /// The same, where more follows.
    pub fn stream<T: Default>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        let mut out = Watched { out: &mut self.out.borrow_mut(), closed: &self.closed };
        match write(&mut out) {
            Err(_) if self.closed.get() => Ok(T::default()),
            result => result,
        }
    }

    /// Sends on what was shown so far, for a reader that waits for it.
    pub fn flush(&self) -> Result<()> {
        let mut out = Watched { out: &mut self.out.borrow_mut(), closed: &self.closed };
        match out.flush() {
            Err(_) if self.closed.get() => Ok(()),
            result => result.map_err(stdout_failed),
        }
    }

    fn write(&self, write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> Result<()> {
        let mut out = Watched { out: &mut self.out.borrow_mut(), closed: &self.closed };
        let nul = self.options.nul;
        let for_terminal = self.terminal && !nul;
        let mut page = Page::new(&mut out, self.palette, for_terminal, nul, self.options.verbose, &self.environment);
        write(&mut page).map_err(stdout_failed)
    }

    fn json(&self, value: &impl Serialize) -> Result<()> {
        let mut out = Watched { out: &mut self.out.borrow_mut(), closed: &self.closed };
        serde_json::to_writer(&mut out, value)
            .map_err(io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .map_err(stdout_failed)
    }

    /// Says what is going on.
    pub fn status(&self, text: impl Display) {
        if !self.options.quiet && !self.options.json {
            self.say(&sanitize::text(&text.to_string()));
        }
    }

    /// Says what to do next: a command that can be pasted.
    pub fn hint(&self, text: impl Display) {
        if !self.options.quiet && !self.options.json {
            self.say(&format!("{} {}", self.talk.paint(Role::Hint, "hint:"), sanitize::text(&text.to_string())));
        }
    }

    /// Says what may not be as expected.
    pub fn warning(&self, text: impl Display) {
        let text = text.to_string();
        if self.options.json {
            self.say_json(&Warned::new(&text));
        } else {
            self.say(&format!("{} {}", self.talk.paint(Role::Warning, "warning:"), sanitize::text(&text)));
        }
    }

    /// Tells of what was found by the way: an object on stdout for programs, a warning for people.
    pub fn alarm(&self, alarm: &(impl Serialize + Display)) -> Result<()> {
        if self.options.json {
            return self.json(alarm);
        }
        self.warning(alarm);
        Ok(())
    }

    /// The same on stderr, where stdout belongs to another program.
    pub fn alarm_aside(&self, alarm: &(impl Serialize + Display)) {
        if self.options.json { self.say_json(alarm) } else { self.warning(alarm) }
    }

    /// The same for what needs no attention.
    pub fn note(&self, note: &(impl Serialize + Display)) -> Result<()> {
        if self.options.json {
            return self.json(note);
        }
        self.status(format_args!("note: {note}"));
        Ok(())
    }

    /// The same on stderr, where stdout belongs to another program.
    pub fn note_aside(&self, note: &(impl Serialize + Display)) {
        if self.options.json { self.say_json(note) } else { self.status(format_args!("note: {note}")) }
    }

    /// Says what may not be as expected, and lists the paths it is about, each with a reason.
    pub fn warning_about(&self, text: impl Display, paths: &[(&RepoPath, Why<'_>)]) {
        let text = text.to_string();
        if self.options.json {
            return self.say_json(&Warned::about(&text, paths));
        }
        self.warning(&text);
        self.list(paths.len(), paths.iter().map(|(path, reason)| (sanitize::path(path), reason.words)));
    }

    /// Tells of a failure, and gives the exit status. A reader of stdout that has seen enough is no failure.
    pub fn error(&self, error: &Error) -> Exit {
        let pipe = error.io_cause().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe);
        if self.closed.get() && pipe {
            return Exit::DONE;
        }
        let exit = error.exit();
        if self.options.json {
            self.say_json(&Failure::new(error));
            return exit;
        }
        let message = error.to_string();
        self.say(&self.headline(error));
        let paths = match error.path_list() {
            [path] if message.contains(&*path.display()) => &[],
            paths => paths,
        };
        self.list(paths.len(), paths.iter().map(|path| (sanitize::path(path), "")));
        self.advice(error).iter().for_each(|hint| self.say(hint));
        exit
    }

    fn headline(&self, error: &Error) -> String {
        format!("{} {}", self.talk.paint(Role::Error, "error:"), sanitize::text(&error.to_string()))
    }

    fn advice(&self, error: &Error) -> Option<String> {
        let hint = error.hint_text()?;
        Some(format!("{} {}", self.talk.paint(Role::Hint, "hint:"), sanitize::text(hint)))
    }

    /// A failure as [`Ui::error`] tells it, for when nothing can be done any more but to write it: over what a terminal has
    /// of a progress bar.
    pub fn last_words(&self, error: &Error) -> String {
        if self.options.json {
            return serde_json::to_string(&Failure::new(error)).map_or_else(|_| String::new(), |line| line + "\n");
        }
        let over = if self.talks_to_terminal { "\r\x1b[K" } else { "" };
        let lines = [self.headline(error)].into_iter().chain(self.advice(error));
        over.to_owned() + &lines.map(|line| line + "\n").collect::<String>()
    }

    /// Help that was asked for, already with escape codes for colours.
    pub fn help(&self, ansi: &str) -> Result<()> {
        self.write(|page| page.text(self.palette.filter(ansi)))
    }

    /// Where the library reports how far long work has come.
    pub fn progress(&self) -> &dyn Progress {
        &self.bars
    }

    /// The end: tells of a failure, flushes, waits for the pager, and gives the exit status.
    pub fn finish(&self, result: Result<Exit>) -> Exit {
        let flushed = self.out.borrow_mut().flush();
        if flushed.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            self.closed.set(true);
        }
        let shown = match &mut *self.out.borrow_mut() {
            Out::Pager(pager) => pager.wait(),
            Out::Stdout(_) => Ok(()),
        };
        let flushed = match flushed {
            Err(error) if !self.closed.get() => Err(stdout_failed(error)),
            _ => Ok(()),
        };
        let result = result.and_then(|exit| flushed.map(|()| exit));
        let is_done = result.is_ok();
        let exit = result.unwrap_or_else(|error| self.error(&error));
        match shown {
            // A shell that starts nothing reads nothing either: that is no reader who has seen enough.
            Err(error) if is_done || exit == Exit::DONE => self.error(&error),
            _ => exit,
        }
    }

    fn list(&self, count: usize, items: impl Iterator<Item = (String, impl Display)>) {
        let shown = if self.options.verbose { count } else { LISTED };
        for (path, reason) in items.take(shown) {
            let reason = reason.to_string();
            let gap = if reason.is_empty() { "" } else { "  " };
            self.say(&format!("  {}{gap}{}", self.talk.paint(Role::Path, path), self.talk.paint(Role::Dim, reason)));
        }
        if count > shown {
            self.say(&format!("  and {} more (-v lists all)", human::Count((count - shown) as u64)));
        }
    }

    fn say_json(&self, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(value) {
            self.say(&text);
        }
    }

    /// One line to stderr, after the data that came before it. Nobody can be told if that fails.
    fn say(&self, line: &str) {
        let _ = self.out.borrow_mut().flush();
        self.bars.suspend(|| {
            let _ = writeln!(io::stderr(), "{line}");
        });
    }
}

/// Tells of a bug, from the panic hook, where no [`Ui`] can be reached.
pub fn bug(what: &dyn Display) {
    let _ = writeln!(
        io::stderr(),
        "error: this is a bug in undo: {}\nhint: please report it, with the command you ran; \
         what was committed before is safe",
        sanitize::text(&what.to_string())
    );
}

fn stdout_failed(error: io::Error) -> Error {
    Error::io("write to", Path::new("stdout"), error)
}

/// A writer that remembers when the reader has gone away.
struct Watched<'a> {
    out: &'a mut Out,
    closed: &'a Cell<bool>,
}

impl Watched<'_> {
    fn watch<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            self.closed.set(true);
        }
        result
    }
}

impl Write for Watched<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.out.write(bytes);
        self.watch(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.out.flush();
        self.watch(result)
    }
}
