//! Events that agents announce: their kinds, descriptions and paths.

use std::path::{Path, PathBuf};

use super::keys;
use super::payload::Payload;
use crate::number::and_more;
use crate::object::Extras;
use crate::quote::one_line;

/// Maximum length of a command in the extras, in bytes.
pub const COMMAND_LENGTH: usize = 1 << 10;

/// Maximum length of a prompt in the extras, in bytes.
const PROMPT_LENGTH: usize = 4 << 10;

/// Maximum length of other texts in the extras, in bytes.
const NAME_LENGTH: usize = 256;

/// Maximum length of a command in a message, in bytes.
const SHORT: usize = 100;

/// Tools that change only the files that they name.
const EDITORS: [&str; 4] = ["Edit", "MultiEdit", "Write", "NotebookEdit"];

/// The tool whose input is a patch.
const PATCH_TOOL: &str = "apply_patch";

/// The tool whose command is a line of a POSIX shell.
const SHELL_TOOL: &[u8] = b"Bash";

/// Lines of a patch that name a file.
const PATCH_HEADERS: [&str; 4] = ["*** Add File: ", "*** Update File: ", "*** Delete File: ", "*** Move to: "];

/// Kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The user sent a prompt.
    Prompt,
    /// The agent is about to run a tool.
    Step,
    /// The agent stopped.
    Stop,
    /// Not known, because the payload could not be read.
    Unreadable,
}

/// An event that an agent announces.
#[derive(Clone, Debug)]
pub struct HookEvent {
    /// Kind of the event.
    pub kind: EventKind,
    /// Working directory of the agent. This and the following paths are absolute.
    pub directory: PathBuf,
    /// Directory in which the tool runs its command.
    pub command_directory: PathBuf,
    /// Paths that the tool names.
    pub paths: Vec<PathBuf>,
    agent: String,
    payload: Payload,
}

impl EventKind {
    /// `prompt`, `step`, `stop` or `unreadable`.
    pub fn word(self) -> &'static str {
        match self {
            EventKind::Prompt => "prompt",
            EventKind::Step => "step",
            EventKind::Stop => "stop",
            EventKind::Unreadable => "unreadable",
        }
    }

    /// The kind of a word.
    pub fn from_word(word: &str) -> Option<EventKind> {
        let all = [EventKind::Prompt, EventKind::Step, EventKind::Stop, EventKind::Unreadable];
        all.into_iter().find(|kind| kind.word() == word)
    }

    /// The kind with this name in a hook protocol, in any of the usual spellings. `None` for an event that needs no commit.
    fn of_protocol(name: &str) -> Option<EventKind> {
        let letters: String = name.chars().filter(|letter| letter.is_alphanumeric()).collect();
        match letters.to_ascii_lowercase().as_str() {
            "userpromptsubmit" => Some(EventKind::Prompt),
            "pretooluse" => Some(EventKind::Step),
            "stop" | "subagentstop" | "stopfailure" | "interrupt" | "sessionend" => Some(EventKind::Stop),
            _ => None,
        }
    }
}

impl HookEvent {
    /// The event of a payload. `None` if nothing needs to be recorded: the payload is complete, and its event is not known.
    /// `hook_directory` is the working directory of the hook, which is that of an agent that does not say its own.
    pub fn new(agent: &str, payload: Payload, hook_directory: &Path) -> Option<HookEvent> {
        let kind = match &payload.event {
            Some(name) => EventKind::of_protocol(name)?,
            None if payload.problem.is_some() => EventKind::Unreadable,
            None => return None,
        };
        // Joining an empty path would append a slash.
        let joined = |base: &Path, path: &Option<String>| path.as_ref().map_or(base.to_owned(), |path| base.join(path));
        let directory = joined(hook_directory, &payload.directory);
        let command_directory = joined(&directory, &payload.command_directory);
        let mut paths: Vec<PathBuf> = payload.paths.iter().map(|path| directory.join(path)).collect();
        if payload.tool.as_deref() == Some(PATCH_TOOL) {
            paths
                .extend(payload.command.iter().flat_map(|patch| patched_paths(patch)).map(|path| directory.join(path)));
        }
        Some(HookEvent { kind, directory, command_directory, paths, agent: agent.to_owned(), payload })
    }

    /// Why the payload could not be read to its end.
    pub fn problem(&self) -> Option<&str> {
        self.payload.problem.as_deref()
    }

