//! The outcome of `run`: the command, and what it changed.

use serde::Serialize;

use crate::effect::Effect;
use crate::id::CommitId;
use crate::object::RunInfo;

/// A command that was run.
#[derive(Clone, Debug, Serialize)]
pub struct CommandRecord {
    /// Program and arguments, with U+FFFD for bytes that are not UTF-8.
    command: Vec<String>,
    /// Exit status.
    pub exit: u8,
    /// Milliseconds.
    pub duration: u64,
    /// The whole command line.
    #[serde(skip)]
    pub line: String,
    /// The command line, shortened.
    #[serde(skip)]
    pub short: String,
}

impl From<&RunInfo> for CommandRecord {
    fn from(ran: &RunInfo) -> CommandRecord {
        let command = ran.command.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        CommandRecord { command, exit: ran.exit, duration: ran.duration, line: ran.line(), short: ran.short() }
    }
}

/// What a command did.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "run")]
pub struct RunRecord<'e> {
    /// The command.
    #[serde(flatten)]
    pub run: CommandRecord,
    /// Commit of the directory before the command.
    pub before: CommitId,
    /// Commit of the directory after the command; the same if nothing changed.
    pub after: CommitId,
    changed: u64,
    /// Whether that commit was made to save unsaved changes.
    #[serde(skip)]
    pub has_saved: bool,
    /// Changes of the command.
    #[serde(flatten)]
    pub effect: &'e Effect,
    /// Exceeded guards.
    guards: Vec<String>,
    /// Whether the changes were undone.
    pub rolled_back: bool,
}

impl RunRecord<'_> {
    /// A command, the commits before and after it (the same if it changed nothing), and the exceeded guards.
    pub fn new<'e>(
        ran: &RunInfo,
        before: CommitId,
        after: CommitId,
        effect: &'e Effect,
        guards: Vec<String>,
    ) -> RunRecord<'e> {
        let changed = effect.changed();
        RunRecord { run: ran.into(), before, after, changed, has_saved: false, effect, guards, rolled_back: false }
    }
}

/// How a run was undone.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "rollback")]
pub struct RollbackRecord {
    /// Entries written or changed.
    pub written: u64,
    /// Entries removed.
    pub deleted: u64,
    /// Abbreviated id of the commit with the undone changes.
    pub kept: String,
}
