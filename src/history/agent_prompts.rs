//! Finds the events that begin prompts of agents.
//!
//! A prompt begins with the event that announces it. If that event was not recorded, because of a full disk or a held lock, it begins
//! with the first recorded event during the prompt: agents name the prompt in each event.

use std::collections::HashMap;

use crate::agent::{self, EventKind};
use crate::history::agent_events::{Turn, kind, session, turn};
use crate::history::automatic::Event;

/// A search through the events of a directory, newest first.
#[derive(Default)]
pub struct PromptSearch {
    /// Whether each event is the announcement of a prompt.
    is_prompt: Vec<bool>,
    /// Number of announcements.
    prompts: usize,
    /// The prompts whose announcement has not been found yet.
    unannounced: HashMap<Turn, Unannounced>,
    /// For each session, the prompt of the last event that was added, without those of subagents.
    newer: HashMap<[String; 2], Option<Turn>>,
}

struct Unannounced {
    /// Index of the oldest event.
    oldest: usize,
    /// Whether the agent itself caused one of the events: a subagent may count its turns separately.
    is_of_agent: bool,
}

impl PromptSearch {
    /// Adds the next older event.
    pub fn add(&mut self, event: &Event) {
        let (kind, turn) = (kind(&event.extras), turn(event));
        let is_of_agent = event.extras.get(agent::SUBAGENT).is_none();
        let is_prompt = kind == Some(EventKind::Prompt);
        if is_prompt {
            // The next event of the session belongs to the prompt, whatever the announcement names.
            let next = self.newer.remove(&session(event)).flatten();
            for turn in turn.iter().chain(&next) {
                self.unannounced.remove(turn);
            }
        } else if let Some(turn) = &turn {
            let oldest = self.is_prompt.len();
            let found = self.unannounced.entry(turn.clone()).or_insert(Unannounced { oldest, is_of_agent });
            *found = Unannounced { oldest, is_of_agent: found.is_of_agent || is_of_agent };
        }
        if kind.is_some() && is_of_agent {
            self.newer.insert(session(event), turn);
        }
        self.is_prompt.push(is_prompt);
        self.prompts += usize::from(is_prompt);
    }

    /// Whether older events cannot change which are the newest `number` prompts.
    pub fn has_found(&self, number: usize) -> bool {
        self.prompts >= number && !self.unannounced.values().any(|found| found.is_of_agent)
    }

    /// Whether each event begins a prompt, in the order in which they were added.
    pub fn finish(self) -> Vec<bool> {
        let mut begins = self.is_prompt;
        for found in self.unannounced.into_values() {
            begins[found.oldest] |= found.is_of_agent;
        }
        begins
    }
}

#[cfg(test)]
mod tests {
    use EventKind::{Prompt, Step, Stop};

    use super::*;
    use crate::id::{CommitId, OperationId};
    use crate::object::Extras;
    use crate::time::Timestamp;

    /// Kind, session, subagent and prompt of events, in the order of time.
    type Events<'t> = &'t [(EventKind, &'t str, &'t str, &'t str)];

    fn search(events: Events<'_>) -> PromptSearch {
        let mut search = PromptSearch::default();
        for (kind, session, subagent, turn) in events.iter().rev() {
            let mut extras = Extras::default();
            let fields = [(agent::SESSION, session), (agent::SUBAGENT, subagent), (agent::TURN, turn)];
            extras.set(agent::EVENT, kind.word());
            fields.iter().filter(|(_, value)| !value.is_empty()).for_each(|(key, value)| extras.set(key, **value));
            let (operation, commit) = (OperationId([0; 32]), CommitId([0; 32]));
            let time = Timestamp { seconds: 0, nanoseconds: 0 };
            search.add(&Event { operation, time, before: commit, commit, created: true, extras });
        }
        search
    }

    /// The indexes of the events that begin prompts.
    fn beginnings(events: Events<'_>) -> Vec<usize> {
        let begins = search(events).finish();
        begins.iter().rev().enumerate().filter(|(_, begins)| **begins).map(|(n, _)| n).collect()
    }

    #[test]
    fn prompts_begin_with_their_announcement() {
        let named = [(Prompt, "a", "", "1"), (Step, "a", "", "1"), (Stop, "a", "", "1"), (Prompt, "a", "", "2")];
        assert_eq!(beginnings(&named), [0, 3]);
        let unnamed = [(Step, "a", "", ""), (Prompt, "a", "", ""), (Step, "a", "", ""), (Stop, "a", "", "")];
        assert_eq!(beginnings(&unnamed), [1]);
        let in_the_background = [
            (Prompt, "a", "", "1"),
            (Step, "a", "", "1"),
            (Prompt, "a", "", "2"),
            (Step, "a", "x", "1"),
            (Step, "a", "", "2"),
            (Step, "a", "", "1"),
        ];
        assert_eq!(beginnings(&in_the_background), [0, 2]);
    }

    #[test]
    fn a_prompt_without_announcement_begins_with_its_first_event() {
        let (prompt, stop) = ((Prompt, "a", "", "1"), (Stop, "a", "", "1"));
        assert_eq!(beginnings(&[prompt, stop, (Step, "a", "", "2"), (Step, "a", "", "2")]), [0, 2]);
        assert_eq!(beginnings(&[prompt, stop, (Step, "a", "x", "2"), (Step, "a", "", "2")]), [0, 2], "of a subagent");
        assert_eq!(beginnings(&[prompt, stop, (Stop, "a", "", "2")]), [0, 2], "without steps");
        assert_eq!(beginnings(&[prompt, (Step, "b", "", "1")]), [0, 1], "of another session");
        assert_eq!(beginnings(&[(Step, "a", "", "1"), (Prompt, "a", "", "1"), (Step, "a", "", "1")]), [0, 1]);
    }

    #[test]
    fn turns_of_subagents_are_not_prompts() {
        let events = [(Prompt, "a", "", "1"), (Step, "a", "x", "7"), (Stop, "a", "x", "7"), (Step, "a", "", "1")];
        assert_eq!(beginnings(&events), [0]);
    }

    #[test]
    fn an_event_after_an_announcement_belongs_to_it_whatever_it_is_named() {
        let events = [
            (Prompt, "a", "", ""),
            (Step, "a", "", "1"),
            (Step, "a", "", "1"),
            (Prompt, "a", "", "1"),
            (Step, "b", "", "9"),
            (Step, "a", "", "2"),
        ];
        assert_eq!(beginnings(&events), [0, 3, 4]);
    }

    #[test]
    fn the_search_ends_when_older_events_cannot_matter() {
        let step = (Step, "a", "", "2");
        assert!(!search(&[step]).has_found(1), "its prompt may follow");
        assert!(search(&[(Prompt, "a", "", "2"), step]).has_found(1));
        assert!(!search(&[(Prompt, "a", "", "2"), step]).has_found(2));
        assert!(!search(&[(Prompt, "a", "", "1"), (Stop, "a", "", "1"), step]).has_found(1));
        assert!(search(&[(Step, "a", "x", "7"), (Prompt, "a", "", "2")]).has_found(1));
    }
}
