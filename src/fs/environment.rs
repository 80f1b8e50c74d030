//! Reads the environment of the current process.

use std::path::Path;

use jiff::tz::TimeZone;

use crate::environment::Environment;
use crate::fs::{read, user_name};
use crate::time::Timestamp;

impl Environment {
    /// The system clock, the local time zone, the current user, the command line of this process, and full durability.
    /// `UNDO_TIME` (RFC 3339) replaces the clock, for scripts and tests.
    pub fn from_process() -> Environment {
        let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
        let environment = Environment::new(local_time_zone, user_name, arguments.collect());
        let fixed = std::env::var("UNDO_TIME").ok().and_then(|text| text.parse::<jiff::Timestamp>().ok());
        match fixed {
            Some(time) => environment.with_clock(move || Timestamp::from(time)),
            None => environment,
        }
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
