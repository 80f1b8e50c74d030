//! The terminal: text for people, JSON for programs, colours, pager and progress bars. Only this module prints.

mod announce;
pub mod background;
mod bars;
pub mod human;
pub mod page;
mod pager;
#[cfg(feature = "targets")]
pub mod password;
pub mod sanitize;
mod stdout;
pub mod style;
pub mod table;
pub mod text;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;

use serde::Serialize;

use crate::environment::Environment;
use crate::error::{Error, Exit, Result};
use crate::message::Message;
use crate::path::{RepoPath, RepoPathBuf};
use crate::progress::Progress;
use crate::report::alarms::AlarmRecord;
use crate::report::messages::{ErrorRecord, WarningPath, WarningRecord};

pub use background::start_in_background;
pub use bars::Bars;
pub use page::{Page, Place, Print};
pub use style::{Palette, Role};

use sanitize::Printable;
use stdout::Stdout;
pub use stdout::failed;

/// Number of paths that an error or a warning lists without `-v`.
const LISTED: usize = 20;

/// When to use a feature of terminals.
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

/// The global options about output.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Print one JSON object a line instead of text.
    pub json: bool,
    /// Print no status, hints or outcomes.
    pub quiet: bool,
    /// Print more.
    pub verbose: bool,
    /// When to use colours.
    pub color: When,
    /// When to show progress bars.
    pub progress: When,
    /// Show long output in a pager.
    pub pager: bool,
    /// End records with NUL, and print names as raw bytes.
    pub nul: bool,
}

/// Where a command prints: data to stdout, messages to stderr.
pub struct Ui {
    options: Options,
    out: Stdout,
    /// Whether stdout is a terminal.
    terminal: bool,
    palette: Palette,
    /// Whether stderr is a terminal.
    stderr_is_terminal: bool,
    stderr_palette: Palette,
    bars: Bars,
    environment: Environment,
    /// The current directory in the worktree. Paths are printed relative to it; in JSON, from the root.
    directory: OnceLock<RepoPathBuf>,
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error, where stdout belongs to another program.
    Err,
}

impl Ui {
    /// Uses the stdout and stderr of this process.
    pub fn new(options: Options, environment: Environment) -> Ui {
        let (terminal, stderr_is_terminal) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        let palette = Palette::new(style::wanted(options.color, &io::stdout()) && !options.json);
        let stderr_palette = Palette::new(style::wanted(options.color, &io::stderr()));
        let bars = Bars::new(options.progress, stderr_is_terminal, options.json || options.quiet);
        let (out, directory) = (Stdout::new(), OnceLock::new());
        Ui { options, out, terminal, palette, stderr_is_terminal, stderr_palette, bars, environment, directory }
    }

    /// Prints paths relative to this directory of the worktree from now on.
    pub fn print_paths_from(&self, directory: RepoPathBuf) {
        // A command has one current directory; the first one stays.
        let _ = self.directory.set(directory);
    }

    /// The directory that printed paths are relative to.
    fn directory(&self) -> &RepoPath {
        self.directory.get().map_or(RepoPath::root(), |directory| directory)
    }

    /// The global options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Whether a person reads stdout.
    pub fn is_for_people(&self) -> bool {
        self.terminal && !self.options.json && !self.options.nul
    }

    /// Sends the output that follows through the user's pager if a person reads it. Warns if the pager cannot be started.
    pub fn page_long_output(&self) {
        if self.is_for_people()
            && self.options.pager
            && let Err(error) = self.out.start_pager()
        {
            self.warning(&error);
            error.hint_message().into_iter().for_each(|hint| self.hint(hint));
        }
    }

    /// Prints a record on stdout, as JSON with `--json`.
    pub fn show<R: Serialize + Print>(&self, record: &R) -> Result<()> {
        if self.options.json { self.json(record) } else { self.print(record) }
    }

    /// Prints text on stdout.
    pub fn print(&self, text: &impl Print) -> Result<()> {
        self.write(|page| text.print(page))
    }

    /// Whether `-q` silences outcomes, and answers that the exit status gives.
    pub fn is_silent(&self) -> bool {
        self.options.quiet && !self.options.json
    }

    /// Prints what a command has changed, unless silenced by `-q`.
    pub fn outcome<R: Serialize + Print>(&self, record: &R) -> Result<()> {
        if self.is_silent() { Ok(()) } else { self.show(record) }
    }

