//! What went wrong: one error type for the whole crate, and the exit status of each kind of failure.
//!
//! Wording: lower case, no full stop, what failed first, its subject in backticks. A hint is something to do or paste.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::path::RepoPathBuf;
use crate::quote::shell_word;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is. Scripts branch on it: the kind alone decides the JSON code and the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Arguments that make no sense.
    Usage,
    /// A revision, path, branch, tag or setting that is not there.
    NotFound,
    /// A revision that names more than one commit.
    Ambiguous,
    /// A name that is already taken.
    Exists,
    /// Going on could lose something that is saved nowhere.
    Refused,
    /// Bytes in the store that are not what was written.
    Damaged,
    /// No repository at or above the directory.
    NoRepository,
    /// Another process holds the lock.
    Locked,
    /// A signal ended it while it waited.
    Interrupted,
    /// The disk or the quota is full.
    NoSpace,
    /// A repository of a later format.
    Unsupported,
    /// The operating system does not permit it.
    Permission,
    /// Any other failure of the operating system.
    Io,
    /// A broken invariant: a bug.
    Internal,
}

impl ErrorKind {
    /// The code in JSON output.
    pub fn code(self) -> &'static str {
        match self {
            ErrorKind::Usage => "usage",
            ErrorKind::NotFound => "not-found",
            ErrorKind::Ambiguous => "ambiguous",
            ErrorKind::Exists => "exists",
            ErrorKind::Refused => "refused",
            ErrorKind::Damaged => "damaged",
            ErrorKind::NoRepository => "no-repository",
            ErrorKind::Locked => "locked",
            ErrorKind::Interrupted => "interrupted",
            ErrorKind::NoSpace => "no-space",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Permission => "permission",
            ErrorKind::Io => "io",
            ErrorKind::Internal => "internal",
        }
    }

    /// The exit status; 70, 74 and 77 as in `sysexits.h`.
    pub fn exit(self) -> Exit {
        Exit(match self {
            ErrorKind::Usage | ErrorKind::NotFound | ErrorKind::Ambiguous | ErrorKind::Exists => 2,
            ErrorKind::Refused => 4,
            ErrorKind::Damaged => 5,
            ErrorKind::NoRepository => 10,
            ErrorKind::Locked => 11,
            ErrorKind::NoSpace => 13,
            ErrorKind::Unsupported => 14,
            ErrorKind::Internal => 70,
            ErrorKind::Interrupted => Exit::signal(2).0,
            ErrorKind::Io => 74,
            ErrorKind::Permission => 77,
        })
    }
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit(pub u8);

impl Exit {
    /// Done.
    pub const DONE: Exit = Exit(0);
    /// Done, and the answer is no: `diff --exit-code` found changes.
    pub const NO: Exit = Exit(1);
    /// Finished, but something was left out, and listed.
    pub const INCOMPLETE: Exit = Exit(3);
    /// What a guard forbids was taken back.
    pub const GUARDED: Exit = Exit(6);
    /// Done, but what was found there is not as it should be: an alarm, where the user asked to be strict.
    pub const SUSPICIOUS: Exit = Exit(6);
    /// `run` failed itself, and not the program that it runs.
    pub const NOT_RUN: Exit = Exit(125);
    /// The program that `run` was to run cannot be started.
    pub const NOT_STARTED: Exit = Exit(126);
    /// There is no such program.
    pub const NO_PROGRAM: Exit = Exit(127);
}

impl Exit {
    /// Ended by this signal, as shells tell it.
    pub fn signal(number: u8) -> Exit {
        Exit(128 + number)
    }

    /// This, or the other one if there is nothing wrong with this.
    #[must_use]
    pub fn or(self, other: Exit) -> Exit {
        if self == Exit::DONE { other } else { self }
    }
}

/// A failure: what, on what, why, and what to do next.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    exit: Exit,
    message: String,
    hint: Option<String>,
    paths: Vec<RepoPathBuf>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of this kind with this message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        let message = message.into();
        Error(Box::new(Inner { kind, exit: kind.exit(), message, hint: None, paths: Vec::new(), source: None }))
    }

    /// A failed system call on a path: "cannot ACTION `PATH`: REASON".
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
                error.hint(format!("see who may do it: ls -la {}", shell_word(folder.as_os_str().as_bytes())))
            }
            _ if error.is_caused_by(std::io::ErrorKind::FileTooLarge) && action != "read" => {
                error.hint("permit larger files, then run the command again: ulimit -f unlimited")
            }
            _ => error,
        }
    }

    /// Bytes of a store file that are not what was written.
    pub fn damaged(what: impl Into<String>) -> Error {
        Error::new(ErrorKind::Damaged, what)
    }

    /// Adds what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the worktree paths it is about.
    pub fn paths(mut self, paths: Vec<RepoPathBuf>) -> Error {
        self.0.paths = paths;
        self
    }

    /// Adds the cause.
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// Ends the process with another exit status than failures of its kind.
    pub fn ends_with(mut self, exit: Exit) -> Error {
        self.0.exit = exit;
        self
    }

    /// The same failure, told from further away: "WHAT: MESSAGE".
    pub fn context(mut self, what: impl fmt::Display) -> Error {
        self.0.message = format!("{what}: {}", self.0.message);
        self
    }

    /// Its kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The exit status.
    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    /// What to do next, if there is anything.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The worktree paths it is about.
    pub fn path_list(&self) -> &[RepoPathBuf] {
        &self.0.paths
    }

    /// The system's own error, if that is the cause.
    pub fn io_cause(&self) -> Option<&std::io::Error> {
        self.0.source.as_ref()?.downcast_ref()
    }

    /// Whether the system said that it is not there.
    pub fn is_not_found(&self) -> bool {
        self.is_caused_by(std::io::ErrorKind::NotFound)
    }

    /// Whether the system said that the name is taken.
    pub fn is_taken(&self) -> bool {
        self.is_caused_by(std::io::ErrorKind::AlreadyExists)
    }

    fn is_caused_by(&self, kind: std::io::ErrorKind) -> bool {
        self.io_cause().is_some_and(|cause| cause.kind() == kind)
    }

    /// Why, without what failed and on which path.
    pub fn reason(&self) -> String {
        self.io_cause().map_or_else(|| self.to_string(), reason)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.source {
            Some(source) => match source.downcast_ref::<std::io::Error>() {
                Some(io) => write!(f, ": {}", reason(io)),
                None => write!(f, ": {source}"),
            },
            None => Ok(()),
        }
    }
}

/// The system's words, without the number that Rust adds, and in lower case.
fn reason(io: &std::io::Error) -> String {
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
mod tests {
    use super::*;

    #[test]
    fn a_system_error_reads_as_a_sentence_and_a_full_disk_has_its_own_kind() {
        let full = Error::io("write", Path::new("a/b"), std::io::Error::from_raw_os_error(28));
        assert_eq!(full.to_string(), "cannot write `a/b`: no space left on device");
        assert_eq!((full.kind(), full.kind().exit()), (ErrorKind::NoSpace, Exit(13)));
        let denied = Error::io("read", Path::new("x"), std::io::Error::from_raw_os_error(13)).context("recording");
        assert_eq!(denied.to_string(), "recording: cannot read `x`: permission denied");
        let odd = Error::io("read", Path::new("it's/x"), std::io::Error::from_raw_os_error(13));
        assert_eq!(odd.hint_text(), Some(r"see who may do it: ls -la 'it'\''s'"));
    }
}
