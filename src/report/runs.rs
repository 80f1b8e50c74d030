//! The outcome of `run`: the command, and what it changed.

use serde::{Serialize, Serializer};

use crate::effect::{Effect, Examples, Loss, Retyped};
use crate::id::CommitId;
use crate::object::RunInfo;
use crate::path::RepoPathBuf;

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
pub struct RunRecord {
    /// The command.
    #[serde(flatten)]
    pub run: CommandRecord,
    /// Commit of the directory before the command.
    pub before: CommitId,
    /// Commit of the directory after the command; the same if nothing changed.
    pub after: CommitId,
    changed: u64,
    /// New entries.
    pub added: u64,
    /// Changed entries.
    pub modified: u64,
    /// Deleted entries.
    pub deleted: u64,
    /// Entries no longer recorded because ignore rules exclude them now.
    pub ignored: u64,
    /// Size of all files before, in bytes.
    pub bytes_before: u64,
    /// Size of all files after, in bytes.
    pub bytes_after: u64,
    /// The largest deletions.
    #[serde(serialize_with = "listed")]
    pub lost: Examples<Loss>,
    /// Files that became empty.
    #[serde(serialize_with = "listed")]
    pub emptied: Examples<RepoPathBuf>,
    /// Paths of another kind.
    #[serde(serialize_with = "listed")]
    pub retyped: Examples<Retyped>,
    /// Exceeded guards.
    guards: Vec<String>,
    /// Whether the changes were undone.
    pub rolled_back: bool,
}

fn listed<T: Serialize, S: Serializer>(examples: &Examples<T>, serializer: S) -> Result<S::Ok, S::Error> {
    examples.kept.serialize(serializer)
}

impl RunRecord {
    /// A command, the commits before and after it (the same if it changed nothing), and the exceeded guards.
    pub fn new(ran: &RunInfo, before: CommitId, after: CommitId, effect: Effect, guards: Vec<String>) -> RunRecord {
        RunRecord {
            run: ran.into(),
            before,
            after,
            changed: effect.counts.total(),
            added: effect.counts.added,
            modified: effect.counts.modified,
            deleted: effect.counts.deleted,
            ignored: effect.ignored,
            bytes_before: effect.before.bytes,
            bytes_after: effect.after.bytes,
            lost: effect.losses,
            emptied: effect.emptied,
            retyped: effect.retyped,
            guards,
            rolled_back: false,
        }
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
