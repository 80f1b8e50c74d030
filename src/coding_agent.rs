//! The coding agents whose hooks `undo` can use.

/// A coding agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodingAgent {
    /// Claude Code.
    Claude,
    /// Codex CLI.
    Codex,
}

impl CodingAgent {
    /// All agents.
    pub const ALL: [CodingAgent; 2] = [CodingAgent::Claude, CodingAgent::Codex];

    /// The name in arguments, settings and JSON.
    pub fn word(self) -> &'static str {
        match self {
            CodingAgent::Claude => "claude",
            CodingAgent::Codex => "codex",
        }
    }

    /// The name in text.
    pub fn title(self) -> &'static str {
        match self {
            CodingAgent::Claude => "Claude Code",
            CodingAgent::Codex => "Codex CLI",
        }
    }

    /// The agent of a name.
    pub fn from_word(word: &str) -> Option<CodingAgent> {
        CodingAgent::ALL.into_iter().find(|agent| agent.word() == word)
    }
}
