//! Whether the hooks of an agent are installed, and whether the agent runs them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{SettingsFile, directory, read_text, settings_path};
use crate::agent;
use crate::coding_agent::CodingAgent;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::history::automatic::events;
use crate::hook_settings::{CodexSettings, CodexTrust, FoundHook, find, hooks};
use crate::time::Timestamp;
use crate::workspace::Workspace;

/// The hooks of an agent.
pub struct HookStatus {
    /// The agent.
    pub agent: CodingAgent,
    /// The settings file with the hooks.
    pub path: PathBuf,
    /// Whether the hooks are in it.
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
    /// All hooks are, in the documented form.
    Installed,
    /// Some hooks are missing or differ.
    Incomplete,
    /// No hook is.
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

/// Whether an agent trusts hooks, as its own files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The agent runs them.
    Trusted,
    /// The agent asks before it runs them.
    Untrusted,
    /// The user has turned one off in the agent.
    Disabled,
    /// The files do not say.
    Unknown,
}

impl Trust {
    /// The answer in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Trust::Trusted => "trusted",
            Trust::Untrusted => "untrusted",
            Trust::Disabled => "disabled",
            Trust::Unknown => "unknown",
        }
    }
}

/// An event that an agent reported.
#[derive(Clone, Debug)]
pub struct LastEvent {
    /// Time of the event.
    pub time: Timestamp,
    /// `prompt`, `step` or `stop`.
    pub event: String,
    /// The session of the agent.
    pub session: Option<String>,
    /// The tool, for a step.
    pub tool: Option<String>,
}

impl Workspace {
    /// The last event of an agent that was recorded in this directory.
    pub fn last_event(&self, name: CodingAgent) -> Result<Option<LastEvent>> {
        for event in events(&self.repository) {
            let event = event?;
            let text = |key: &str| event.extras.get(key).map(|value| String::from_utf8_lossy(value).into_owned());
            if text(agent::NAME).as_deref() == Some(name.word()) {
                let name = text(agent::EVENT).unwrap_or_default();
                let (session, tool) = (text(agent::SESSION), text(agent::TOOL));
                return Ok(Some(LastEvent { time: event.time, event: name, session, tool }));
            }
        }
        Ok(None)
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
    let trust = match agent {
        _ if found.is_empty() => None,
        CodingAgent::Claude => Some(claude_trust(folder, project)),
        CodingAgent::Codex => Some(codex_trust(folder, &path, &found)),
    };
    let files = match agent {
        CodingAgent::Claude => claude_settings(folder, project),
        CodingAgent::Codex => vec![folder.join("config.toml"), PathBuf::from("/etc/codex/requirements.toml")],
    };
    let disabled_by = files.into_iter().filter(|file| disables_hooks(agent, file)).collect();
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

/// Whether a settings file turns hooks off. A file that cannot be read does not.
fn disables_hooks(agent: CodingAgent, file: &Path) -> bool {
    match agent {
        CodingAgent::Claude => {
            let is_set = |settings: &Value, key| settings[key] == Value::Bool(true);
            let is_off = |settings| is_set(&settings, "disableAllHooks") || is_set(&settings, "allowManagedHooksOnly");
            json(file).is_some_and(is_off)
        }
        CodingAgent::Codex => {
            text(file).and_then(|text| CodexSettings::parse(&text)).is_some_and(|c| c.disables_hooks())
        }
    }
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
fn codex_trust(folder: &Path, path: &Path, found: &[FoundHook]) -> Trust {
    let Some(settings) = text(&folder.join("config.toml")) else { return Trust::Untrusted };
    let Some(settings) = CodexSettings::parse(&settings) else { return Trust::Unknown };
    // Codex resolves links of the folder only if `CODEX_HOME` names it.
    let resolved = fs::canonicalize(folder).ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
    let of_path = |path: &Path| found.iter().map(|hook| settings.trust(path, hook)).collect::<Vec<_>>();
    let answers = [Some(path), resolved.as_deref()].into_iter().flatten().map(of_path);
    let best = |answers: Vec<CodexTrust>| {
        let has = |answer| answers.contains(&answer);
        match () {
            () if has(CodexTrust::Disabled) => Trust::Disabled,
            () if has(CodexTrust::Untrusted) => Trust::Untrusted,
            () if has(CodexTrust::Unknown) => Trust::Unknown,
            () => Trust::Trusted,
        }
    };
    answers.map(best).find(|trust| *trust != Trust::Untrusted).unwrap_or(Trust::Untrusted)
}

fn text(file: &Path) -> Option<String> {
    read_text(file).ok()??.ok()
}

fn json(file: &Path) -> Option<Value> {
    serde_json::from_str(&text(file)?).ok()
}
