//! Runs another program with this terminal, input and output, and passes signals on to it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use libc::c_int;
use rustix::fs::Access;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};

use crate::error::{Error, Result};
use crate::fs::limits::with_inherited_umask;
use crate::fs::signal::Handlers;

/// The absolute path of this program, as it was called: `called` is the first word of the command line. Links stay, since package
/// managers and version managers change what they lead to.
pub fn program_path(called: &OsStr) -> Result<PathBuf> {
    let own = std::env::current_exe().map_err(|cause| Error::io("find", Path::new("undo"), cause))?;
    let is_own = |path: &Path| is_same_file(path, &own);
    let called = Path::new(called);
    let found = if called.components().count() > 1 {
        std::path::absolute(called).ok().filter(|path| is_own(path))
    } else {
        in_path(called).find(|path| is_own(path))
    };
    Ok(found.unwrap_or(own))
}

/// The paths at which a shell looks for a program without a folder in its name.
fn in_path(name: &Path) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).filter(|folder| folder.is_absolute()).collect();
    folders.into_iter().map(move |folder| folder.join(name))
}

/// Whether a command in `directory` that starts with this word runs a program.
pub fn is_program(word: &Path, directory: &Path) -> bool {
    match word.as_os_str().as_bytes().contains(&b'/') {
        true => is_executable(&directory.join(word)),
        false => in_path(word).any(|path| is_executable(&path)),
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    id(one).is_some() && id(one) == id(other)
}

/// Whether a path is a file that this user may execute. Follows links.
fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, Access::EXEC_OK).is_ok()
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Exit status; 128 + N if signal N ended the program.
    pub exit: u8,
    /// Running time.
    pub duration: Duration,
}

/// Runs a program, found on `PATH` if its name has no slash, and waits for its end. The command line has at least one word.
/// The program gets the environment of this process and these variables.
///
/// Meanwhile signals do not end this process: a terminal sends Ctrl-C and Ctrl-\ to both processes, and SIGTERM and SIGHUP
/// are passed on. Signals that were ignored stay ignored. Not for concurrent use.
///
/// Fails with the system's error if the program cannot be started.
pub fn run_program(command_line: &[OsString], variables: &[(&str, &OsStr)]) -> Result<Ended> {
    let (program, arguments) = command_line.split_first().expect("a command line has at least one word");
    let failed = |cause| Error::io("run", Path::new(program), cause);
    let _signals = Handlers::install(&SIGNALS, handle);
    let started = Instant::now();
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().copied());
    let mut child = with_inherited_umask(|| command.spawn()).map_err(failed)?;
    let pid = Pid::from_child(&child);
    watch(pid);
    // Waits without reaping: no other process can get the id before `CHILD` is cleared.
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while matches!(waitid(WaitId::Pid(pid), options), Err(rustix::io::Errno::INTR)) {}
    CHILD.store(0, Ordering::SeqCst);
    let status = child.wait().map_err(failed)?;
    Ok(Ended { exit: exit(status), duration: started.elapsed() })
}

/// Exit status as shells report it.
fn exit(status: ExitStatus) -> u8 {
    let number = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    u8::try_from(number).unwrap_or(u8::MAX)
}

/// Process that signals are passed on to; 0 for none.
static CHILD: AtomicI32 = AtomicI32::new(0);

/// Signal that was received before the program started; 0 for none.
static EARLY: AtomicI32 = AtomicI32::new(0);

fn watch(pid: Pid) {
    CHILD.store(pid.as_raw_nonzero().get(), Ordering::SeqCst);
    pass_on(EARLY.swap(0, Ordering::SeqCst));
}

/// Sends a signal to the program. Async-signal-safe.
fn pass_on(signal: c_int) {
    let wanted = match signal {
        libc::SIGTERM => Signal::TERM,
        libc::SIGHUP => Signal::HUP,
        _ => return,
    };
    match Pid::from_raw(CHILD.load(Ordering::SeqCst)) {
        Some(pid) => drop(kill_process(pid, wanted)),
        None => EARLY.store(signal, Ordering::SeqCst),
    }
}

extern "C" fn handle(signal: c_int) {
    pass_on(signal);
}

/// Signals that users and terminals send to end a program.
const SIGNALS: [c_int; 4] = [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn run_program_returns_the_exit_status_as_shells_do() {
        let sh = |script: &str| run_program(&["sh".into(), "-c".into(), script.into()], &[]);
        for (script, exit) in [("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -9 $$", 137)] {
            assert_eq!(sh(script).unwrap().exit, exit, "{script}");
        }
        let error = run_program(&["no-such-program".into()], &[]).unwrap_err();
        assert!(error.is_not_found() && error.to_string().starts_with("cannot run `no-such-program`"), "{error}");
        assert_eq!(run_program(&["/dev/null".into()], &[]).unwrap_err().kind(), ErrorKind::Permission);
    }
}
