//! Steps of coding agents, by session and prompt.

use std::io;

use serde::Serialize;

use crate::object::commit::Counts;
use crate::quote::one_line;
use crate::report::agent::{StepRecord, StepSummary};
use crate::terminal::human::{Count, plural};
use crate::terminal::sanitize::line as safe;
use crate::terminal::table::{pad, shorten, width};
use crate::terminal::{Page, Print, Role};

use super::changes::change_counts;

/// Maximum length of a command or a prompt in a line, in bytes.
const LINE: usize = 200;

/// Minimum number of columns for a command or a prompt on a terminal.
const NARROW: usize = 16;

/// Number of characters of a session's id.
const SESSION: usize = 8;

/// Columns of an abbreviated id, of counts, of the name of a tool, and of a revision. Longer texts are rare.
const ID: usize = 8;
const COUNTS: usize = 11;
const TOOL: usize = 5;
const REVISION: usize = 11;

/// An event of an agent in the list.
#[derive(Serialize)]
#[serde(transparent)]
pub struct StepLine {
    /// The event.
    pub record: StepRecord,
    /// The line above it, if it is the first one of its session.
    #[serde(skip)]
    pub header: Option<SessionHeader>,
}

/// Begins the events of a session.
pub struct SessionHeader {
    /// Whether another session stands above.
    pub has_gap: bool,
    /// Number of prompts.
    pub prompts: u64,
    /// Number of steps.
    pub steps: u64,
}

impl Print for StepSummary {}

impl Print for StepLine {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let record = &self.record;
        if let Some(header) = &self.header {
            header.print(record, page)?;
        }
        match record.event {
            "stop" if record.changes == Some(Counts::default()) => Ok(()),
            "prompt" => print_prompt(record, page),
            _ => print_step(record, page),
        }
    }
}

impl SessionHeader {
    fn print(&self, first: &StepRecord, page: &mut Page<'_>) -> io::Result<()> {
        if self.has_gap {
            page.line("")?;
        }
        let session: String = first.session.chars().take(SESSION).collect();
        let name = safe(&format!("{} {session}", first.agent));
        let counts = [(self.prompts, "prompt"), (self.steps, "step")].into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, noun)| plural(count, noun)).collect();
        let counts = if counts.is_empty() { "no steps".to_owned() } else { counts.join(", ") };
        let name = page.paint(Role::Heading, name.trim_end());
        page.line(format_args!("{name}  {counts}"))
    }
}

fn print_prompt(record: &StepRecord, page: &mut Page<'_>) -> io::Result<()> {
    let number = record.prompt.filter(|number| *number > 1).map_or_else(String::new, |number| format!(" {number}"));
    let revision = page.paint(Role::Tag, pad(&format!("@{{prompt{number}}}"), REVISION));
    let (id, changes, time) = (page.paint(Role::Id, record.id.short()), changes(record, page), page.time(record.time));
    let notes = paint(&notes(record), page);
    page.line(format_args!("  {revision}  {id}  {changes}  {time}{notes}"))?;
    match fit(&record.text, "    > ".len(), page).as_str() {
        "" => Ok(()),
        text => page.line(format_args!("    > {text}")),
    }
}

fn print_step(record: &StepRecord, page: &mut Page<'_>) -> io::Result<()> {
    let notes = notes(record);
    let what = match record.event {
        "step" => {
            let tool = pad(&safe(&record.tool), TOOL);
            let others: usize = notes.iter().map(|(_, text)| width(text)).sum();
            let counts = record.changes.map_or(COUNTS, counts_width).max(COUNTS);
            let taken = "    ".len() + ID + counts + width(&tool) + 3 * "  ".len() + others;
            format!("{tool}  {}", fit(&record.command, taken, page))
        }
        "stop" => "after the agent stopped".to_owned(),
        event => format!("{event} event"),
    };
    let (id, changes) = (page.paint(Role::Id, record.id.short()), changes(record, page));
    page.line(format_args!("    {id}  {changes}  {}{}", what.trim_end(), paint(&notes, page)))
}

/// What follows an event in parentheses.
fn notes(record: &StepRecord) -> Vec<(Role, String)> {
    let mut notes = Vec::new();
    if record.late {
        notes.push((Role::Dim, "  (late)".to_owned()));
    }
    if !record.subagent.is_empty() {
        notes.push((Role::Dim, safe(&format!("  (subagent {})", record.subagent))));
    }
    if record.mixed {
        notes.push((Role::Dim, "  (mixed)".to_owned()));
    }
    for alarm in &record.alarms {
        let text = format!("  ({}: {} of {})", alarm.kind, Count(alarm.count), Count(alarm.of));
        notes.push((Role::Warning, safe(&text)));
    }
    notes
}

fn paint(notes: &[(Role, String)], page: &Page<'_>) -> String {
    notes.iter().map(|(role, text)| page.paint(*role, text).to_string()).collect()
}

/// A command or a prompt on one line. On a terminal, so short that the line fits beside `taken` columns.
fn fit(text: &str, taken: usize, page: &Page<'_>) -> String {
    let line = safe(&one_line(text, LINE));
    if page.is_terminal() { shorten(&line, page.columns().saturating_sub(taken).max(NARROW)) } else { line }
}

/// `+3 ~1 -2`, filled up with spaces.
fn changes(record: &StepRecord, page: &Page<'_>) -> String {
    let Some(counts) = record.changes else {
        // Of the two states, the later one may be the one that was forgotten.
        let word = if record.is_forgotten { "(forgotten)" } else { "(unknown)" };
        return page.paint(Role::Dim, pad(word, COUNTS)).to_string();
    };
    format!("{}{}", change_counts(counts, page), " ".repeat(COUNTS.saturating_sub(counts_width(counts))))
}

/// Number of columns of `+3 ~1 -2`.
fn counts_width(counts: Counts) -> usize {
    let digits = [counts.added, counts.modified, counts.deleted].map(|count| Count(count).to_string().len());
    digits.iter().sum::<usize>() + "+ ~ -".len()
}