    /// Whether the text of the working directory cannot be its exact path: agents replace bytes that are not UTF-8 by U+FFFD.
    pub fn has_inexact_directory(&self) -> bool {
        self.payload.directory.as_ref().is_some_and(|directory| directory.contains(char::REPLACEMENT_CHARACTER))
    }

    /// The event of an agent whose working directory is this one. It replaces the announced one, also in other paths.
    pub fn in_directory(&self, directory: &Path) -> HookEvent {
        let moved =
            |path: &PathBuf| path.strip_prefix(&self.directory).map_or(path.clone(), |rest| directory.join(rest));
        HookEvent {
            directory: directory.to_owned(),
            command_directory: moved(&self.command_directory),
            paths: self.paths.iter().map(moved).collect(),
            ..self.clone()
        }
    }

    /// Whether the tool changes only the files that it names.
    pub fn edits_only_paths(&self) -> bool {
        self.payload.tool.as_deref().is_some_and(|tool| EDITORS.contains(&tool))
    }

    /// The command line that the tool runs in a shell.
    pub fn shell_command(&self) -> Option<&str> {
        let is_shell = self.kind == EventKind::Step && self.payload.tool.as_deref() != Some(PATCH_TOOL);
        self.payload.command.as_deref().filter(|_| is_shell)
    }

    /// The command of the tool, or the paths that it edits, relative to `worktree` where they lie in it.
    fn command(&self, worktree: &Path) -> Option<String> {
        let tool = self.payload.tool.as_deref()?;
        if tool != PATCH_TOOL && !self.edits_only_paths() {
            return self.payload.command.clone();
        }
        let first = self.paths.first()?;
        let first = first.strip_prefix(worktree).unwrap_or(first).display().to_string();
        Some(format!("{first}{}", and_more(self.paths.len())))
    }

    /// The message of a commit before the event: `before Bash: rm -rf data`.
    pub fn message(&self, worktree: &Path) -> String {
        match (self.kind, &self.payload.tool) {
            (EventKind::Prompt, _) => "before prompt".to_owned(),
            (EventKind::Stop, _) if self.payload.subagent.is_some() => "stop of a subagent".to_owned(),
            (EventKind::Stop, _) => "stop".to_owned(),
            (EventKind::Unreadable, _) => "before an unreadable event".to_owned(),
            (EventKind::Step, None) => "before a tool".to_owned(),
            (EventKind::Step, Some(tool)) => {
                let command = self.command(worktree);
                let tool = one_line(tool, SHORT);
                let command = command.map(|command| format!(": {}", one_line(&command, SHORT)));
                format!("before {tool}{}", command.unwrap_or_default())
            }
        }
    }

    /// The fields of the event. `with_prompt` says whether the text of the prompt is among them.
    pub fn extras(&self, worktree: &Path, with_prompt: bool) -> Extras {
        let Payload { session, turn, subagent, tool, call, prompt, .. } = &self.payload;
        let command = self.command(worktree);
        let fields = [
            (keys::NAME, Some(&self.agent), NAME_LENGTH),
            (keys::SESSION, session.as_ref(), NAME_LENGTH),
            (keys::TURN, turn.as_ref(), NAME_LENGTH),
            (keys::SUBAGENT, subagent.as_ref(), NAME_LENGTH),
            (keys::TOOL, tool.as_ref(), NAME_LENGTH),
            (keys::CALL, call.as_ref(), NAME_LENGTH),
            (keys::COMMAND, command.as_ref(), COMMAND_LENGTH),
            (keys::PROMPT, prompt.as_ref().filter(|_| with_prompt), PROMPT_LENGTH),
        ];
        let mut extras = Extras::default();
        extras.set(keys::EVENT, self.kind.word());
        for (key, value, length) in fields {
            if let Some(value) = value {
                extras.set(key, &value[..value.floor_char_boundary(length)]);
            }
        }
        extras
    }
}

/// Whether the command of a tool is a line of a POSIX shell.
pub fn is_shell(tool: &[u8]) -> bool {
    tool == SHELL_TOOL
}

/// The files that a patch names.
fn patched_paths(patch: &str) -> impl Iterator<Item = String> {
    patch
        .lines()
        .filter_map(|line| PATCH_HEADERS.iter().find_map(|header| line.strip_prefix(header)))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests;
