//! What a workspace takes from its process: clock, time zone, author, arguments, durability, user's settings, and
//! the phase it reports.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::coding_agent::CodingAgent;
use crate::time::Timestamp;

/// What a workspace takes from its process. Clones are cheap and share the phase.
///
/// Workspaces with different environments can be used in one process at the same time.
#[derive(Clone)]
#[cfg_attr(not(feature = "targets"), allow(dead_code))]
pub struct Environment {
    clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    time_zone: Lazy<TimeZone>,
    author: Lazy<String>,
    arguments: Arc<[String]>,
    durability: Durability,
    lock_wait: LockWait,
    report_wait: Arc<dyn Fn(&str) + Send + Sync>,
    user_settings: Option<Arc<Path>>,
    state_directory: Option<Arc<Path>>,
    cache_directory: Option<Arc<Path>>,
    agent_directories: [Option<Arc<Path>>; CodingAgent::ALL.len()],
    push_delay: Duration,
    phase: Arc<AtomicU8>,
}

/// Time without changes that passes before an automatic push by default.
const PUSH_DELAY: Duration = Duration::from_secs(30);

/// A value that is looked up when it is first needed.
type Lazy<T> = Arc<LazyLock<T, Box<dyn FnOnce() -> T + Send>>>;

fn lazy<T>(look_up: impl FnOnce() -> T + Send + 'static) -> Lazy<T> {
    Arc::new(LazyLock::new(Box::new(look_up)))
}

/// Whether written data is flushed to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// What is acknowledged survives a power cut.
    #[default]
    Synced,
    /// Nothing is flushed: a power cut may lose what was acknowledged.
    NoSync,
}

/// How long to wait for another process that holds the lock of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// Up to this time.
    For(Duration),
    /// Without a limit.
    Forever,
}

impl LockWait {
    /// Whether the time has passed.
    pub(crate) fn is_over(self, waited: Duration) -> bool {
        match self {
            LockWait::For(limit) => waited >= limit,
            LockWait::Forever => false,
        }
    }
}

impl Default for LockWait {
    /// Five seconds.
    fn default() -> LockWait {
        LockWait::For(Duration::from_secs(5))
    }
}

/// How far a command that changes something has come: the message that a signal prints depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Has not begun to change anything.
    Idle,
    /// Holds the lock; nothing is recorded, and the worktree is unchanged.
    Locked,
    /// Like `Locked`, but directories were made accessible to their owner.
    DirectoriesOpened,
    /// Like `Locked`, but another program has changed the worktree.
    CommandRan,
    /// Is writing a record.
    Recording,
    /// Has changed a part of the worktree.
    Applying,
    /// Has recorded everything.
    Recorded,
    /// Is collecting garbage. Each step is recorded.
    Collecting,
}

impl Environment {
    /// An environment with the system clock, which looks up time zone and author when they are first needed.
    pub(crate) fn new(
        time_zone: impl FnOnce() -> TimeZone + Send + 'static,
        author: impl FnOnce() -> String + Send + 'static,
        arguments: Arc<[String]>,
    ) -> Environment {
        Environment {
            clock: Arc::new(|| jiff::Timestamp::now().into()),
            time_zone: lazy(time_zone),
            author: lazy(author),
            arguments,
            durability: Durability::Synced,
            lock_wait: LockWait::default(),
            report_wait: Arc::new(|_| {}),
            user_settings: None,
            state_directory: None,
            cache_directory: None,
            agent_directories: Default::default(),
            push_delay: PUSH_DELAY,
            phase: Arc::default(),
        }
    }