    /// Prints what a command has changed on stderr, where stdout belongs to another program.
    pub fn outcome_on_stderr<R: Serialize + Print>(&self, record: &R) -> Result<()> {
        if self.options.json {
            self.say_json(record);
        } else if !self.options.quiet {
            let mut text = Vec::new();
            let mut page = Page::new(&mut text, self.stderr_palette, true, false, self.options.verbose, self.place());
            record.print(&mut page).map_err(failed)?;
            let text = text.strip_suffix(b"\n").unwrap_or(&text);
            if !text.is_empty() {
                self.say_bytes(text);
            }
        }
        Ok(())
    }

    /// Whether a person can answer a question.
    pub fn can_ask(&self) -> bool {
        !self.options.json && io::stdin().is_terminal() && self.stderr_is_terminal
    }

    /// Asks a question on the terminal. Returns `None` if there is no answer.
    pub fn ask(&self, question: &str) -> Option<String> {
        let _ = self.out.flush();
        let _ = write!(io::stderr(), "{question} ");
        let mut answer = String::new();
        let length = io::stdin().read_line(&mut answer).unwrap_or(0);
        (length > 0).then(|| answer.trim().to_lowercase())
    }

    /// Lets the caller write raw data to stdout.
    pub fn data<T: Default>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        self.stream(write).and_then(|value| self.flush().map(|()| value))
    }

    /// Writes raw bytes to stdout.
    pub fn bytes(&self, bytes: &[u8]) -> Result<()> {
        self.data(|out| out.write_all(bytes).map_err(failed))
    }

    /// Lets the caller write raw data to stdout, where more follows.
    pub fn stream<T: Default>(&self, write: impl FnOnce(&mut dyn Write) -> Result<T>) -> Result<T> {
        self.out.write(write)
    }

    /// Flushes stdout for a reader that waits.
    pub fn flush(&self) -> Result<()> {
        self.out.flush()
    }

    fn write(&self, write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> Result<()> {
        let (nul, verbose) = (self.options.nul, self.options.verbose);
        self.out.write(|out| {
            let mut page = Page::new(out, self.palette, self.terminal && !nul, nul, verbose, self.place());
            write(&mut page).map_err(failed)
        })
    }

    /// What the text of times and paths depends on.
    fn place(&self) -> Place<'_> {
        Place { environment: &self.environment, directory: self.directory() }
    }

    fn json(&self, value: &impl Serialize) -> Result<()> {
        self.out.write(|out| {
            let written = serde_json::to_writer(&mut *out, value).map_err(io::Error::from);
            written.and_then(|()| out.write_all(b"\n")).map_err(failed)
        })
    }

    /// Prints progress or an answer in words.
    pub fn status(&self, text: impl Display) {
        if !self.options.quiet && !self.options.json {
            self.say(text);
        }
    }

    /// Prints what to do next: a command that can be pasted.
    pub fn hint(&self, text: impl Into<Message>) {
        if !self.options.quiet && !self.options.json {
            self.say(self.message(Role::Hint, "hint:", &text.into()));
        }
    }

    /// Prints a warning.
    pub fn warning(&self, text: impl Into<Message>) {
        self.warning_about(text, &[]);
    }

    /// Prints a warning and the paths that it is about.
    pub fn warning_about(&self, text: impl Into<Message>, paths: &[WarningPath<'_>]) {
        let message = text.into();
        if self.options.json {
            return self.say_json(&WarningRecord { message: &message.to_string(), paths });
        }
        self.say(self.message(Role::Warning, "warning:", &message));
        self.list(paths);
    }

    /// Prints an alarm: as an object for programs, as a warning for people.
    pub fn alarm(&self, alarm: &AlarmRecord, stream: Stream) -> Result<()> {
        match (self.options.json, stream) {
            (true, Stream::Out) => return self.json(alarm),
            (true, Stream::Err) => self.say_json(alarm),
            (false, _) => self.warning(text::describe_alarm(alarm)),
        }
        Ok(())
    }

    /// Prints a note: as an object for programs, as a status for people.
    pub fn note(&self, note: &(impl Serialize + Display), stream: Stream) -> Result<()> {
        match (self.options.json, stream) {
            (true, Stream::Out) => return self.json(note),
            (true, Stream::Err) => self.say_json(note),
            (false, _) => self.status(format_args!("note: {note}")),
        }
        Ok(())
    }

    /// Prints an error, and returns the exit status. Prints nothing for a reader of stdout that has gone away.
    pub fn error(&self, error: &Error) -> Exit {
        let pipe = error.io_cause().is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe);
        if self.out.is_closed() && pipe {
            return Exit::SUCCESS;
        }
        let exit = error.exit();
        if self.options.json {
            self.say_json(&ErrorRecord::from(error));
            return exit;
        }
        self.say(self.message(Role::Error, "error:", &error.message()));
        let paths = match error.path_list() {
            [path] if error.mentions(path) => &[],
            paths => paths,
        };
        self.list(&paths.iter().map(|path| WarningPath::new(path, "")).collect::<Vec<_>>());
        error.hint_message().into_iter().for_each(|hint| self.say(self.message(Role::Hint, "hint:", hint)));
        exit
    }

    fn message(&self, role: Role, word: &str, text: &Message) -> String {
        let text = sanitize::text(&text.relative_to(self.directory(), sanitize::path));
        format!("{} {text}", self.stderr_palette.paint(role, word))
    }

    /// Formats an error for a signal handler, which can only write it: over the progress bar, if there is one.
    pub fn error_text(&self, error: &Error) -> String {
        if self.options.json {
            return serde_json::to_string(&ErrorRecord::from(error)).map_or_else(|_| String::new(), |line| line + "\n");
        }
        let over = if self.stderr_is_terminal { "\r\x1b[K" } else { "" };
        let hint = error.hint_message().map(|hint| self.message(Role::Hint, "hint:", hint) + "\n");
        let error = self.message(Role::Error, "error:", &error.message());
        format!("{over}{}", Printable::lines(&format_args!("{error}\n{}", hint.unwrap_or_default())))
    }

    /// Prints help, which has escape codes for colours.
    pub fn help(&self, ansi: &str) -> Result<()> {
        self.write(|page| page.help(&self.palette.filter(ansi)))
    }

    /// Prints that another process holds the lock, when the environment calls this.
    pub fn wait_report(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let is_json = self.options.json;
        let is_shown = is_json || !self.options.quiet;
        move |held| {
            let message = format!("waiting: {held}");
            let line = match is_json {
                true => serde_json::to_string(&WarningRecord { message: &message, paths: &[] }).unwrap_or_default(),
                false => Printable::lines(&message).to_string(),
            };
            if is_shown {
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }

    /// Where the library reports its progress.
    pub fn progress(&self) -> &dyn Progress {
        &self.bars
    }

    /// Prints the error of a command that failed, flushes stdout, waits for the pager, and returns the exit status.
    pub fn finish(&self, result: Result<Exit>) -> Exit {
        let flushed = self.out.flush();
        let paged = self.out.finish();
        let result = result.and_then(|exit| flushed.map(|()| exit));
        let is_done = result.is_ok();
        let exit = result.unwrap_or_else(|error| self.error(&error));
        match paged {
            // The output of a pager that did not start is lost, unlike that of a pager that the user quit.
            Err(error) if is_done || exit == Exit::SUCCESS => self.error(&error),
            _ => exit,
        }
    }

    fn list(&self, paths: &[WarningPath<'_>]) {
        let shown = if self.options.verbose { paths.len() } else { LISTED };
        for path in paths.iter().take(shown) {
            let (path, reason) = path.text();
            let gap = if reason.is_empty() { "" } else { "  " };
            let (path, reason) =
                (sanitize::path(&path.relative_to(self.directory())), self.stderr_palette.paint(Role::Dim, reason));
            self.say(format!("  {}{gap}{reason}", self.stderr_palette.paint(Role::Path, path)));
        }
        if paths.len() > shown {
            self.say(format!("  and {} more (-v lists all)", human::Count((paths.len() - shown) as u64)));
        }
    }

    fn say_json(&self, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(value) {
            self.say_bytes(text.as_bytes());
        }
    }

    /// Prints a message on stderr, after the data that came before it.
    fn say(&self, message: impl Display) {
        self.say_bytes(Printable::lines(&message).to_string().as_bytes());
    }

    /// Writes a line to stderr. A failure to do so cannot be reported.
    fn say_bytes(&self, line: &[u8]) {
        let _ = self.out.flush();
        self.bars.suspend(|| {
            let _ = io::stderr().write_all(&[line, b"\n"].concat());
        });
    }
}

/// Reports a bug, from the panic hook.
pub fn bug(what: &dyn Display) {
    let _ = writeln!(
        io::stderr(),
        "error: this is a bug in undo: {}\nhint: please report it, with the command you ran; \
         what was committed before is safe",
        sanitize::text(&what.to_string())
    );
}
