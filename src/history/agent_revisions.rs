//! The revisions `@{prompt}`, `@{prompt 3}` and `@{step}`.

use crate::agent::EventKind;
use crate::error::{Error, ErrorKind, Result};
use crate::history::agent_events;
use crate::history::agent_prompts::PromptSearch;
use crate::history::automatic::{Event, events};
use crate::id::CommitId;
use crate::number::{plural, pluralize};
use crate::repo::Repository;

/// Parses the text in the braces of `@{prompt 3}`: a kind of event, and which one, counted from the newest.
pub fn parse(text: &str) -> Option<(EventKind, usize)> {
    let mut words = text.split_whitespace();
    let kind = kind_of(words.next()?)?;
    let number = words.next().map_or(Some(1), |digits| digits.parse().ok().filter(|number| *number > 0))?;
    words.next().is_none().then_some((kind, number))
}

/// Whether the text in the braces of a revision begins like those that [`parse`] accepts.
pub fn begins_with_kind(text: &str) -> bool {
    text.split_whitespace().next().and_then(kind_of).is_some()
}

/// The kinds of events that revisions name.
fn kind_of(word: &str) -> Option<EventKind> {
    EventKind::from_word(word).filter(|kind| matches!(kind, EventKind::Prompt | EventKind::Step))
}

/// The error for such a text that [`parse`] does not accept.
pub fn malformed(revision: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("`{}` is not a valid revision", revision.escape_debug()))
        .hint("valid forms: `@{prompt}`, `@{prompt 3}`, `@{step}`, `@{step 3}`")
}

/// The state before a prompt or a step, counted from the newest one. Steps that run only `undo` do not count. If the prompt was not
/// recorded, the state before the first event during it.
pub fn state_before(repository: &Repository, kind: EventKind, number: usize) -> Result<CommitId> {
    let found = match kind {
        EventKind::Prompt => newest_prompts(repository, number)?,
        _ => newest_steps(repository, number)?,
    };
    found.get(number - 1).copied().ok_or_else(|| {
        let noun = format!("agent {}", kind.word());
        let count = match found.len() {
            0 => format!("no {noun}"),
            count => format!("only {}", plural(count as u64, &noun)),
        };
        let verb = pluralize(found.len().max(1), "is", "are");
        let exception = if kind == EventKind::Step { "; steps that run only `undo` do not count" } else { "" };
        let message = format!("{count} {verb} recorded in this directory{exception}");
        Error::new(ErrorKind::NotFound, message).hint("to list them: undo agent log")
    })
}

/// The states before the newest steps, without those that run only `undo`.
fn newest_steps(repository: &Repository, limit: usize) -> Result<Vec<CommitId>> {
    let is_step = |event: &Event| agent_events::kind(&event.extras) == Some(EventKind::Step);
    let state = |event: Event| (is_step(&event) && !agent_events::runs_only_undo(&event)).then_some(event.commit);
    events(repository).filter_map(|event| event.map(state).transpose()).take(limit).collect()
}

/// The states before the newest prompts, `number` of them or more.
fn newest_prompts(repository: &Repository, number: usize) -> Result<Vec<CommitId>> {
    let (mut search, mut states) = (PromptSearch::default(), Vec::new());
    for event in events(repository) {
        let event = event?;
        search.add(&event);
        states.push(event.commit);
        if search.has_found(number) {
            break;
        }
    }
    Ok(states.into_iter().zip(search.finish()).filter(|(_, begins)| *begins).map(|(state, _)| state).collect())
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
