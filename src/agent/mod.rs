//! The hook protocols of coding agents: payloads in, events and answers out. No I/O.

mod answer;
mod event;
mod keys;
mod payload;
mod shortened;

pub use answer::Answer;
pub use event::{COMMAND_LENGTH, EventKind, HookEvent, is_shell};
pub use keys::{CALL, COMMAND, EVENT, NAME, PROMPT, SESSION, SUBAGENT, TOOL, TURN};
pub use payload::Payload;
