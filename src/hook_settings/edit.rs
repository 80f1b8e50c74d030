//! Adds hooks to the text of settings, finds them and removes them. Everything else in the text stays as it is.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Map, Value as Json};

use super::json_text::{Kind, Value, append, cut};
use super::{Hook, HookSet, TIMEOUT, hooks, program_of};
use crate::coding_agent::CodingAgent;

/// The member of the settings that has the hooks.
const HOOKS: &str = "hooks";

/// Why settings are not edited.
#[derive(Debug)]
pub enum Uneditable {
    /// Not JSON: comments, a comma at the end of a list, or a mistake.
    NotJson(serde_json::Error),
    /// The value at this path is not an object or an array, as it must be.
    Unexpected(String),
}

impl fmt::Display for Uneditable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Uneditable::NotJson(error) => write!(f, "it has comments or is not valid JSON: {error}"),
            Uneditable::Unexpected(path) if path.is_empty() => f.write_str("it is not a JSON object"),
            Uneditable::Unexpected(path) => write!(f, "`{path}` does not have the documented form"),
        }
    }
}

/// A hook of `undo` in settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundHook {
    /// Event, as the agent names it.
    pub event: String,
    /// Index of the group in the list of the event, and of the handler in the group.
    pub place: (usize, usize),
    /// The command.
    pub command: String,
    /// The program that the command runs.
    pub program: PathBuf,
    /// Regular expression for the name of the tool.
    pub matcher: Option<String>,
    /// Seconds.
    pub timeout: Option<u64>,
    is_alone: bool,
}

impl FoundHook {
    /// Whether both are the same hook, wherever they are in their lists.
    pub fn is_equal(&self, other: &FoundHook) -> bool {
        let FoundHook { event, command, matcher, timeout, .. } = self;
        (event, command, matcher, timeout) == (&other.event, &other.command, &other.matcher, &other.timeout)
    }

    /// Whether the hook has the documented event, matcher and timeout. The program can be another one.
    pub fn is_current(&self, agent: CodingAgent) -> bool {
        let hook = hooks(agent).into_iter().find(|hook| hook.event == self.event);
        hook.is_some_and(|hook| self.matcher.as_deref() == hook.matcher)
            && self.timeout == Some(TIMEOUT)
            && HookSet::new(agent, &self.program).is_ok_and(|set| set.command == self.command)
    }
}

/// Adds the hooks that are missing, and replaces those that differ. Returns the text unchanged if there are none of either.
pub fn add(text: &str, set: &HookSet) -> Result<String, Uneditable> {
    let mut text = if text.trim().is_empty() { "{}\n".to_owned() } else { text.to_owned() };
    let wanted = hooks(set.agent);
    for event in find(&text, set.agent)?.iter().map(|found| &found.event) {
        if !wanted.iter().any(|hook| hook.event == event) {
            text = remove_from(&text, set.agent, Some(event))?;
        }
    }
    for hook in wanted {
        let found = find(&text, set.agent)?;
        let of_event: Vec<&FoundHook> = found.iter().filter(|found| found.event == hook.event).collect();
        let is_wanted = |one: &FoundHook| one.is_current(set.agent) && one.command == set.command && one.is_alone;
        if of_event.len() != 1 || !is_wanted(of_event[0]) {
            text = add_one(&remove_from(&text, set.agent, Some(hook.event))?, set, hook)?;
        }
    }
    Ok(text)
}

/// Adds a hook at the end of the list of its event, since Codex trusts the other hooks of the list by their positions.
fn add_one(text: &str, set: &HookSet, hook: Hook) -> Result<String, Uneditable> {
    let root = parse(text)?;
    let Some(events) = root.get(HOOKS) else {
        return add_one(&append(text, &root, &root, Some(HOOKS), &Map::new()), set, hook);
    };
    let Some(groups) = events.get(hook.event) else {
        return add_one(&append(text, &root, events, Some(hook.event), &Vec::<Json>::new()), set, hook);
    };
    Ok(append(text, &root, groups, None, &set.group(hook)))
}

