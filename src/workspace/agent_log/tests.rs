//! Tests of prompts, ends and mixed steps.

use super::*;
use crate::id::OperationId;
use crate::object::Extras;
use crate::time::Timestamp;

/// An event with the state `n`, whose next state is `n + 1`.
fn event(n: u8, kind: EventKind, session: &str, subagent: &str) -> AgentEvent {
    let mut extras = Extras::default();
    extras.set(agent::SESSION, session);
    if !subagent.is_empty() {
        extras.set(agent::SUBAGENT, subagent);
    }
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

fn numbers(events: &[AgentEvent]) -> Vec<Option<usize>> {
    let begins: Vec<bool> = events.iter().map(|event| event.kind == Prompt).collect();
    prompt_numbers(events, &begins)
}

#[test]
fn events_belong_to_the_last_prompt_of_their_session() {
    let list =
        [(Step, "a", ""), (Prompt, "a", ""), (Prompt, "b", ""), (Step, "a", ""), (Step, "b", "x"), (Prompt, "a", "")];
    assert_eq!(numbers(&events(&list)), [Some(1), Some(2), Some(3), Some(2), Some(3), None]);
}

#[test]
fn a_prompt_ends_when_the_agent_itself_stops() {
    let list =
        [(Prompt, "a", ""), (Step, "a", ""), (Stop, "a", "x"), (Stop, "b", ""), (Stop, "a", ""), (Prompt, "a", "")];
    let all = events(&list);
    let begins: Vec<bool> = all.iter().map(|event| event.kind == Prompt).collect();
    assert_eq!(end_of_prompt(&all[5], &all[..5], &begins), Some(CommitId([5; 32])));
    assert_eq!(end_of_prompt(&all[0], &[], &begins), Some(CommitId([7; 32])));
    assert_eq!(end_of_prompt(&all[5], &all[4..5], &begins[4..]), Some(CommitId([3; 32])), "no stop was recorded");
    let late = [false, false, true, false, false, true];
    assert_eq!(end_of_prompt(&all[4], &all[..4], &late), Some(CommitId([5; 32])), "the next prompt was not recorded");
}

#[test]
fn steps_with_another_event_in_between_are_mixed() {
    let list = [(Step, "a", ""), (Step, "b", ""), (Step, "a", ""), (Step, "a", "x"), (Stop, "a", ""), (Step, "b", "")];
    let all = events(&list);
    let mixed: Vec<bool> = (0..all.len()).rev().map(|n| is_mixed(&all[n], &all[..n])).collect();
    assert_eq!(mixed, [true, true, true, false, false, false]);
}
