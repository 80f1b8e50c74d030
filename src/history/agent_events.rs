//! Events of coding agents: the state at the end of each, and the revisions `@{prompt}`, `@{prompt 3}` and `@{step}`.

use crate::agent::{self, EventKind};
use crate::error::{Error, ErrorKind, Result};
use crate::history::automatic::{self, Event};
use crate::id::CommitId;
use crate::object::Extras;
use crate::repo::Repository;

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
            end = operation.worktree.map_or(end, |(before, after)| Some(before.unwrap_or(after)));
            return None;
        };
        let end = end.replace(event.commit);
        kind(&event.extras).map(|kind| Ok(AgentEvent { event, kind, end }))
    })
}

/// Parses the text in the braces of `@{prompt 3}`: a kind of event, and which one, counted from the newest.
pub fn parse(text: &str) -> Option<(EventKind, usize)> {
    let mut words = text.split_whitespace();
    let kind =
        EventKind::from_word(words.next()?).filter(|kind| matches!(kind, EventKind::Prompt | EventKind::Step))?;
    let number = words.next().map_or(Some(1), |digits| digits.parse().ok().filter(|number| *number > 0))?;
    words.next().is_none().then_some((kind, number))
}

/// The state before an event of an agent, counted from the newest event of its kind.
pub fn state_before(repository: &Repository, kind: EventKind, number: usize) -> Result<CommitId> {
    let mut count = 0;
    for event in automatic::events(repository) {
        let event = event?;
        count += usize::from(self::kind(&event.extras) == Some(kind));
        if count == number {
            return Ok(event.commit);
        }
    }
    let word = kind.word();
    let message = match count {
        0 => format!("no {word} of an agent is recorded in this directory"),
        1 => format!("only 1 {word} of an agent is recorded in this directory"),
        _ => format!("only {count} {word}s of agents are recorded in this directory"),
    };
    Err(Error::new(ErrorKind::NotFound, message).hint("to list them: undo agent log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_name_a_kind_and_a_number() {
        assert_eq!(parse("prompt"), Some((EventKind::Prompt, 1)));
        assert_eq!(parse(" prompt  3 "), Some((EventKind::Prompt, 3)));
        assert_eq!(parse("step"), Some((EventKind::Step, 1)));
        for text in ["", "prompts", "stop", "prompt 0", "prompt x", "prompt 1 2", "prompt -1", "10 minutes ago"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
