//! Keys of the extras that describe an event of an agent (`docs/format.md`, "Operation").

/// Name of the agent: `claude`, `codex`.
pub const NAME: &str = "agent.name";

/// Session of the agent.
pub const SESSION: &str = "agent.session";

/// Id that the agent gives the prompt during which the event happened.
pub const TURN: &str = "agent.turn";

/// Kind of the event: `prompt`, `step`, `stop`, or `unreadable` if the input of the hook could not be read.
pub const EVENT: &str = "agent.event";

/// Subagent that caused the event.
pub const SUBAGENT: &str = "agent.id";

/// Tool that runs next.
pub const TOOL: &str = "agent.tool";

/// Id of the call of the tool.
pub const CALL: &str = "agent.call";

/// Command that the tool runs, or the paths that it edits.
pub const COMMAND: &str = "agent.command";

/// Text of the prompt.
pub const PROMPT: &str = "agent.prompt";
