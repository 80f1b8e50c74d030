//! The steps of coding agents: the events in the journal, and what changed after each.

use std::collections::HashMap;

use crate::agent::{self, EventKind};
use crate::error::Result;
use crate::history::agent_events::{AgentEvent, agent_events};
use crate::history::automatic::Event;
use crate::id::CommitId;
use crate::object::commit::Counts;
use crate::object::{Mark, ObjectKind};
use crate::progress::Progress;

use super::{DiffOptions, Workspace};

/// An event of an agent.
#[derive(Clone, Debug)]
pub struct AgentStep {
    /// The event and the state before it.
    pub event: Event,
    /// Its kind.
    pub kind: EventKind,
    /// Number of the last prompt of the session until then, counted from the newest prompt in the directory: `@{prompt 2}`.
    /// `None` if no prompt of the session was recorded.
    pub prompt: Option<usize>,
    /// Whether another session or subagent announced an event before the next one of this, so that the changes may be of both.
    pub is_mixed: bool,
    /// The state that the changes lead to.
    end: State,
}

/// What changed after an event.
#[derive(Clone, Debug, Default)]
pub struct StepChanges {
    /// Changes until the next recorded state; of a prompt, until the agent stopped or the session had its next prompt. `None` if a
    /// state no longer exists.
    pub counts: Option<Counts>,
    /// Alarms about the changes until the next recorded state; none of a prompt.
    pub alarms: Vec<Mark>,
}

/// A state to compare with: a commit, or the directory as it is now.
type State = Option<CommitId>;

impl AgentStep {
    /// A field of the event as text; empty if the event does not have it.
    pub fn field(&self, key: &str) -> String {
        field(&self.event, key)
    }
}

impl Workspace {
    /// The events of agents in this directory, newest first.
    pub fn agent_steps(&self) -> Result<Vec<AgentStep>> {
        let events: Vec<AgentEvent> = agent_events(&self.repository).collect::<Result<_>>()?;
        let prompts = prompt_numbers(&events);
        let step = |(n, event): (usize, &AgentEvent)| {
            let newer = &events[..n];
            let end = if event.kind == EventKind::Prompt { end_of_prompt(event, newer) } else { event.end };
            let (prompt, is_mixed) = (prompts[n], is_mixed(event, newer));
            AgentStep { event: event.event.clone(), kind: event.kind, prompt, is_mixed, end }
        };
        Ok(events.iter().enumerate().map(step).collect())
    }

    /// What changed after an event. Reads the directory if no newer state is recorded.
    pub fn changes_of_step(&self, step: &AgentStep, progress: &dyn Progress) -> Result<StepChanges> {
        let options = DiffOptions { renames: None, ..DiffOptions::default() };
        let exists = |id: CommitId| self.repository.store().contains(ObjectKind::Commit, id.object_id());
        let old = step.event.commit;
        let (counts, alarms) = match step.end {
            Some(new) if new == old => (Counts::default(), Vec::new()),
            _ if !exists(old) => return Ok(StepChanges::default()),
            Some(new) if !exists(new) => return Ok(StepChanges::default()),
            Some(new) => {
                let counts = self.diff_commits(Some(old), Some(new), options)?.count()?;
                let commit = self.read_commit(new)?;
                let is_next = commit.parents.first() == Some(&old);
                (counts.recorded(), if is_next { commit.marks() } else { Vec::new() })
            }
            None => {
                let differences = self.diff_worktree(Some(old), options, progress)?;
                let (counts, findings) = differences.for_each_watched(&mut |_| Ok(()))?;
                (counts.recorded(), findings.marks())
            }
        };
        let alarms = if step.kind == EventKind::Prompt { Vec::new() } else { alarms };
        Ok(StepChanges { counts: Some(counts), alarms })
    }
}

