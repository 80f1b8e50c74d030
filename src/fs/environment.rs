//! Reads the environment of the current process.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::coding_agent::CodingAgent;
use crate::environment::Environment;
use crate::fs::{home_dir, read, user_name};
use crate::time::Timestamp;

impl Environment {
    /// The system clock, the local time zone, the current user, the command line of this process, the user's settings and
    /// folders, and full durability.
    /// `UNDO_TIME` (RFC 3339) replaces the clock, for scripts and tests. `UNDO_PUSH_DELAY` (milliseconds) replaces the time before an
    /// automatic push, for tests.
    pub fn from_process() -> Environment {
        let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        let environment = Environment::new(local_time_zone, user_name, arguments.collect())
            .with_user_settings(of_user("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("config.toml")))
            .with_state_directory(of_user("XDG_STATE_HOME", ".local/state"))
            .with_cache_directory(of_user("XDG_CACHE_HOME", ".cache"))
            .with_agent_directory(CodingAgent::Claude, of_agent("CLAUDE_CONFIG_DIR", ".claude"))
            .with_agent_directory(CodingAgent::Codex, of_agent("CODEX_HOME", ".codex"));
        let delay = std::env::var("UNDO_PUSH_DELAY").ok().and_then(|text| text.parse().ok());
        let environment = match delay {
            Some(delay) => environment.with_push_delay(Duration::from_millis(delay)),
            None => environment,
        };
        let fixed = std::env::var("UNDO_TIME").ok().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        match fixed {
            Some(time) => environment.with_clock(move || Timestamp::from(time)),
            None => environment,
        }
    }
}

/// The folder `undo` in a base directory of the user, by default in `~/FOLDER`. As the XDG specification requires, a relative
/// path in the variable is ignored.
fn of_user(variable: &str, folder: &str) -> Option<PathBuf> {
    let base = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    Some(base.or_else(|| Some(home_dir()?.join(folder)))?.join("undo"))
}

/// The folder that a variable names, by default `~/FOLDER`.
fn of_agent(variable: &str, folder: &str) -> Option<PathBuf> {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from);
    match named {
        Some(path) => std::path::absolute(path).ok(),
        None => Some(home_dir()?.join(folder)),
    }
}

/// The zone of `TZ`, else of `/etc/localtime`. Reads that file because jiff searches all zones for its name, which takes
/// longer than most commands.
fn local_time_zone() -> TimeZone {
    if std::env::var_os("TZ").is_some() {
        return TimeZone::system();
    }
    let rules = read(Path::new("/etc/localtime")).ok().flatten();
    rules.and_then(|rules| TimeZone::tzif("local", &rules).ok()).unwrap_or_else(TimeZone::system)
}

/// The value of an environment variable of this process.
pub fn variable(name: &str) -> Option<Vec<u8>> {
    std::env::var_os(name).map(OsString::into_vec)
}
