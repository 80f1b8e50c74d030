//! The error type of the crate, and the exit status of each kind of error.
//!
//! Messages are in lower case without a full stop: what failed, on what (in backticks), why. A hint is a command or an action.

use std::fmt;
use std::path::Path;

use crate::message::Message;
use crate::path::{RepoPath, RepoPathBuf};
use crate::quote::shell_path;

/// Result of a fallible operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Kind of an error. Determines the JSON code and the exit status, on which scripts branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Invalid arguments.
    Usage,
    /// A revision, path, branch, tag or setting does not exist.
    NotFound,
    /// A revision matches more than one commit.
    Ambiguous,
    /// A name already exists.
    Exists,
    /// Continuing could lose content that is not saved.
    Refused,
    /// The repository is damaged.
    Damaged,
    /// Content that was purged, and that no command reads any more.
    Purged,
    /// No repository in the directory or its parents.
    NoRepository,
    /// Another process holds the lock.
    Locked,
    /// The deadline has passed. Nothing is recorded.
    NotInTime,
    /// Interrupted by a signal, or cancelled.
    Interrupted,
    /// The disk is full, or a quota is exceeded.
    NoSpace,
    /// The repository has a newer format.
    Unsupported,
    /// The password or the key of a target is not the right one.
    WrongKey,
    /// The operating system denied permission.
    Permission,
    /// A server cannot be reached, or does not let this user in.
    Unreachable,
    /// Another error of the operating system.
    Io,
    /// A violated invariant: a bug.
    Internal,
}

impl ErrorKind {
    /// Code in JSON output.
    pub fn code(self) -> &'static str {
        self.code_and_exit().0
    }

    /// Exit status; 70, 74 and 77 as in `sysexits.h`.
    pub fn exit(self) -> Exit {
        Exit(self.code_and_exit().1)
    }

    fn code_and_exit(self) -> (&'static str, u8) {
        match self {
            ErrorKind::Usage => ("usage", 2),
            ErrorKind::NotFound => ("not-found", 2),
            ErrorKind::Ambiguous => ("ambiguous", 2),
            ErrorKind::Exists => ("exists", 2),
            ErrorKind::Refused => ("refused", 4),
            ErrorKind::Damaged => ("damaged", 5),
            ErrorKind::Purged => ("purged", 1),
            ErrorKind::NoRepository => ("no-repository", 10),
            ErrorKind::Locked => ("locked", 11),
            ErrorKind::NotInTime => ("not-in-time", 9),
            ErrorKind::Interrupted => ("interrupted", Exit::signal(2).0),
            ErrorKind::NoSpace => ("no-space", 13),
            ErrorKind::Unsupported => ("unsupported", 14),
            ErrorKind::WrongKey => ("wrong-key", 12),
            ErrorKind::Permission => ("permission", 77),
            ErrorKind::Unreachable => ("unreachable", 74),
            ErrorKind::Io => ("io", 74),
            ErrorKind::Internal => ("internal", 70),
        }
    }
}

/// Exit status of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Success.
    pub const SUCCESS: Exit = Exit(0);
    /// Success, and the answer is no: `diff --exit-code` found changes.
    pub const NO: Exit = Exit(1);
    /// Finished, but incomplete; what is missing was listed.
    pub const INCOMPLETE: Exit = Exit(3);
    /// Changes that exceed a guard were undone.
    pub const GUARDED: Exit = Exit(6);
    /// An alarm was raised, and the user asked for strict checks.
    pub const SUSPICIOUS: Exit = Exit(6);
    /// `run` itself failed, not its program.
    pub const NOT_RUN: Exit = Exit(125);
    /// `run` could not start its program.
    pub const NOT_STARTED: Exit = Exit(126);
    /// `run` did not find its program.
    pub const NO_PROGRAM: Exit = Exit(127);
}

impl Exit {
    /// Status after a signal, as in shells.
    pub fn signal(number: u8) -> Exit {
        Exit(128 + number)
    }

    /// Returns this status, or `other` if this is success.
    #[must_use]
    pub fn or(self, other: Exit) -> Exit {
        if self == Exit::SUCCESS { other } else { self }
    }
}

impl From<()> for Exit {
    fn from((): ()) -> Exit {
        Exit::SUCCESS
    }
}

