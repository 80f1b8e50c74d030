//! The hooks of coding agents: what changed in their settings, and whether they run.

use serde::Serialize;
use serde_json::Value;

use crate::agent;
use crate::history::automatic::Event;
use crate::time::Timestamp;
use crate::workspace::hooks::{HookChange, HookProgram, HookStatus};

/// A change of an agent's settings.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "agent-settings")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct SettingsChange {
    pub agent: &'static str,
    /// Name of the agent in text.
    #[serde(skip)]
    pub title: &'static str,
    /// `added` or `removed`.
    pub action: &'static str,
    pub path: String,
    pub hooks: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<String>,
    pub dry_run: bool,
    pub diff: String,
}

impl SettingsChange {
    /// The record of a change, before or after it is made.
    pub fn new(change: &HookChange, action: &'static str, dry_run: bool) -> SettingsChange {
        SettingsChange {
            agent: change.agent().word(),
            title: change.agent().title(),
            action,
            path: change.path().display().to_string(),
            hooks: change.hooks as u64,
            copy: change.copy().map(|path| path.display().to_string()),
            dry_run,
            diff: change.diff(),
        }
    }
}

/// Settings that have only the hooks, to be added by hand.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "agent-settings-to-add")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct SettingsToAdd {
    pub agent: &'static str,
    pub settings: Value,
    /// The lines in text.
    #[serde(skip)]
    pub text: String,
}

impl SettingsToAdd {
    /// The record of settings as JSON.
    pub fn new(agent: &'static str, text: String) -> SettingsToAdd {
        SettingsToAdd { agent, settings: serde_json::from_str(&text).unwrap_or_default(), text }
    }
}

/// An agent: whether its hooks are installed, and whether it runs them.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "agent")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct AgentRecord {
    pub agent: &'static str,
    /// Name of the agent in text.
    #[serde(skip)]
    pub title: &'static str,
    pub path: String,
    pub state: &'static str,
    pub programs: Vec<ProgramRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<&'static str>,
    pub disabled_by: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_event: Option<EventRecord>,
}

/// A program that hooks run.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct ProgramRecord {
    pub path: String,
    pub exists: bool,
}

impl ProgramRecord {
    fn new(program: &HookProgram) -> ProgramRecord {
        ProgramRecord { path: program.path.display().to_string(), exists: program.exists }
    }
}

/// An event that an agent reported.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct EventRecord {
    pub time: Timestamp,
    pub event: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
}

impl EventRecord {
    fn new(event: &Event) -> EventRecord {
        EventRecord {
            time: event.time,
            event: event.text(agent::EVENT).unwrap_or_default(),
            session: event.text(agent::SESSION),
            tool: event.text(agent::TOOL),
        }
    }
}

impl AgentRecord {
    /// The record of an agent.
    pub fn new(status: &HookStatus, last: Option<Event>) -> AgentRecord {
        let HookStatus { agent, path, state, disabled_by } = status;
        let installed = state.installed();
        AgentRecord {
            agent: agent.word(),
            title: agent.title(),
            path: path.display().to_string(),
            state: state.word(),
            programs: installed.map_or_else(Vec::new, |hooks| hooks.programs.iter().map(ProgramRecord::new).collect()),
            trust: installed.map(|hooks| hooks.trust.word()),
            disabled_by: disabled_by.iter().map(|path| path.display().to_string()).collect(),
            last_event: last.map(|event| EventRecord::new(&event)),
        }
    }
}
