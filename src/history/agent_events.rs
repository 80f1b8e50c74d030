//! Events of coding agents: their kind, session and prompt, and the state at the end of each.

use crate::agent::{self, EventKind};
use crate::error::Result;
use crate::history::automatic::Event;
use crate::id::CommitId;
use crate::object::Extras;
use crate::repo::Repository;
use crate::shell;

/// An event of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentEvent {
    /// The event.
    pub event: Event,
    /// Its kind.
    pub kind: EventKind,
    /// The next recorded state. `None` for the newest state: the directory as it is now.
    pub end: Option<CommitId>,
}

/// The kind of an event. `None` if no agent announced it.
pub fn kind(extras: &Extras) -> Option<EventKind> {
    EventKind::from_word(std::str::from_utf8(extras.get(agent::EVENT)?).ok()?)
}

/// Whether an event is a step of a shell that runs only `undo`. `@{step}` passes over such steps, because an agent announces its
/// own `undo restore --from @{step}` too.
pub fn runs_only_undo(event: &Event) -> bool {
    let is_shell = event.extras.get(agent::TOOL).is_some_and(agent::is_shell);
    // Of a longer command, the rest is unknown.
    let is_complete = |command: &&[u8]| command.len() < agent::COMMAND_LENGTH - 3;
    let command = event.extras.get(agent::COMMAND).filter(is_complete);
    is_shell && command.is_some_and(shell::runs_only_undo)
}

/// Agent and session of an event.
pub fn session(event: &Event) -> [String; 2] {
    [agent::NAME, agent::SESSION].map(|key| event.text(key).unwrap_or_default())
}

/// Agent, session and prompt.
pub type Turn = [String; 3];

/// The prompt during which an event happened, as the agent names it. `None` if the agent does not.
pub fn turn(event: &Event) -> Option<Turn> {
    let [agent, session] = session(event);
    Some([agent, session, event.text(agent::TURN)?])
}

/// Events of agents in the repository's directory, newest first.
pub fn agent_events(repository: &Repository) -> impl Iterator<Item = Result<AgentEvent>> + '_ {
    let mut end = None;
    repository.own_operations().filter_map(move |item| {
        let (id, operation) = match item {
            Ok(item) => item,
            Err(error) => return Some(Err(error)),
        };
        let Some(event) = Event::of(id, &operation) else {
            // A checkout records the directory before it changes the directory.
            let before = operation.worktree.and_then(|(before, _)| before);
            end = before.or_else(|| operation.state_after()).or(end);
            return None;
        };
        let end = end.replace(event.commit);
        kind(&event.extras).map(|kind| Ok(AgentEvent { event, kind, end }))
    })
}
