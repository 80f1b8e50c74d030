//! The hooks that `undo` adds to the settings of coding agents. Pure: text in, text out.

mod codex;
mod edit;
mod json_text;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::coding_agent::CodingAgent;
use crate::error::{Error, ErrorKind, Result};
use crate::quote::{is_hidden, shell_word};

pub use codex::CodexSettings;
pub use edit::{FoundHook, Uneditable, add, find, remove};

/// Seconds after which the agent stops waiting for the hook. The hook itself ends much earlier (`agent.deadline`).
pub const TIMEOUT: u64 = 60;

/// The end of each command: the agent must continue if the program has failed or does not exist.
const NEVER_FAIL: &str = " || :";

/// Whether an agent runs hooks, as its own files say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The user has trusted them: the agent runs them.
    Trusted,
    /// The user has not trusted them yet: the agent asks first.
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

/// A hook: an event of the agent, and the tools it is limited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hook {
    /// Event, as the agent names it.
    pub event: &'static str,
    /// Regular expression for the name of the tool. `None` for events without a tool.
    pub matcher: Option<&'static str>,
}

/// The hooks of an agent, and the command they run.
///
/// The command must stay the same in all versions: Codex asks the user again about a hook that has changed.
#[derive(Clone, Debug)]
pub struct HookSet {
    pub(crate) agent: CodingAgent,
    pub(crate) command: String,
}

impl HookSet {
    /// The hooks that run `program`, an absolute path. Fails if the path cannot be written as text in JSON.
    pub fn new(agent: CodingAgent, program: &Path) -> Result<HookSet> {
        let text = program.to_str().filter(|text| !text.contains(is_hidden));
        let text = text.ok_or_else(|| {
            let shown = program.to_string_lossy();
            let message =
                format!("the path of this program cannot be written into settings: `{}`", shown.escape_debug());
            Error::new(ErrorKind::Usage, message)
                .hint("install undo in a directory whose path is UTF-8 without control characters")
        })?;
        let command = format!("{}{}{NEVER_FAIL}", shell_word(text.as_bytes()), arguments(agent));
        Ok(HookSet { agent, command })
    }

    /// Settings that contain only the hooks, to be added by hand.
    pub fn to_json(&self) -> String {
        add("", self).expect("empty settings can be edited")
    }

    fn group(&self, hook: Hook) -> Group<'_> {
        let handler = Handler { kind: "command", command: &self.command, timeout: TIMEOUT };
        Group { matcher: hook.matcher, hooks: [handler] }
    }
}

/// The hooks of an agent, in the order in which they are written.
///
/// The matchers are anchored, since both agents search the expression anywhere in the name of a tool.
pub fn hooks(agent: CodingAgent) -> [Hook; 3] {
    let tools = match agent {
        CodingAgent::Claude => "^(Bash|PowerShell|Edit|MultiEdit|Write|NotebookEdit|mcp__.*)$",
        CodingAgent::Codex => "^(Bash|apply_patch|mcp__.*)$",
    };
    [
        Hook { event: "UserPromptSubmit", matcher: None },
        Hook { event: "PreToolUse", matcher: Some(tools) },
        Hook { event: "Stop", matcher: None },
    ]
}

/// The program that a command runs, if it is a command of a [`HookSet`].
pub fn program_of(command: &str, agent: CodingAgent) -> Option<PathBuf> {
    let command = command.trim();
    let command = command.strip_suffix(NEVER_FAIL).unwrap_or(command);
    command.strip_suffix(&arguments(agent)).and_then(unquoted).map(PathBuf::from)
}

fn arguments(agent: CodingAgent) -> String {
    format!(" agent hook {}", agent.word())
}

/// Parses one word of a shell, with single quotes and `\'`. `None` for anything else.
fn unquoted(word: &str) -> Option<String> {
    let (mut text, mut rest) = (String::new(), word);
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('\'') {
            let (inside, after) = quoted.split_once('\'')?;
            text.push_str(inside);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(r"\'") {
            text.push('\'');
            rest = after;
        } else {
            let end = rest.find(['\'', '\\']).unwrap_or(rest.len());
            let (plain, after) = rest.split_at(end);
            if plain.is_empty()
                || plain.contains(|letter: char| letter.is_whitespace() || "\"$`;&|<>()".contains(letter))
            {
                return None;
            }
            text.push_str(plain);
            rest = after;
        }
    }
    (!text.is_empty()).then_some(text)
}

/// A list of handlers for an event.
#[derive(Serialize)]
struct Group<'h> {
    #[serde(skip_serializing_if = "Option::is_none")]
    matcher: Option<&'h str>,
    hooks: [Handler<'h>; 1],
}

#[derive(Serialize)]
struct Handler<'h> {
    #[serde(rename = "type")]
    kind: &'static str,
    command: &'h str,
    timeout: u64,
}
