//! `undo agent log`: lists the prompts and steps of coding agents.

use std::collections::HashMap;

use crate::agent::{self, EventKind};
use crate::commands::Context;
use crate::error::Result;
use crate::report::agent::{StepRecord, StepSummary};
use crate::terminal::text::{SessionHeader, StepLine};
use crate::workspace::AgentStep;

/// List the prompts and steps of coding agents, and what each changed
///
/// Sessions, prompts and steps are listed newest first. Each line shows the commit with the state before the step, and the number of
/// paths added, modified and deleted until the next recorded state. This includes changes that parallel steps, subagents and other
/// programs made in that time.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo agent log
  undo agent log -n 1         only the most recent session
  undo checkout @{prompt}     restore the state before the last prompt
  undo checkout @{step}       restore the state before the last step")]
pub struct Args {
    /// Show at most N sessions
    #[arg(short = 'n', long = "max-count", value_name = "N")]
    limit: Option<usize>,
}

pub fn run(context: &Context<'_>, args: &Args) -> Result<()> {
    context.check_no_null("undo agent log --json")?;
    let workspace = context.workspace()?;
    let steps = workspace.agent_steps()?;
    let mut sessions = by_session(&steps);
    let is_empty = sessions.is_empty();
    sessions.truncate(args.limit.unwrap_or(usize::MAX));
    context.ui.page_long_output();
    let mut comparison = workspace.compare_steps(context.ui.progress());
    let mut summary = StepSummary { sessions: sessions.len() as u64, ..StepSummary::default() };
    let (mut has_gap, mut has_mixed, mut has_late) = (false, false, false);
    for session in sessions {
        let count = |kind| session.iter().filter(|step| step.kind == kind).count() as u64;
        let (prompts, steps) = (count(EventKind::Prompt), count(EventKind::Step));
        (summary.prompts, summary.steps) = (summary.prompts + prompts, summary.steps + steps);
        let mut header = Some(SessionHeader { has_gap, prompts, steps });
        for step in by_prompt(&session) {
            let record = StepRecord::new(step, comparison.changes(step)?);
            context.ui.show(&StepLine { record, header: header.take() })?;
            has_mixed |= step.is_mixed;
            has_late |= step.is_late;
        }
        has_gap = true;
    }
    context.ui.show(&summary)?;
    if is_empty {
        context.ui.status("no agent event is recorded in this directory");
        context.ui.hint("to record before each step of an agent: undo agent install claude");
    } else if summary.prompts > 0 {
        context.ui.hint("to see what changed since the last prompt: undo diff --stat @{prompt}");
    } else if summary.steps > 0 {
        context.ui.hint("to see what changed since the last step: undo diff --stat @{step}");
    }
    if has_mixed {
        context.ui.status(
            "note: (mixed) marks steps during which another agent or subagent worked here; the changes may be theirs",
        );
    }
    if has_late {
        context.ui.status(
            "note: (late) marks a prompt whose own event was not recorded; it starts at its first recorded event",
        );
    }
    Ok(())
}

/// The events of each session, sessions with the newest event first.
fn by_session(steps: &[AgentStep]) -> Vec<Vec<&AgentStep>> {
    let key = |step: &AgentStep| [step.field(agent::NAME), step.field(agent::SESSION)];
    let mut sessions: Vec<Vec<&AgentStep>> = Vec::new();
    let mut places = HashMap::new();
    for step in steps {
        let place = *places.entry(key(step)).or_insert(sessions.len());
        if place == sessions.len() {
            sessions.push(Vec::new());
        }
        sessions[place].push(step);
    }
    sessions
}

/// The events of a session, with each prompt before its steps.
fn by_prompt<'s>(session: &[&'s AgentStep]) -> Vec<&'s AgentStep> {
    let mut ordered = session.to_vec();
    // What belongs to no prompt is older than all prompts of the session.
    ordered.sort_by_key(|step| (step.prompt.unwrap_or(usize::MAX), step.kind != EventKind::Prompt));
    ordered
}
