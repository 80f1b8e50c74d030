//! Whether the hooks of an agent are installed, and whether the agent runs them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
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
    /// Files whose settings turn hooks off.
    pub disabled_by: Vec<PathBuf>,
}

/// Whether hooks are in the settings of an agent.
pub enum HookState {
    /// Hooks are installed.
    Installed(InstalledHooks),
    /// No hook is installed.
    NotInstalled,
    /// The settings cannot be read, for this reason.
    Unreadable(Error),
}

/// Hooks in the settings of an agent.
pub struct InstalledHooks {
    /// Whether all hooks are there, in the documented form.
    pub is_complete: bool,
    /// The programs that they run.
    pub programs: Vec<HookProgram>,
    /// Whether the agent trusts the hooks.
    pub trust: Trust,
}

/// A program that hooks run.
pub struct HookProgram {
    /// Its path or name in the settings.
    pub path: PathBuf,
    /// Whether it exists.
    pub exists: bool,
}

impl HookState {
    /// The installed hooks, if any are.
    pub fn installed(&self) -> Option<&InstalledHooks> {
        if let HookState::Installed(hooks) = self { Some(hooks) } else { None }
    }

    /// The state in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            HookState::Installed(InstalledHooks { is_complete: true, .. }) => "installed",
            HookState::Installed(_) => "incomplete",
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
    let found = match found {
        Ok(found) => Ok(found),
        Err(error) if matches!(error.kind(), ErrorKind::Refused | ErrorKind::Damaged | ErrorKind::Permission) => {
            Err(error)
        }
        Err(error) => return Err(error),
    };
    let hooks = found.as_deref().unwrap_or_default();
    let (trust, disabled_by) = match agent {
        CodingAgent::Claude => (claude_trust(folder, project), claude_files_without_hooks(folder, project)),
        CodingAgent::Codex => {
            let config = codex_settings(&folder.join("config.toml"));
            let trust = codex_trust(folder, &path, config.as_ref(), hooks);
            (trust, codex_files_without_hooks(folder, config.as_ref()))
        }
    };
    let state = match found {
        Err(error) => HookState::Unreadable(error),
        Ok(found) if found.is_empty() => HookState::NotInstalled,
        Ok(found) => HookState::Installed(InstalledHooks {
            is_complete: is_complete(&found, agent),
            programs: programs(&found, project),
            trust,
        }),
    };
    Ok(HookStatus { agent, path, state, disabled_by })
}

/// The distinct programs of hooks, which an agent runs in `project`.
fn programs(found: &[FoundHook], project: &Path) -> Vec<HookProgram> {
    let mut programs: Vec<HookProgram> = Vec::new();
    for FoundHook { program: path, .. } in found {
        if !programs.iter().any(|known| known.path == *path) {
            programs.push(HookProgram { path: path.clone(), exists: fs::is_program(path, project) });
        }
    }
    programs
}

/// Whether each hook is there once, in the documented form.
fn is_complete(found: &[FoundHook], agent: CodingAgent) -> bool {
    let has = |event: &str| found.iter().filter(|hook| hook.event == event && hook.is_current(agent)).count() == 1;
    found.len() == hooks(agent).len() && hooks(agent).iter().all(|hook| has(hook.event))
}

/// The settings files of Claude Code that turn hooks off. A file that cannot be read does not.
fn claude_files_without_hooks(folder: &Path, project: &Path) -> Vec<PathBuf> {
    const MANAGED: &str = "/etc/claude-code";
    let more = Path::new(MANAGED).join("managed-settings.d");
    let names = fs::list(&more).unwrap_or_default();
    let managed = names.iter().map(|name| more.join(OsStr::from_bytes(name)));
    let managed = std::iter::once(Path::new(MANAGED).join("managed-settings.json")).chain(managed);
    let own = [
        folder.join("settings.json"),
        project.join(".claude/settings.json"),
        project.join(".claude/settings.local.json"),
    ];
    let all = own.into_iter().map(|file| (file, false)).chain(managed.map(|file| (file, true)));
    let is_off = |file: &Path, is_managed| json(file).is_some_and(|json| claude_disables_hooks(&json, is_managed));
    all.filter(|(file, is_managed)| is_off(file, *is_managed)).map(|(file, _)| file).collect()
}

/// Whether settings of Claude Code turn hooks off. Only an administrator can turn off the hooks of others.
fn claude_disables_hooks(settings: &Value, is_managed: bool) -> bool {
    let is_set = |key| settings[key] == Value::Bool(true);
    is_set("disableAllHooks") || is_managed && is_set("allowManagedHooksOnly")
}

/// The settings files of Codex that turn hooks off.
fn codex_files_without_hooks(folder: &Path, config: Option<&CodexSettings>) -> Vec<PathBuf> {
    let managed = PathBuf::from("/etc/codex/requirements.toml");
    let own = config.filter(|config| config.disables_hooks()).map(|_| folder.join("config.toml"));
    let is_off = codex_settings(&managed)
        .is_some_and(|settings| settings.disables_hooks() || settings.allows_only_managed_hooks());
    own.into_iter().chain(is_off.then_some(managed)).collect()
}

fn codex_settings(file: &Path) -> Option<CodexSettings> {
    CodexSettings::parse(&text(file).unwrap_or_default())
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_managed_settings_turn_off_the_hooks_of_others() {
        for (settings, own, managed) in [
            (json!({"allowManagedHooksOnly": true}), false, true),
            (json!({"disableAllHooks": true}), true, true),
            (json!({"disableAllHooks": "true", "allowManagedHooksOnly": false}), false, false),
        ] {
            let answers = (claude_disables_hooks(&settings, false), claude_disables_hooks(&settings, true));
            assert_eq!(answers, (own, managed), "{settings}");
        }
    }
}
