//! `undo agent hook`: records an event that a coding agent announces.

use std::io::BufReader;

use crate::agent::{Answer, EventKind, HookEvent, Payload};
use crate::coding_agent::CodingAgent;
use crate::commands::agent::agent_name;
use crate::commands::{Context, background};
use crate::error::{Error, ErrorKind, Result};
use crate::fs;
use crate::number::and_more;
use crate::object::commit::unread;
use crate::path::{RepoPath, RepoPathBuf};
use crate::quote::visible;
use crate::report::alarms::AlarmRecord;
use crate::snapshot::Outcome;
use crate::terminal::text::describe_alarm;
use crate::workspace::agent_hook::{HookOutcome, HookSettings, record_event};
use crate::workspace::{AutomaticOutcome, Deadline};

/// Record an event that a coding agent announces
///
/// The hooks that `undo agent install` adds to the settings of an agent run this command. It reads the event from stdin and prints the
/// answer, both as JSON in the agent's protocol. It exits with status 0 whatever happens, so that the agent continues.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Agent that announces the event
    #[arg(value_name = "AGENT", value_parser = agent_name())]
    agent: CodingAgent,
}

/// Ends a message about the deadline.
const MORE_TIME: &str = "; to allow more time: undo config --global agent.deadline 20s";

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    let settings = HookSettings::read(&context.environment);
    // Half of the time, so that the directory can be recorded even if the agent does not end its input.
    let input = fs::TimedStdin::until(Deadline::after(settings.deadline.remaining() / 2));
    let payload = Payload::read(BufReader::with_capacity(64 << 10, input));
    let answer = match HookEvent::new(args.agent.word(), payload, &context.cwd) {
        Some(event) => answer(context, &settings, &event),
        None => Answer::default(),
    };
    let mut line = serde_json::to_vec(&answer).unwrap_or_else(|_| b"{}".to_vec());
    line.push(b'\n');
    context.ui.bytes(&line)
}

/// Records the event, and says what the user must know.
fn answer(context: &Context<'_>, settings: &HookSettings, event: &HookEvent) -> Answer {
    let (cwd, environment) = (&context.cwd, &context.environment);
    let recorded = record_event(event, settings, cwd, environment, context.ui.progress());
    let (outcomes, blocks_tool) = (&recorded.directories, settings.blocks_tool(event, &recorded));
    let mut messages: Vec<String> = recorded.deleted_stores.iter().map(Error::to_string).collect();
    messages.extend(outcomes.iter().filter_map(|outcome| describe(event.kind, blocks_tool, outcome)));
    messages.extend(
        recorded
            .search_error
            .iter()
            .map(|error| format!("{error}; other directories that this command names may not be recorded{MORE_TIME}")),
    );
    if !outcomes.is_empty() {
        messages.extend(settings.problems.iter().map(Error::to_string));
        let problem = event.problem();
        let recorded = if outcomes.iter().any(|outcome| matches!(outcome.result, Ok(AutomaticOutcome::Recorded(_)))) {
            "; the directory was recorded anyway"
        } else {
            ""
        };
        messages.extend(problem.map(|problem| format!("cannot read the hook's input: {problem}{recorded}")));
    }
    if event.kind == EventKind::Stop {
        outcomes.iter().filter_map(|outcome| outcome.workspace.as_ref()).for_each(background::start_if_needed);
    }
    if blocks_tool { Answer::denying_tool(&messages) } else { Answer::with_messages(&messages) }
}

/// What the user must know about one directory.
fn describe(kind: EventKind, blocks_tool: bool, outcome: &HookOutcome) -> Option<String> {
    let worktree = outcome.worktree.display();
    let error = match &outcome.result {
        // Said once for each prompt.
        Ok(AutomaticOutcome::RunIsRunning(_)) if kind != EventKind::Prompt && !blocks_tool => return None,
        Ok(AutomaticOutcome::RunIsRunning(error)) => {
            return Some(format!("`{worktree}` is not recorded: {error}; undoing that run undoes all of it"));
        }
        Ok(AutomaticOutcome::Recorded(recorded)) => {
            let texts: Vec<String> = describe_mounts(&outcome.mounts)
                .into_iter()
                .chain(describe_recorded(kind, blocks_tool, recorded))
                .collect();
            return (!texts.is_empty()).then(|| format!("`{worktree}`: {}", texts.join("; ")));
        }
        // The user was asked before. An agent whose tool is blocked must know the reason each time.
        Ok(AutomaticOutcome::Undecided(_)) if !blocks_tool => return None,
        Ok(AutomaticOutcome::Undecided(error)) | Err(error) => error,
    };
    let subject = match error.kind() {
        // The message says that nothing was recorded.
        ErrorKind::NotInTime => format!("`{worktree}`"),
        _ => format!("`{worktree}` was not recorded"),
    };
    let continues = kind != EventKind::Stop && !blocks_tool;
    let consequence = if continues { "; changes made now cannot be undone" } else { "" };
    let mut hint = error.hint_text().map_or_else(String::new, |hint| format!("; {hint}"));
    if error.kind() == ErrorKind::NotInTime {
        hint.push_str(MORE_TIME);
    }
    Some(format!("{subject}: {error}{consequence}{hint}"))
}

fn describe_mounts(mounts: &[RepoPathBuf]) -> Option<String> {
    let first = visible(mounts.first()?.as_bytes());
    Some(format!("{first}{} is a mount and was not recorded; changes in it cannot be undone", and_more(mounts.len())))
}

/// Signs of an accident in the changes since the last event, and files that are not recorded completely.
fn describe_recorded(kind: EventKind, blocks_tool: bool, recorded: &Outcome) -> Option<String> {
    let alarm = recorded.findings.alarms.first().filter(|_| recorded.created);
    let alarm = alarm.map(|alarm| {
        format!("{}; to see which step changed them: undo agent log", describe_alarm(&AlarmRecord::from(alarm)))
    });
    // In strict mode, what an earlier commit lacks counts as well.
    let is_new = recorded.created || kind == EventKind::Prompt || blocks_tool;
    let incomplete = is_new.then(|| describe_incomplete(blocks_tool, recorded)).flatten();
    let texts: Vec<String> = alarm.into_iter().chain(incomplete).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// The files that are not recorded completely, and what to do about them.
fn describe_incomplete(blocks_tool: bool, recorded: &Outcome) -> Option<String> {
    let unread: Vec<&RepoPath> = unread(&recorded.uncovered).map(|path| &**path).collect();
    let torn: Vec<&RepoPath> = recorded.torn.iter().map(|path| &**path).collect();
    let without_attributes: Vec<&RepoPath> = recorded.without_attributes.iter().map(|path| &**path).collect();
    let describe = |paths: &[&RepoPath], problem: &str| {
        let first = paths.first()?;
        Some(format!("{}{} {problem}", visible(first.as_bytes()), and_more(paths.len())))
    };
    let texts = [
        describe(&unread, "cannot be read, so changes there cannot be undone"),
        describe(&torn, "changed while being read, so the recorded content may mix two states"),
        describe(&without_attributes, "was recorded without its extended attributes"),
    ];
    let texts: Vec<String> = texts.into_iter().flatten().collect();
    let remedy = match blocks_tool {
        true => "ask the user to correct this, or to add the path to `.undoignore`",
        false => "to leave a path out, add it to `.undoignore`",
    };
    (!texts.is_empty()).then(|| format!("{}; {remedy}", texts.join("; ")))
}