/// Removes all hooks of `undo`, and the lists that are empty afterwards.
pub fn remove(text: &str, agent: CodingAgent) -> Result<String, Uneditable> {
    remove_from(text, agent, None)
}

fn remove_from(text: &str, agent: CodingAgent, event: Option<&str>) -> Result<String, Uneditable> {
    let mut text = text.to_owned();
    loop {
        let found = find(&text, agent)?;
        let Some(found) = found.into_iter().find(|found| event.is_none_or(|event| event == found.event)) else {
            return Ok(text);
        };
        text = remove_one(&text, &found)?;
    }
}

/// Removes a hook, or the outermost list that has nothing else.
fn remove_one(text: &str, found: &FoundHook) -> Result<String, Uneditable> {
    let root = parse(text)?;
    let (group, handler) = found.place;
    let events = root.get(HOOKS);
    let groups = events.and_then(|events| events.get(&found.event));
    let handlers = groups.and_then(|groups| groups.elements()[group].get(HOOKS));
    let (Some(events), Some(groups), Some(handlers)) = (events, groups, handlers) else { return Ok(text.to_owned()) };
    Ok(if handlers.elements().len() > 1 {
        cut(text, handlers, handler)
    } else if groups.elements().len() > 1 {
        cut(text, groups, group)
    } else if events.children().len() > 1 {
        cut(text, events, index_of(events, &found.event))
    } else {
        cut(text, &root, index_of(&root, HOOKS))
    })
}

/// Index of the member whose value [`Value::get`] returns.
fn index_of(object: &Value, key: &str) -> usize {
    let Kind::Object(members) = &object.kind else { return 0 };
    members.iter().rposition(|member| member.key == key).unwrap_or(0)
}

/// Finds the hooks of `undo`. Settings without any text have none.
pub fn find(text: &str, agent: CodingAgent) -> Result<Vec<FoundHook>, Uneditable> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let root = parse(text)?;
    let mut found = Vec::new();
    let Some(Value { kind: Kind::Object(events), .. }) = root.get(HOOKS) else { return Ok(found) };
    for (index, event) in events.iter().enumerate() {
        // Of equal keys, only the last one counts.
        if events[index + 1..].iter().any(|later| later.key == event.key) {
            continue;
        }
        for (group_index, group) in event.value.elements().iter().enumerate() {
            let handlers = group.get(HOOKS).map_or(&[][..], Value::elements);
            for (index, handler) in handlers.iter().enumerate() {
                let string = |value: &Value, key| value.get(key).and_then(|value| value.as_string(text));
                let Some(command) = string(handler, "command") else { continue };
                let Some(program) = program_of(&command, agent) else { continue };
                let timeout = handler.get("timeout").and_then(|value| text[value.span.clone()].parse().ok());
                found.push(FoundHook {
                    event: event.key.clone(),
                    place: (group_index, index),
                    command,
                    program,
                    matcher: string(group, "matcher"),
                    timeout,
                    is_alone: handlers.len() == 1,
                });
            }
        }
    }
    Ok(found)
}

/// Parses settings, and checks the form of the lists that hooks are added to.
fn parse(text: &str) -> Result<Value, Uneditable> {
    let root = Value::parse(text).map_err(Uneditable::NotJson)?;
    let Kind::Object(_) = root.kind else { return Err(Uneditable::Unexpected(String::new())) };
    let Some(events) = root.get(HOOKS) else { return Ok(root) };
    let Kind::Object(members) = &events.kind else { return Err(Uneditable::Unexpected(HOOKS.to_owned())) };
    match members.iter().find(|member| !matches!(member.value.kind, Kind::Array(_))) {
        Some(member) => Err(Uneditable::Unexpected(format!("{HOOKS}.{}", member.key))),
        None => Ok(root),
    }
}
