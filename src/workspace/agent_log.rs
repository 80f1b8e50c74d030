//! The events of coding agents in the journal, by session and prompt.

use std::collections::HashMap;

use crate::agent::{self, EventKind};
use crate::error::Result;
use crate::history::agent_events::{AgentEvent, agent_events, session, turn};
use crate::history::agent_prompts::PromptSearch;
use crate::history::automatic::Event;
use crate::id::CommitId;
use crate::object::Extras;

use super::Workspace;

/// A state: a commit, or the directory as it is now.
pub(super) type State = Option<CommitId>;

/// An event of an agent.
#[derive(Clone, Debug)]
pub struct AgentStep {
    /// The event and the state before it.
    pub event: Event,
    /// Its kind.
    pub kind: EventKind,
    /// Number of the prompt that it belongs to, counted from the newest prompt in the directory: `@{prompt 2}`. `None` if no prompt
    /// of the session was recorded until then.
    pub prompt: Option<usize>,
    /// Whether the prompt itself was not recorded. The state is that before the first event during it.
    pub is_late: bool,
    /// Whether another session or subagent announced an event before the next one of this, so that the changes may belong to either.
    pub is_mixed: bool,
    /// The next recorded state.
    pub(super) next: State,
    /// The state that the changes lead to.
    pub(super) end: State,
}

impl AgentStep {
    /// A field of the event as text; empty if the event does not have it.
    pub fn field(&self, key: &str) -> String {
        self.event.text(key).unwrap_or_default()
    }
}

impl Workspace {
    /// The events of agents in this directory, newest first. A prompt that was not recorded follows the first event during it.
    pub fn agent_steps(&self) -> Result<Vec<AgentStep>> {
        let events: Vec<AgentEvent> = agent_events(&self.repository).collect::<Result<_>>()?;
        let mut search = PromptSearch::default();
        events.iter().for_each(|event| search.add(&event.event));
        let begins = search.finish();
        let prompts = prompt_numbers(&events, &begins);
        let mut steps = Vec::with_capacity(events.len());
        for (n, event) in events.iter().enumerate() {
            let (newer, prompt) = (&events[..n], prompts[n]);
            let own = AgentStep {
                event: event.event.clone(),
                kind: event.kind,
                prompt,
                is_late: false,
                is_mixed: is_mixed(event, newer),
                next: event.end,
                end: event.end,
            };
            let end = begins[n].then(|| end_of_prompt(event, newer, &begins));
            match end {
                None => steps.push(own),
                Some(end) if event.kind == EventKind::Prompt => steps.push(AgentStep { end, ..own }),
                Some(end) => {
                    steps.push(own);
                    steps.push(late_prompt(&event.event, prompt, end));
                }
            }
        }
        Ok(steps)
    }
}

/// The prompt that begins with another event, because it was not recorded itself.
fn late_prompt(first: &Event, prompt: Option<usize>, end: State) -> AgentStep {
    let mut event = Event { extras: Extras::default(), ..first.clone() };
    for key in [agent::NAME, agent::SESSION] {
        event.extras.set(key, first.extras.get(key).unwrap_or_default());
    }
    // The alarms are those of its first event.
    let next = Some(event.commit);
    AgentStep { event, kind: EventKind::Prompt, prompt, is_late: true, is_mixed: false, next, end }
}

fn subagent(event: &AgentEvent) -> Option<&[u8]> {
    event.event.extras.get(agent::SUBAGENT)
}

/// The prompt that each event belongs to, counted from the newest prompt.
fn prompt_numbers(events: &[AgentEvent], begins: &[bool]) -> Vec<Option<usize>> {
    let mut number = begins.iter().filter(|begins| **begins).count();
    let (mut of_session, mut of_turn) = (HashMap::new(), HashMap::new());
    let mut numbers: Vec<Option<usize>> = Vec::with_capacity(events.len());
    for (event, begins) in events.iter().zip(begins).rev() {
        let (session, turn) = (session(&event.event), turn(&event.event));
        if *begins {
            of_session.insert(session.clone(), number);
            of_turn.extend(turn.iter().map(|turn| (turn.clone(), number)));
            number -= 1;
        }
        let named = turn.and_then(|turn| of_turn.get(&turn));
        numbers.push(named.or_else(|| of_session.get(&session)).copied());
    }
    numbers.reverse();
    numbers
}

/// The state when the work on a prompt ended: at the next prompt of the session, or when the agent itself stopped; else after the
/// last event of the session. `newer` are the newer events, newest first; `first` is the first event of the prompt.
fn end_of_prompt(first: &AgentEvent, newer: &[AgentEvent], begins: &[bool]) -> State {
    let own = session(&first.event);
    let is_stop = |event: &AgentEvent| event.kind == EventKind::Stop && subagent(event).is_none();
    if is_stop(first) {
        return Some(first.event.commit);
    }
    let mut end = first.end;
    for (event, begins) in newer.iter().zip(begins).rev().filter(|(event, _)| session(&event.event) == own) {
        if *begins || is_stop(event) {
            return Some(event.event.commit);
        }
        end = event.end;
    }
    end
}

/// Whether an event of another session or subagent lies between a step and the next event of its session and subagent.
fn is_mixed(step: &AgentEvent, newer: &[AgentEvent]) -> bool {
    if step.kind != EventKind::Step {
        return false;
    }
    let own = (session(&step.event), subagent(step));
    let is_own = |event: &&AgentEvent| (session(&event.event), subagent(event)) == own;
    // Without a later event of the same session, the step may have ended before any of the others.
    newer.iter().rev().any(|event| is_own(&event)) && !newer.last().is_some_and(|next| is_own(&next))
}

#[cfg(test)]
mod tests;