fn field(event: &Event, key: &str) -> String {
    event.extras.get(key).map(|value| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}

/// Agent and session of an event.
fn session(event: &AgentEvent) -> [String; 2] {
    [agent::NAME, agent::SESSION].map(|key| field(&event.event, key))
}

fn subagent(event: &AgentEvent) -> String {
    field(&event.event, agent::SUBAGENT)
}

/// The prompt that each event belongs to, counted from the newest prompt.
fn prompt_numbers(events: &[AgentEvent]) -> Vec<Option<usize>> {
    let mut number = events.iter().filter(|event| event.kind == EventKind::Prompt).count();
    let mut current = HashMap::new();
    let mut numbers: Vec<Option<usize>> = Vec::with_capacity(events.len());
    for event in events.iter().rev() {
        if event.kind == EventKind::Prompt {
            current.insert(session(event), number);
            number -= 1;
        }
        numbers.push(current.get(&session(event)).copied());
    }
    numbers.reverse();
    numbers
}

/// The state when the work on a prompt ended: at the next prompt of the session, or when the agent itself stopped; else after the
/// last event of the session. `newer` are the newer events, newest first.
fn end_of_prompt(prompt: &AgentEvent, newer: &[AgentEvent]) -> State {
    let own = session(prompt);
    let mut end = prompt.end;
    for event in newer.iter().rev().filter(|event| session(event) == own) {
        let is_end = event.kind == EventKind::Prompt || event.kind == EventKind::Stop && subagent(event).is_empty();
        if is_end {
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
    let own = (session(step), subagent(step));
    let is_own = |event: &&AgentEvent| (session(event), subagent(event)) == own;
    // Without a later event of the same session, the step may have ended before any of the others.
    newer.iter().rev().any(|event| is_own(&event)) && !newer.last().is_some_and(|next| is_own(&next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::OperationId;
    use crate::object::Extras;
    use crate::time::Timestamp;

    /// An event with the state `n`, whose next state is `n + 1`.
    fn event(n: u8, kind: EventKind, session: &str, subagent: &str) -> AgentEvent {
        let mut extras = Extras::default();
        extras.set(agent::SESSION, session);
        extras.set(agent::SUBAGENT, subagent);
        let (operation, commit) = (OperationId([n; 32]), CommitId([n; 32]));
        let time = Timestamp { seconds: i64::from(n), nanoseconds: 0 };
        let event = Event { operation, time, before: commit, commit, created: true, extras };
        AgentEvent { event, kind, end: Some(CommitId([n + 1; 32])) }
    }

    /// Events newest first, from ones in the order of time.
    fn events(list: &[(EventKind, &str, &str)]) -> Vec<AgentEvent> {
        let numbered = (1..).zip(list).map(|(n, (kind, session, subagent))| event(n, *kind, session, subagent));
        let mut events: Vec<AgentEvent> = numbered.collect();
        events.reverse();
        events
    }

    use EventKind::{Prompt, Step, Stop};

    #[test]
    fn events_belong_to_the_last_prompt_of_their_session() {
        let list = [
            (Step, "a", ""),
            (Prompt, "a", ""),
            (Prompt, "b", ""),
            (Step, "a", ""),
            (Step, "b", "x"),
            (Prompt, "a", ""),
        ];
        assert_eq!(prompt_numbers(&events(&list)), [Some(1), Some(2), Some(3), Some(2), Some(3), None]);
    }

    #[test]
    fn a_prompt_ends_when_the_agent_itself_stops() {
        let list =
            [(Prompt, "a", ""), (Step, "a", ""), (Stop, "a", "x"), (Stop, "b", ""), (Stop, "a", ""), (Prompt, "a", "")];
        let all = events(&list);
        assert_eq!(end_of_prompt(&all[5], &all[..5]), Some(CommitId([5; 32])));
        assert_eq!(end_of_prompt(&all[0], &[]), Some(CommitId([7; 32])));
        assert_eq!(end_of_prompt(&all[5], &all[4..5]), Some(CommitId([3; 32])), "no stop was recorded");
    }

    #[test]
    fn steps_with_another_event_in_between_are_mixed() {
        let list =
            [(Step, "a", ""), (Step, "b", ""), (Step, "a", ""), (Step, "a", "x"), (Stop, "a", ""), (Step, "b", "")];
        let all = events(&list);
        let mixed: Vec<bool> = (0..all.len()).rev().map(|n| is_mixed(&all[n], &all[..n])).collect();
        assert_eq!(mixed, [true, true, true, false, false, false]);
    }
}
