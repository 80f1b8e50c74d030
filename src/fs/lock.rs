//! The lock of a repository: a lock of the operating system, which ends with its process.

use std::cell::Cell;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::environment::{Environment, LockWait};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::fs::file::without_blocking;
use crate::fs::inherit::open_or_create;
use crate::fs::lock_file::{self, LockFile};
use crate::fs::signal::Interrupts;
use crate::fs::{exists, process_id, read, read_at, set_len, stat, stat_file, write_all_at};
use crate::time::Timestamp;

/// An exclusive lock on a file, held until it is dropped.
#[derive(Debug)]
pub struct FileLock {
    file: File,
    path: PathBuf,
    /// The text written to the file; `None` if the disk was full.
    text: Option<String>,
    /// The lock file used if the file system has no locks.
    _substitute: Option<LockFile>,
}

/// The holder of a lock, as written in the lock file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Its command line.
    pub command: String,
    /// Time when the lock was taken.
    pub since: Timestamp,
}

/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// Maximum number of bytes that are read of a lock file. Messages truncate commands anyway.
const MAX_TEXT: usize = 4 << 10;

/// Number of attempts to lock the file while others remove or replace it.
const ATTEMPTS: u32 = 10;

/// Time after which waiting is reported.
const NOTICE_DELAY: Duration = Duration::from_secs(1);

/// The state of waiting for a lock.
struct Waiting<'r> {
    started: Instant,
    limit: LockWait,
    report: &'r dyn Fn(&Error),
    is_reported: Cell<bool>,
    /// Makes a signal end the waiting instead of the process.
    interrupts: Option<Interrupts>,
}

impl Waiting<'_> {
    /// Pauses until the next attempt. Fails with the error `held`, which names the holder, if the time is over, and with
    /// [`ErrorKind::Interrupted`] after a signal.
    fn pause(&self, held: impl FnOnce() -> Error) -> Result<()> {
        let waited = self.started.elapsed();
        let (is_over, is_due) = (self.limit.is_over(waited), waited >= NOTICE_DELAY && !self.is_reported.get());
        let signal = self.interrupts.as_ref().and_then(Interrupts::received);
        if let Some(signal) = signal {
            let message = format!("interrupted while waiting: {}", held());
            return Err(Error::new(ErrorKind::Interrupted, message).ends_with(Exit::signal(signal)));
        }
        if is_over {
            return Err(held());
        }
        if is_due {
            (self.report)(&held());
            self.is_reported.set(true);
        }
        std::thread::sleep(PAUSE);
        Ok(())
    }
}

impl FileLock {
    /// Takes the lock, waiting up to `limit`; then [`ErrorKind::Locked`] names the holder. Reports a longer wait as
    /// `environment` says. Creates the file if it does not exist, and never removes it. If the file system has no locks, creates
    /// a second file that exists while the lock is held.
    pub fn acquire(path: &Path, environment: &Environment, limit: LockWait) -> Result<FileLock> {
        let report = |held: &Error| environment.report_wait(&held.to_string());
        let waiting = Waiting {
            started: Instant::now(),
            limit,
            report: &report,
            is_reported: Cell::new(false),
            interrupts: None,
        };
        FileLock::acquire_waiting(path, environment, &waiting)
    }

    /// Takes the lock, waiting without a limit. Calls `report` once if that takes longer, with an error that names the holder.
    /// [`ErrorKind::Interrupted`] if a signal ends the waiting.
    pub fn acquire_interruptibly(path: &Path, environment: &Environment, report: &dyn Fn(&Error)) -> Result<FileLock> {
        let (limit, interrupts) = (LockWait::Forever, Some(Interrupts::watch()));
        let waiting = Waiting { started: Instant::now(), limit, report, is_reported: Cell::new(false), interrupts };
        FileLock::acquire_waiting(path, environment, &waiting)
    }

