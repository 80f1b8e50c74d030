//! Whether the hooks of an agent are installed, and whether the agent runs them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{SettingsFile, directory, read_text, settings_path};
use crate::agent;
use crate::coding_agent::CodingAgent;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::automatic::{Event, events};
use crate::hook_settings::{CodexSettings, FoundHook, Trust, find, hooks};
use crate::workspace::Workspace;

/// The hooks of an agent.
pub struct HookStatus {
    /// The agent.
    pub agent: CodingAgent,
    /// The settings file with the hooks.
    pub path: PathBuf,
    /// Whether the hooks are in this file.
    pub state: HookState,
    /// The program that the hooks run.
    pub program: Option<PathBuf>,
    /// Whether the program exists.
    pub program_exists: bool,
    /// Whether the agent trusts the hooks. `None` if there are none.
    pub trust: Option<Trust>,
    /// Files whose settings turn hooks off.
    pub disabled_by: Vec<PathBuf>,
}

/// Whether hooks are in the settings of an agent.
pub enum HookState {
    /// All hooks are installed, in the documented form.
    Installed,
    /// Some hooks are missing or differ.
    Incomplete,
    /// No hook is installed.
    NotInstalled,
    /// The settings cannot be read, for this reason.
    Unreadable(Error),
}

impl HookState {
    /// The state in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            HookState::Installed => "installed",
            HookState::Incomplete => "incomplete",
            HookState::NotInstalled => "not-installed",
            HookState::Unreadable(_) => "unreadable",
        }
    }
}

impl Workspace {
    /// The last event of an agent that was recorded in this directory.
    pub fn last_event(&self, agent: CodingAgent) -> Result<Option<Event>> {
        let name = Some(agent.word().as_bytes());
        let is_own = |event: &Result<Event>| event.as_ref().map_or(true, |event| event.extras.get(agent::NAME) == name);
        events(&self.repository).find(is_own).transpose()
    }
}

/// The hooks of an agent, for work in `project`.
pub fn status(agent: CodingAgent, project: &Path, environment: &Environment) -> Result<HookStatus> {
    let folder = directory(agent, environment)?;
    let path = settings_path(agent, environment)?;
    let opened = SettingsFile::open(agent, environment);
    let found = opened.and_then(|file| find(file.text(), agent).map_err(|cause| file.uneditable(cause)));
    let (state, found) = match found {
        Ok(found) if found.is_empty() => (HookState::NotInstalled, found),
        Ok(found) if is_complete(&found, agent) => (HookState::Installed, found),
        Ok(found) => (HookState::Incomplete, found),
        Err(error) if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Damaged | ErrorKind::Permission) => {
            (HookState::Unreadable(error), Vec::new())
        }
        Err(error) => return Err(error),
    };
    let program = found.first().map(|hook| hook.program.clone());
    let program_exists = program.as_deref().is_some_and(fs::is_executable);
    let (trust, disabled_by) = match agent {
        CodingAgent::Claude => {
            let files = claude_settings(folder, project).into_iter();
            (claude_trust(folder, project), files.filter(|file| claude_disables_hooks(file)).collect())
        }
        CodingAgent::Codex => {
            let files = [folder.join("config.toml"), PathBuf::from("/etc/codex/requirements.toml")];
            let files = files.map(|file| (CodexSettings::parse(&text(&file).unwrap_or_default()), file));
            let trust = codex_trust(folder, &path, files[0].0.as_ref(), &found);
            let is_off =
                |settings: &Option<CodexSettings>| settings.as_ref().is_some_and(CodexSettings::disables_hooks);
            (trust, files.into_iter().filter(|(settings, _)| is_off(settings)).map(|(_, file)| file).collect())
        }
    };
    let trust = (!found.is_empty()).then_some(trust);
    Ok(HookStatus { agent, path, state, program, program_exists, trust, disabled_by })
}

/// Whether each hook is there once, in the documented form.
fn is_complete(found: &[FoundHook], agent: CodingAgent) -> bool {
    let has = |event: &str| found.iter().filter(|hook| hook.event == event && hook.is_current(agent)).count() == 1;
    found.len() == hooks(agent).len() && hooks(agent).iter().all(|hook| has(hook.event))
}

/// The settings files of Claude Code that can turn hooks off.
fn claude_settings(folder: &Path, project: &Path) -> Vec<PathBuf> {
    const MANAGED: &str = "/etc/claude-code/managed-settings.d";
    let more = fs::list(Path::new(MANAGED)).unwrap_or_default();
    let more = more.iter().filter_map(|name| Some(Path::new(MANAGED).join(std::str::from_utf8(name).ok()?)));
    let mut files = vec![
        folder.join("settings.json"),
        project.join(".claude/settings.json"),
        project.join(".claude/settings.local.json"),
        PathBuf::from("/etc/claude-code/managed-settings.json"),
    ];
    files.extend(more);
    files
}

/// Whether a settings file of Claude Code turns hooks off. A file that cannot be read does not.
fn claude_disables_hooks(file: &Path) -> bool {
    let is_set = |settings: &Value, key| settings[key] == Value::Bool(true);
    json(file)
        .is_some_and(|settings| is_set(&settings, "disableAllHooks") || is_set(&settings, "allowManagedHooksOnly"))
}

/// Claude Code runs hooks in directories in which the user has accepted its question about trust, and below them.
fn claude_trust(folder: &Path, project: &Path) -> Trust {
    let beside = folder.parent().map(|home| home.join(".claude.json"));
    let Some(state) = json(&folder.join(".claude.json")).or_else(|| json(&beside?)) else { return Trust::Unknown };
    let is_accepted = |directory: &Path| {
        let entry = directory.to_str().map(|path| &state["projects"][path]["hasTrustDialogAccepted"]);
        entry == Some(&Value::Bool(true))
    };
    if project.ancestors().any(is_accepted) { Trust::Trusted } else { Trust::Untrusted }
}

/// Codex runs a hook only after the user has trusted its definition.
fn codex_trust(folder: &Path, path: &Path, settings: Option<&CodexSettings>, found: &[FoundHook]) -> Trust {
    let Some(settings) = settings else { return Trust::Unknown };
    // Codex resolves links of the folder only if `CODEX_HOME` names it.
    let resolved = fs::canonicalize(folder).ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
    let of_path = |path: &Path| found.iter().map(|hook| settings.trust(path, hook)).collect::<Vec<_>>();
    let answers = [Some(path), resolved.as_deref()].into_iter().flatten().map(of_path);
    let combined = |answers: Vec<Trust>| {
        let worst = [Trust::Disabled, Trust::Untrusted, Trust::Unknown].into_iter().find(|one| answers.contains(one));
        worst.unwrap_or(Trust::Trusted)
    };
    answers.map(combined).find(|trust| *trust != Trust::Untrusted).unwrap_or(Trust::Untrusted)
}

fn text(file: &Path) -> Option<String> {
    read_text(file).ok()??.ok()
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_str(&text(file)?).ok()
}
