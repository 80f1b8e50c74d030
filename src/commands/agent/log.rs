//! `undo agent log`: lists the steps of agents.

use crate::commands::Context;
use crate::error::Result;
use crate::report::agent::{StepRecord, StepSummary};
use crate::terminal::text::{SessionHeader, StepLine};

/// List the steps of agents by session and prompt, and what each changed
///
/// Sessions, prompts and steps are listed newest first. Each line has the commit of the directory before the step, and what changed
/// until the next recorded state: changes of parallel steps, of subagents and of other programs in that time count too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  undo agent log
  undo checkout @{prompt}     as before the last prompt
  undo checkout @{step}       as before the last step")]
pub struct Args {}

pub fn run(context: &Context<'_>, _: &Args) -> Result<()> {
    context.check_no_null("undo agent log --json")?;
    let workspace = context.workspace()?;
    let records: Vec<StepRecord> = workspace.agent_steps(context.ui.progress())?.iter().map(StepRecord::from).collect();
    context.ui.page_long_output();
    let sessions = by_session(&records);
    let mut summary = StepSummary { sessions: sessions.len() as u64, ..StepSummary::default() };
    let mut has_gap = false;
    for events in sessions {
        let count = |kind| events.iter().filter(|record| record.event == kind).count() as u64;
        let (prompts, steps) = (count("prompt"), count("step"));
        (summary.prompts, summary.steps) = (summary.prompts + prompts, summary.steps + steps);
        let mut header = Some(SessionHeader { has_gap, prompts, steps });
        for record in by_prompt(&events) {
            context.ui.show(&StepLine { record: record.clone(), header: header.take() })?;
        }
        has_gap = true;
    }
    context.ui.show(&summary)?;
    match summary.sessions {
        0 => {
            context.ui.status("no event of an agent is recorded in this directory");
            context.ui.hint("to record before each step of an agent: undo agent install claude");
        }
        _ if summary.prompts > 0 => {
            context.ui.hint("to see what changed since the last prompt: undo diff --stat @{prompt}");
        }
        _ => context.ui.hint("to see what changed since the last step: undo diff --stat @{step}"),
    }
    if records.iter().any(|record| record.mixed) {
        context.ui.status(
            "note: (mixed) marks a step during which another agent or subagent worked here; its changes may be of both",
        );
    }
    Ok(())
}

/// The events of each session, sessions with the newest event first.
fn by_session(records: &[StepRecord]) -> Vec<Vec<&StepRecord>> {
    let mut sessions: Vec<Vec<&StepRecord>> = Vec::new();
    for record in records {
        let is_same =
            |events: &&mut Vec<&StepRecord>| (&events[0].agent, &events[0].session) == (&record.agent, &record.session);
        match sessions.iter_mut().find(is_same) {
            Some(events) => events.push(record),
            None => sessions.push(vec![record]),
        }
    }
    sessions
}

/// The events of a session, with each prompt before its steps.
fn by_prompt<'r>(events: &[&'r StepRecord]) -> Vec<&'r StepRecord> {
    let mut ordered: Vec<&StepRecord> = Vec::new();
    for group in events.chunk_by(|newer, older| newer.prompt == older.prompt) {
        let is_prompt = |record: &&&StepRecord| record.event == "prompt";
        ordered.extend(group.iter().filter(is_prompt));
        ordered.extend(group.iter().filter(|record| !is_prompt(record)));
    }
    ordered
}