    fn acquire_waiting(path: &Path, environment: &Environment, waiting: &Waiting<'_>) -> Result<FileLock> {
        let mut attempts = 0;
        let (file, is_locked) = loop {
            let file = open_or_create(path)?;
            let is_locked = lock(&file, path, environment, waiting)?;
            attempts += 1;
            // The file may have been removed or replaced between the two calls; others would then lock a different
            // file.
            if has_name(&file, path)? || attempts == ATTEMPTS {
                break (file, is_locked);
            }
        };
        let (command, since) = (environment.command_line(), environment.now());
        let text = Holder { pid: process_id(), command, since }.to_text();
        let substitute = match is_locked {
            true => None,
            false => Some(lock_by_file(&lock_file::path_for(path), &text, environment, waiting)?),
        };
        // A command that frees space must get the lock even on a full disk, so a failure is ignored.
        let written = set_len(&file, 0).and_then(|()| write_all_at(&file, text.as_bytes(), 0));
        Ok(FileLock { file, path: path.to_owned(), text: written.ok().map(|()| text), _substitute: substitute })
    }

    /// Adds a line to the text of the lock file.
    pub fn add_line(&mut self, line: &str) -> Result<()> {
        let (line, at) = (format!("{line}\n"), self.text.as_ref().map_or(0, String::len));
        write_all_at(&self.file, line.as_bytes(), at as u64)?;
        self.text.get_or_insert_default().push_str(&line);
        Ok(())
    }

    /// The text of a lock file while a process holds the lock, else `None`. Takes a shared lock for a moment.
    pub fn text(path: &Path) -> Result<Option<Vec<u8>>> {
        let file = match without_blocking().read(true).open(path) {
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|cause| Error::io("open", path, cause))?,
        };
        let is_held = match file.try_lock_shared() {
            Ok(()) => false,
            Err(TryLockError::WouldBlock) => true,
            Err(TryLockError::Error(cause)) if is_unsupported(&cause) => exists(&lock_file::path_for(path))?,
            Err(TryLockError::Error(cause)) => return Err(Error::io("lock", path, cause)),
        };
        if is_held { read(path) } else { Ok(None) }
    }

    /// Whether the file system of a lock file has locks. If it has none, a lock may outlive a killed process.
    pub fn is_supported(path: &Path) -> bool {
        let locked = File::open(path).map(|file| file.try_lock_shared());
        !matches!(locked, Ok(Err(TryLockError::Error(cause))) if is_unsupported(&cause))
    }

    /// Fails with [`ErrorKind::Locked`] if the lock file was removed, replaced or taken by another process: manually,
    /// or on a file system that does not share locks between machines. Must be called before relying on the lock.
    pub fn check(&self) -> Result<()> {
        let mut text = [0; MAX_TEXT];
        let found = match without_blocking().read(true).open(&self.path) {
            Ok(file) => read_at(&file, &mut text, 0).map(|length| &text[..length]),
            Err(cause) => Err(Error::io("open", &self.path, cause)),
        };
        let is_ours = match (&self.text, &found) {
            (Some(ours), Ok(found)) => ours.as_bytes().starts_with(found) && ours.len().min(MAX_TEXT) == found.len(),
            (None, Ok(_)) => has_name(&self.file, &self.path)?,
            (_, Err(_)) => false,
        };
        if is_ours {
            return Ok(());
        }
        let path = self.path.display();
        let message = match found.ok().and_then(|text| Holder::parse(&String::from_utf8_lossy(text))) {
            Some(Holder { pid, command, .. }) => {
                format!("`{command}` (process {pid}) has taken the lock `{path}` while this command was running")
            }
            None => format!("the lock `{path}` was removed while this command was running"),
        };
        Err(Error::new(ErrorKind::Locked, message).hint("run the command again; do not remove lock files"))
    }
}

