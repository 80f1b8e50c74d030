//! What a workspace takes from its process: clock, time zone, author, arguments, durability.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use jiff::tz::TimeZone;

use crate::fs;
use crate::time::Timestamp;

/// What a workspace takes from its process. Cheap to clone: clones share the values that are looked up once.
///
/// Workspaces with different environments can be used in one process at the same time.
#[derive(Clone)]
pub struct Environment {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    time_zone: Arc<OnceLock<TimeZone>>,
    author: Arc<OnceLock<String>>,
    arguments: Arc<[String]>,
}

impl Environment {
    /// The system clock (or `UNDO_TIME`, in RFC 3339), the local time zone, the current user, and the command line of this
    /// process. Time zone and user are looked up when they are first needed.
    pub fn from_process() -> Environment {
        Environment {
            clock: Arc::new(Timestamp::now),
            time_zone: Arc::default(),
            author: Arc::default(),
            arguments: std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect(),
        }
    }

    /// Replaces the clock.
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Environment {
        Environment { clock: Arc::new(clock), ..self }
    }

    /// Replaces the time zone in which dates are read and commit times are recorded.
    pub fn with_time_zone(self, time_zone: TimeZone) -> Environment {
        Environment { time_zone: Arc::new(time_zone.into()), ..self }
    }

    /// Replaces the author of commits. The setting `user.name` of a repository takes precedence.
    pub fn with_author(self, author: impl Into<String>) -> Environment {
        Environment { author: Arc::new(author.into().into()), ..self }
    }

    /// Replaces the command line that operations and locks record, program name included.
    pub fn with_arguments(self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Environment {
        Environment { arguments: arguments.into_iter().map(Into::into).collect(), ..self }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The time zone of dates that users write and read.
    pub fn time_zone(&self) -> &TimeZone {
        self.time_zone.get_or_init(local_time_zone)
    }

    /// The author of commits.
    pub fn author(&self) -> &str {
        self.author.get_or_init(fs::user_name)
    }

    /// The command line that operations and locks record.
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }
}

/// The zone of `TZ`, else of `/etc/localtime`. That file is read here because jiff searches all zones for its name, which
/// takes longer than most commands.
fn local_time_zone() -> TimeZone {
    if std::env::var_os("TZ").is_some() {
        return TimeZone::system();
    }
    let rules = fs::read(Path::new("/etc/localtime")).ok().flatten();
    rules.and_then(|rules| TimeZone::tzif("local", &rules).ok()).unwrap_or_else(TimeZone::system)
}
