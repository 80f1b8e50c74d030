//! Records an event that a coding agent announces, in every directory that the event is about.

use std::path::{Path, PathBuf};

use crate::agent::{EventKind, HookEvent};
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::path::RepoPathBuf;
use crate::progress::Progress;
use crate::progress::deadline::Deadline;
use crate::repo::config;
use crate::shell::{Guards, Shell, entered_directories, guarded_commands};

use super::missing::missing_directories;
use super::{
    AutomaticOptions, AutomaticOutcome, Workspace, find_threatened, is_inside_run, layout_above, mounts_among,
};

/// What the user's settings say about hooks. A repository cannot set this: the directory may come from elsewhere.
pub(crate) struct HookSettings {
    /// The time by which the hook must end.
    pub deadline: Deadline,
    /// Whether a tool is blocked if the state before it is not recorded.
    pub is_strict: bool,
    /// Whether the text of prompts is recorded.
    pub records_prompts: bool,
    /// Commands before which the directories of their operands are recorded.
    guards: Guards,
    /// Problems of the user's settings.
    pub problems: Vec<Error>,
}

/// What was recorded before an event.
pub(crate) struct RecordedEvent {
    /// The directories that the event is about.
    pub directories: Vec<HookOutcome>,
    /// Why not all directories that the command of the tool names were found.
    pub search_error: Option<Error>,
    /// An error for each history that the command of the tool deletes.
    pub deleted_stores: Vec<Error>,
}

/// The result for one directory.
pub(crate) struct HookOutcome {
    /// The directory.
    pub worktree: PathBuf,
    /// What was recorded, or why nothing was.
    pub result: Result<AutomaticOutcome>,
    /// Mounts in the directory that the tool may change, and that are not recorded.
    pub mounts: Vec<RepoPathBuf>,
    /// The directory's workspace, if it could be opened.
    pub workspace: Option<Workspace>,
}

impl HookSettings {
    /// Reads the settings. The deadline counts from now.
    pub(crate) fn read(environment: &Environment) -> HookSettings {
        let (config, problems) = config::load_user(environment.user_settings());
        HookSettings {
            deadline: Deadline::after(config.agent_deadline),
            is_strict: config.is_agent_strict,
            records_prompts: config.records_prompts,
            guards: config.guards(),
            problems,
        }
    }

    /// Whether the announced tool must be blocked.
    pub(crate) fn blocks_tool(&self, event: &HookEvent, recorded: &RecordedEvent) -> bool {
        let is_found = recorded.search_error.is_none() && recorded.deleted_stores.is_empty();
        let is_recorded = is_found && recorded.directories.iter().all(HookOutcome::is_recorded);
        self.is_strict && event.kind == EventKind::Step && !is_recorded
    }
}

impl HookOutcome {
    /// Whether the whole state before the event can be restored.
    fn is_recorded(&self) -> bool {
        match &self.result {
            Ok(AutomaticOutcome::Recorded(recorded)) => recorded.is_complete() && self.mounts.is_empty(),
            // That run was started to record what the agent does together.
            Ok(AutomaticOutcome::RunIsRunning(_)) => is_inside_run(&self.worktree),
            Ok(AutomaticOutcome::Undecided(_)) | Err(_) => false,
        }
    }
}