/// Locks an open file; `false` if the file system has no locks.
fn lock(file: &File, path: &Path, environment: &Environment, waiting: &Waiting<'_>) -> Result<bool> {
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => waiting.pause(|| locked(path, Holder::read(file), environment))?,
            Err(TryLockError::Error(cause)) if is_unsupported(&cause) => return Ok(false),
            Err(TryLockError::Error(cause)) => return Err(Error::io("lock", path, cause)),
        }
    }
}

/// Creates the lock file.
fn lock_by_file(path: &Path, text: &str, environment: &Environment, waiting: &Waiting<'_>) -> Result<LockFile> {
    loop {
        if let Some(lock) = LockFile::acquire(path, text)? {
            return Ok(lock);
        }
        waiting.pause(|| {
            let holder = File::open(path).ok().and_then(|file| Holder::read(&file));
            let hint = format!(
                "on this file system, locks outlive a killed process; if that process has ended, remove the lock: rm {}",
                path.display()
            );
            locked(path, holder, environment).hint(hint)
        })?;
    }
}

/// Whether a file system has no locks (NFS without lockd, Lustre without `-o flock`), or a sandbox does not allow them.
fn is_unsupported(cause: &std::io::Error) -> bool {
    let errnos = [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP, Errno::INVAL, Errno::PERM];
    Errno::from_io_error(cause).is_some_and(|errno| errnos.contains(&errno))
}

/// Whether the name still refers to this open file.
fn has_name(file: &File, path: &Path) -> Result<bool> {
    let open = stat_file(file)?;
    Ok(stat(path)?.is_some_and(|found| (found.device, found.inode) == (open.device, open.inode)))
}

impl Holder {
    /// The current holder of the lock; `None` if there is none, or it has not written its name yet. Takes a shared lock for a
    /// moment.
    pub fn of(path: &Path) -> Option<Holder> {
        let file = without_blocking().read(true).open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Holder::read(&file),
            Err(TryLockError::Error(cause)) if is_unsupported(&cause) => {
                Holder::read(&without_blocking().read(true).open(lock_file::path_for(path)).ok()?)
            }
            _ => None,
        }
    }

    fn to_text(&self) -> String {
        let command: String = self.command.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("pid {}\nsince {}\ncommand {command}\n", self.pid, self.since.to_rfc3339())
    }

    /// Reads the lock file; `None` if the holder has not written it yet.
    fn read(file: &File) -> Option<Holder> {
        let mut text = [0; MAX_TEXT];
        let length = read_at(file, &mut text, 0).ok()?;
        Holder::parse(&String::from_utf8_lossy(&text[..length]))
    }

    fn parse(text: &str) -> Option<Holder> {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let since: jiff::Timestamp = field("since")?.parse().ok()?;
        let command = field("command").unwrap_or("undo").chars().filter(|c| !c.is_control()).take(200).collect();
        Some(Holder { pid: field("pid")?.parse().ok()?, command, since: since.into() })
    }
}

fn locked(path: &Path, holder: Option<Holder>, environment: &Environment) -> Error {
    let message = match holder {
        Some(Holder { pid, command, since }) => {
            let (age, since) = (age(since, environment.now()), since.to_local(environment.time_zone()));
            format!("`{command}` (process {pid}) has held the lock `{}`{age}, since {since}", path.display())
        }
        None => format!("another process holds the lock `{}`", path.display()),
    };
    Error::new(ErrorKind::Locked, message).hint("to wait until it has ended, add: --wait forever")
}

/// " for 12 s", " for 3 min". Empty if the time is in the future.
fn age(since: Timestamp, now: Timestamp) -> String {
    match now.seconds.saturating_sub(since.seconds) {
        ..0 => String::new(),
        seconds @ 0..120 => format!(" for {seconds} s"),
        seconds @ 120..7200 => format!(" for {} min", seconds / 60),
        seconds @ 7200..172_800 => format!(" for {} h", seconds / 3600),
        seconds => format!(" for {} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests;
