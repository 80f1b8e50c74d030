//! The public API: everything a user can do with a recorded directory, safe by construction.

pub(crate) mod agent_hook;
mod agent_log;
mod automatic;
mod checkout;
mod commit;
mod compare;
mod export;
mod first_automatic;
mod follow;
mod forget;
mod gc;
mod guarded;
mod history;
pub mod hooks;
mod missing;
pub(crate) mod notice;
mod prepared;
mod purge;
mod recording;
mod ref_updates;
mod refs;
mod repair;
mod request;
mod run;
pub(crate) mod selection;
mod settings;
mod stats;
mod step_changes;
mod steps;
pub mod stores;
#[cfg(feature = "targets")]
pub mod targets;
mod verify;

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::Result;
use crate::path::RepoPathBuf;
use crate::repo::Repository;
use crate::worktree::{Worktree, paths};

pub use crate::progress::deadline::Deadline;
pub use agent_log::AgentStep;
pub use automatic::{AutomaticOptions, AutomaticOutcome};
pub use commit::{CommitOptions, PreparedCommit};
pub use compare::{DiffOptions, Differences};
pub use forget::{ForgetOutcome, ForgetSelection, ForgottenRecord, JudgedCommit};
pub use gc::GcOptions;
use guarded::layout_above;
pub(crate) use guarded::{find_threatened, mounts_among, record_before};
pub use notice::Notice;
pub use prepared::PreparedCheckout;
pub use refs::RefKind;
pub use repair::RepairOptions;
pub use request::CheckoutMode;
pub(crate) use run::{INSIDE_RUN, is_inside_run};
pub use run::{RunAfter, RunBefore, RunLock};
pub(crate) use settings::ShellSettings;
pub use settings::{Setting, UserSettings};
pub use step_changes::{StepChanges, StepComparison};
pub use steps::Step;
pub use verify::VerifyOptions;

// Values in the signatures above.
pub use crate::agent::EventKind as AgentEventKind;
pub use crate::alarm::{Alarm, Findings, Kind as AlarmKind, OrdinaryWork};
pub use crate::amount::Amount;
pub use crate::checkout::{Action as FileAction, InUse, Outcome as CheckoutOutcome};
pub use crate::diff::binary::{Range, Ranges};
pub use crate::diff::git::{GitId, GitMode, Literal};
pub use crate::diff::patch::{FilePatch, FileSide, PatchContent, PatchOptions};
pub use crate::diff::rename::RenameOptions;
pub use crate::diff::text::{Hunk, Line, Tag, TextOptions};
pub use crate::diff::{Body, Change, ChangeCounts, Rename, Status, What};
pub use crate::effect::{Effect, Examples, Guard, Loss, Retyped};
pub use crate::export::Exported;
pub use crate::fs::Process;
pub use crate::history::Costs;
pub use crate::history::automatic::Event;
pub use crate::history::retention::{Policy as KeepPolicy, Reason as KeepReason, Space as KeepSpace};
pub use crate::history::timeline::{Action, Destination, Here, Timeline};
pub use crate::history::walk::{WalkOptions, WalkedCommit};
pub use crate::keep_rule::{KeepRule, Limit as KeepLimit, Period as KeepPeriod};
pub use crate::maintain::gc::Outcome as GcOutcome;
pub use crate::maintain::purge::{FoundContent, RecordedFile, Selected as PurgeSelection};
pub use crate::maintain::repair::Outcome as RepairOutcome;
pub use crate::maintain::stats::{
    CommitCost, CommitCounts, DiskUsage, Garbage, Growth, HiddenObjects, Part as DiskPart, PathCost, Period,
    PeriodGrowth, Stats, UnneededTotals, Waiting,
};
pub use crate::maintain::verify::{Damage, Extent as VerifyExtent, Finding, Outcome as VerifyOutcome};
pub use crate::metadata::{Kind, Metadata};
pub use crate::object::commit::{Counts, Reason, Totals, Uncovered};
pub use crate::object::operation::{
    Forgotten, ForgottenCommit, HistoryEdit, Intent, NewCommit, Operation, Purged, PurgedBlob, RefEdit, RefName, Refs,
    UndoPosition, Verb, View,
};
pub use crate::object::{Attributes, Commit, Content, Entry, Extras, Mark, RunInfo};
pub use crate::repo::UnneededFile;
pub use crate::repo::config::Source as SettingSource;
pub use crate::snapshot::Outcome as CommitOutcome;
pub use crate::time::age::Age;
pub use crate::worktree::ignore::IgnoreWarning;

/// A directory and the repository that records it.
pub struct Workspace {
    pub(crate) repository: Repository,
    pub(crate) worktree: Worktree,
    /// Where relative path arguments start.
    directory: PathBuf,
    notices: Vec<Notice>,
    /// The target whose history the workspace has instead of that of the repository.
    #[cfg(feature = "targets")]
    remote_history: Option<targets::RemoteHistory>,
}

impl Workspace {
    /// Opens the repository at or above `directory`, which must be absolute. Relative paths start there.
    pub fn open(directory: impl Into<PathBuf>, environment: Environment) -> Result<Workspace> {
        let directory = directory.into();
        let mut repository = Repository::discover(&directory, environment)?;
        let mut notices = notice::of_repository(&repository);
        notices.extend(notice::of_checkouts(&mut repository)?);
        Ok(Workspace { notices, ..Workspace::of(repository, directory)? })
    }

    /// Makes a repository for `directory`, in `.undo` or at `store`, and opens it.
    pub fn init(directory: impl Into<PathBuf>, store: Option<&Path>, environment: Environment) -> Result<Workspace> {
        let directory = directory.into();
        let repository = Repository::init(&directory, store, environment)?;
        Workspace::of(repository, directory)
    }

    /// The workspace of an open repository.
    pub(crate) fn of(repository: Repository, directory: PathBuf) -> Result<Workspace> {
        let worktree = Worktree::of(&repository)?;
        Ok(Workspace {
            repository,
            worktree,
            directory,
            notices: Vec::new(),
            #[cfg(feature = "targets")]
            remote_history: None,
        })
    }

    /// Notices of the operations so far, oldest first. Each is returned once.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// Path arguments, relative to the directory that was opened, as paths in the worktree.
    pub fn resolve_paths(&self, paths: &[PathBuf]) -> Result<Vec<RepoPathBuf>> {
        paths::resolve(&self.repository.layout.worktree, &self.directory, paths)
    }
}
