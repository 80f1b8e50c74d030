//! Reads the environment of the current process.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::environment::Environment;
use crate::fs::{home_dir, read, user_name};
use crate::time::Timestamp;

impl Environment {
    /// The system clock, the local time zone, the current user, the command line of this process, the user's settings, and
    /// full durability.
    /// `UNDO_TIME` (RFC 3339) replaces the clock, for scripts and tests.
    pub fn from_process() -> Environment {
        let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        let environment =
            Environment::new(local_time_zone, user_name, arguments.collect()).with_user_settings(user_settings());
        let fixed = std::env::var("UNDO_TIME").ok().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        match fixed {
            Some(time) => environment.with_clock(move || Timestamp::from(time)),
            None => environment,
        }
    }
}

/// Path of the user's settings: `undo/config.toml` in `$XDG_CONFIG_HOME`, by default in `~/.config`. As the XDG specification
/// requires, a relative `$XDG_CONFIG_HOME` is ignored.
fn user_settings() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = folder.or_else(|| Some(home_dir()?.join(".config")))?;
    Some(folder.join("undo/config.toml"))
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