    /// Replaces the clock.
    pub fn with_clock(self, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Environment {
        Environment { clock: Arc::new(clock), ..self }
    }

    /// Replaces the time zone in which dates are read and commit times are recorded.
    pub fn with_time_zone(self, time_zone: TimeZone) -> Environment {
        Environment { time_zone: lazy(|| time_zone), ..self }
    }

    /// Replaces the author of commits. The setting `user.name` of a repository takes precedence.
    pub fn with_author(self, author: impl Into<String>) -> Environment {
        let author = author.into();
        Environment { author: lazy(|| author), ..self }
    }

    /// Replaces the command line that operations and locks record, program name included.
    pub fn with_arguments(self, arguments: impl IntoIterator<Item = impl Into<String>>) -> Environment {
        Environment { arguments: arguments.into_iter().map(Into::into).collect(), ..self }
    }

    /// Replaces the durability.
    pub fn with_durability(self, durability: Durability) -> Environment {
        Environment { durability, ..self }
    }

    /// Replaces the time to wait for the lock.
    pub fn with_lock_wait(self, lock_wait: LockWait) -> Environment {
        Environment { lock_wait, ..self }
    }

    /// Sets what is called once if the lock is not free after a second, with a sentence that names its holder.
    pub fn with_wait_report(self, report: impl Fn(&str) + Send + Sync + 'static) -> Environment {
        Environment { report_wait: Arc::new(report), ..self }
    }

    /// Replaces the path of the file with the user's settings. `None` reads no such file.
    pub fn with_user_settings(self, path: Option<PathBuf>) -> Environment {
        Environment { user_settings: path.map(Arc::from), ..self }
    }

    /// Replaces the folder of what must outlive a directory: stores outside, and the keys of targets. `None` keeps nothing.
    pub fn with_state_directory(self, path: Option<PathBuf>) -> Environment {
        Environment { state_directory: path.map(Arc::from), ..self }
    }

    /// Replaces the folder of caches that several repositories share. `None` caches nothing there.
    pub fn with_cache_directory(self, path: Option<PathBuf>) -> Environment {
        Environment { cache_directory: path.map(Arc::from), ..self }
    }

    /// Replaces the folder with the user's settings of a coding agent. `None` means that the agent has none.
    pub fn with_agent_directory(mut self, agent: CodingAgent, path: Option<PathBuf>) -> Environment {
        self.agent_directories[agent as usize] = path.map(Arc::from);
        self
    }

    /// Replaces the time without changes that passes before an automatic push.
    pub fn with_push_delay(self, push_delay: Duration) -> Environment {
        Environment { push_delay, ..self }
    }

    /// The current time.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The time zone of dates that users write and read.
    pub fn time_zone(&self) -> &TimeZone {
        &self.time_zone
    }

    pub(crate) fn author(&self) -> &str {
        &self.author
    }

    pub(crate) fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The command line, with the program's name instead of its path.
    pub(crate) fn command_line(&self) -> String {
        let program = self.arguments.first().map_or("undo", |program| program.rsplit('/').next().unwrap_or(program));
        let rest = self.arguments.iter().skip(1).map(String::as_str);
        std::iter::once(program).chain(rest).collect::<Vec<_>>().join(" ")
    }

    pub(crate) fn durability(&self) -> Durability {
        self.durability
    }

    pub(crate) fn lock_wait(&self) -> LockWait {
        self.lock_wait
    }

    pub(crate) fn report_wait(&self, held: &str) {
        (self.report_wait)(held);
    }

    /// Path of the file with the user's settings, which may not exist.
    pub(crate) fn user_settings(&self) -> Option<&Path> {
        self.user_settings.as_deref()
    }

    /// Folder of what must outlive a repository or its directory.
    pub(crate) fn state_directory(&self) -> Option<&Path> {
        self.state_directory.as_deref()
    }

    /// Folder of caches that several repositories share.
    #[cfg(feature = "targets")]
    pub(crate) fn cache_directory(&self) -> Option<&Path> {
        self.cache_directory.as_deref()
    }

    /// Folder with the user's settings of a coding agent, which may not exist.
    pub(crate) fn agent_directory(&self, agent: CodingAgent) -> Option<&Path> {
        self.agent_directories[agent as usize].as_deref()
    }

    /// Time without changes that passes before an automatic push.
    #[cfg(feature = "targets")]
    pub(crate) fn push_delay(&self) -> Duration {
        self.push_delay
    }

    /// The phase, for signal handlers.
    pub(crate) fn phase(&self) -> Arc<AtomicU8> {
        self.phase.clone()
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }

    /// Changes the phase only if it is `from`.
    pub(crate) fn advance_phase(&self, from: Phase, to: Phase) {
        let _ = self.phase.compare_exchange(from as u8, to as u8, Ordering::SeqCst, Ordering::SeqCst);
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

impl Durability {
    pub(crate) fn is_synced(self) -> bool {
        self == Durability::Synced
    }
}

impl Phase {
    pub(crate) const ALL: [Phase; 8] = [
        Phase::Idle,
        Phase::Locked,
        Phase::DirectoriesOpened,
        Phase::CommandRan,
        Phase::Recording,
        Phase::Applying,
        Phase::Recorded,
        Phase::Collecting,
    ];
}