/// An error: what failed, on what, why, and what to do about it.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    exit: Exit,
    message: Message,
    hint: Option<Message>,
    paths: Vec<RepoPathBuf>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Creates an error.
    pub fn new(kind: ErrorKind, message: impl Into<Message>) -> Error {
        let message = message.into();
        Error(Box::new(Inner { kind, exit: kind.exit(), message, hint: None, paths: Vec::new(), source: None }))
    }

    /// Creates the error of a failed system call on a path: "cannot ACTION `PATH`: REASON".
    pub fn io(action: &str, path: &Path, source: std::io::Error) -> Error {
        let kind = match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => ErrorKind::NoSpace,
            std::io::ErrorKind::PermissionDenied => ErrorKind::Permission,
            _ => ErrorKind::Io,
        };
        let error = Error::new(kind, format!("cannot {action} `{}`", path.display())).with_source(source);
        match kind {
            ErrorKind::NoSpace => error.hint("free some space on this file system, then run the command again"),
            ErrorKind::Permission => {
                let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
                error.hint(format!("to see the permissions: ls -la {}", shell_path(folder)))
            }
            _ if error.is_caused_by(std::io::ErrorKind::FileTooLarge) && action != "read" => {
                error.hint("permit larger files, then run the command again: ulimit -f unlimited")
            }
            _ => error,
        }
    }

    /// Creates an error of kind [`ErrorKind::Damaged`].
    pub fn damaged(what: impl Into<Message>) -> Error {
        Error::new(ErrorKind::Damaged, what)
    }

    /// Adds a hint: a command or an action.
    pub fn hint(mut self, hint: impl Into<Message>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the affected paths in the worktree.
    pub fn paths(mut self, paths: Vec<RepoPathBuf>) -> Error {
        self.0.paths = paths;
        self
    }

    /// Adds the cause.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// Replaces the exit status of the kind.
    pub fn ends_with(mut self, exit: Exit) -> Error {
        self.0.exit = exit;
        self
    }

    /// Adds context in front of the message: "WHAT: MESSAGE".
    pub fn context(mut self, what: impl Into<Message>) -> Error {
        self.0.message = what.into() + ": " + std::mem::take(&mut self.0.message);
        self
    }

    /// A copy without the cause, for an error that is kept and returned more than once: callers would mistake the cause
    /// for an error of the file that they read.
    pub fn copy(&self) -> Error {
        let Inner { kind, exit, hint, paths, .. } = &*self.0;
        let (message, hint, paths) = (self.message(), hint.clone(), paths.clone());
        Error(Box::new(Inner { kind: *kind, exit: *exit, message, hint, paths, source: None }))
    }

    /// Kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The exit status.
    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    /// The message. The message of the cause follows if it is known.
    pub fn message(&self) -> Message {
        let message = self.0.message.clone();
        match &self.0.source {
            Some(source) => message + ": " + cause(source.as_ref()),
            None => message,
        }
    }

    /// The hint, if any.
    pub fn hint_message(&self) -> Option<&Message> {
        self.0.hint.as_ref()
    }

    /// The hint, if any, with paths from the root of the worktree.
    pub fn hint_text(&self) -> Option<String> {
        self.0.hint.as_ref().map(Message::to_string)
    }

    /// Whether the message mentions the path.
    pub fn mentions(&self, path: &RepoPath) -> bool {
        self.0.message.mentions(path)
    }

    /// The affected paths in the worktree.
    pub fn path_list(&self) -> &[RepoPathBuf] {
        &self.0.paths
    }

    /// The system error that caused it, if any.
    pub fn io_cause(&self) -> Option<&std::io::Error> {
        self.0.source.as_ref()?.downcast_ref()
    }

    /// Whether a file does not exist.
    pub fn is_not_found(&self) -> bool {
        self.is_caused_by(std::io::ErrorKind::NotFound)
    }

    /// Whether a file already exists.
    pub fn already_exists(&self) -> bool {
        self.is_caused_by(std::io::ErrorKind::AlreadyExists)
    }

    fn is_caused_by(&self, kind: std::io::ErrorKind) -> bool {
        self.io_cause().is_some_and(|cause| cause.kind() == kind)
    }

    /// The reason, without what failed and on which path.
    pub fn reason(&self) -> String {
        self.io_cause().map_or_else(|| self.to_string(), reason)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message().fmt(f)
    }
}

impl From<&Error> for Message {
    fn from(error: &Error) -> Message {
        error.message()
    }
}

/// The message of a cause.
fn cause(source: &(dyn std::error::Error + Send + Sync + 'static)) -> Message {
    match (source.downcast_ref::<Error>(), source.downcast_ref::<std::io::Error>()) {
        (Some(error), _) => error.message(),
        (_, Some(io)) => reason(io).into(),
        _ => source.to_string().into(),
    }
}

/// The system message in lower case, without the number that Rust appends.
pub(crate) fn reason(io: &std::io::Error) -> String {
    let text = io.to_string();
    let text = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.0.kind)?;
        match &self.0.hint {
            Some(hint) => write!(f, " (hint: {hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source.as_ref() as _)
    }
}

#[cfg(test)]
mod tests;