/// Records an event. `directory` is the working directory of the hook.
pub(crate) fn record_event(
    event: &HookEvent,
    settings: &HookSettings,
    directory: &Path,
    environment: &Environment,
    progress: &dyn Progress,
) -> RecordedEvent {
    let exists = |path: &Path| fs::canonicalize(path).is_ok();
    let is_elsewhere = event.has_inexact_directory() && !exists(&event.directory) && exists(directory);
    let replaced = is_elsewhere.then(|| event.in_directory(directory));
    let event = replaced.as_ref().unwrap_or(event);
    let record = |(worktree, found): (PathBuf, Result<()>)| {
        let opened = found.and_then(|()| Workspace::open(&worktree, environment.clone()));
        let mut workspace = match opened {
            Ok(workspace) => workspace,
            Err(error) => return HookOutcome { worktree, result: Err(error), mounts: Vec::new(), workspace: None },
        };
        let options = AutomaticOptions {
            message: event.message(&worktree),
            extras: event.extras(&worktree, settings.records_prompts),
            deadline: Some(settings.deadline),
        };
        let result = workspace.commit_automatically(&options, progress);
        HookOutcome { worktree, result, mounts: Vec::new(), workspace: Some(workspace) }
    };
    let mut directories: Vec<HookOutcome> = worktrees(event, environment).into_iter().map(record).collect();
    // Afterwards, because the search may take the rest of the time.
    let line = event.shell_command().unwrap_or_default();
    let commands = guarded_commands(line.as_bytes(), Shell::Bash, &settings.guards, &[], &fs::variable);
    let threatened = find_threatened(&commands, &event.command_directory, false, settings.deadline, environment);
    let (late, problems): (Vec<_>, Vec<_>) =
        threatened.problems.into_iter().partition(|(_, error)| error.kind() == ErrorKind::NotInTime);
    let problems = problems.into_iter().chain(threatened.unattached).map(|(path, error)| (path, Err(error)));
    for (path, found) in threatened.directories.into_iter().map(|path| (path, Ok(()))).chain(problems) {
        let is_known = |known: &HookOutcome| known.worktree == path && (found.is_ok() || known.result.is_err());
        if !directories.iter().any(is_known) {
            directories.push(record((path, found)));
        }
    }
    let named: Vec<PathBuf> = event.paths.iter().cloned().chain(threatened.named).collect();
    for outcome in &mut directories {
        if let Ok(AutomaticOutcome::Recorded(recorded)) = &outcome.result {
            outcome.mounts = mounts_among(&named, &outcome.worktree, recorded);
        }
    }
    // If the time did not suffice to record a directory, its error says so.
    let is_late =
        |outcome: &HookOutcome| outcome.result.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotInTime);
    let search_error = late.into_iter().next().map(|(_, error)| error).filter(|_| !directories.iter().any(is_late));
    RecordedEvent { directories, search_error, deleted_stores: threatened.deleted_stores }
}

/// The directories with a repository that an event is about: those of the paths that the tool names and, unless the tool changes
/// nothing else, that of the working directory and those in which its command runs. With an error for each that cannot be
/// opened, that was removed, or that has lost its `.undo`.
fn worktrees(event: &HookEvent, environment: &Environment) -> Vec<(PathBuf, Result<()>)> {
    let mut found: Vec<(PathBuf, Result<()>)> = Vec::new();
    let mut places: Vec<PathBuf> = Vec::new();
    // A tool may write through a link, or replace it.
    for path in &event.paths {
        places.extend([Some(path.as_path()), path.parent()].into_iter().flatten().map(Path::to_owned));
    }
    places.iter().for_each(|path| add_worktree(&mut found, path));
    let is_elsewhere = found.is_empty() && event.edits_only_paths();
    if found.is_empty() || !event.edits_only_paths() {
        let line = event.shell_command().unwrap_or_default();
        let entered = entered_directories(line.as_bytes(), &fs::variable).into_iter();
        let entered = entered.map(|entered| event.command_directory.join(entered));
        let directories: Vec<PathBuf> =
            [event.directory.clone(), event.command_directory.clone()].into_iter().chain(entered).collect();
        directories.iter().for_each(|path| add_worktree(&mut found, path));
        places.extend(directories);
    }
    // Reading all stores takes time, which an event of a recorded directory needs only if the directory was removed.
    let is_unrecorded = found.is_empty() || is_elsewhere;
    if is_unrecorded || fs::canonicalize(&event.directory).is_err() {
        let places = places.iter().filter_map(|path| fs::canonicalize_existing(path).ok()).collect();
        let missing = missing_directories(&places, environment).into_iter();
        let missing = missing.filter(|missing| missing.is_removed || is_unrecorded);
        found.extend(missing.map(|missing| (missing.path.clone(), Err(missing.error()))));
    }
    found
}

fn add_worktree(found: &mut Vec<(PathBuf, Result<()>)>, path: &Path) {
    let (worktree, result) = match layout_above(path) {
        Ok(Some(layout)) => (layout.worktree, Ok(())),
        Ok(None) => return,
        Err(error) => (path.to_owned(), Err(error)),
    };
    if !found.iter().any(|(other, _)| *other == worktree) {
        found.push((worktree, result));
    }
}
