//! Steps of coding agents.

use serde::Serialize;

use crate::agent;
use crate::id::{CommitId, OperationId};
use crate::object::Mark;
use crate::object::commit::Counts;
use crate::time::Timestamp;
use crate::workspace::{AgentStep, StepChanges};

/// An event of an agent, and what changed after it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "step")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct StepRecord {
    /// The state before the event.
    pub id: CommitId,
    pub operation: OperationId,
    pub time: Timestamp,
    pub agent: String,
    pub session: String,
    pub event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt: Option<usize>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subagent: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tool: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub call: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub command: String,
    /// `None` if a state no longer exists.
    #[serde(flatten)]
    pub changes: Option<Counts>,
    /// Whether the state before the event no longer exists.
    #[serde(skip)]
    pub is_forgotten: bool,
    pub late: bool,
    pub mixed: bool,
    pub alarms: Vec<Mark>,
}

/// The end of the list.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(tag = "type", rename = "summary")]
#[expect(missing_docs, reason = "docs/json.md has these fields under the same names")]
pub struct StepSummary {
    pub sessions: u64,
    pub prompts: u64,
    pub steps: u64,
}

impl StepRecord {
    /// The record of an event and its changes.
    pub fn new(step: &AgentStep, changes: StepChanges) -> StepRecord {
        StepRecord {
            id: step.event.commit,
            operation: step.event.operation,
            time: step.event.time,
            agent: step.field(agent::NAME),
            session: step.field(agent::SESSION),
            event: step.kind.word(),
            prompt: step.prompt,
            text: step.field(agent::PROMPT),
            subagent: step.field(agent::SUBAGENT),
            tool: step.field(agent::TOOL),
            call: step.field(agent::CALL),
            command: step.field(agent::COMMAND),
            changes: changes.counts,
            is_forgotten: changes.is_forgotten,
            late: step.is_late,
            mixed: step.is_mixed,
            alarms: changes.alarms,
        }
    }
}
