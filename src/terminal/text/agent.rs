//! Steps of coding agents, by session and prompt.

use std::io;

use serde::Serialize;

use crate::object::commit::Counts;
use crate::report::agent::{StepRecord, StepSummary};
use crate::terminal::human::{Count, plural};
use crate::terminal::sanitize::line as safe;
use crate::terminal::{Page, Print, Role};

/// Maximum length of a command or a prompt in a line, in characters.
const SHORT: usize = 60;

/// Number of characters of a session's id.
const SESSION: usize = 8;

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
            if header.has_gap {
                page.line("")?;
            }
            let name = safe(&format!("{} {}", record.agent, start(&record.session, SESSION)));
            let (prompts, steps) = (plural(header.prompts, "prompt"), plural(header.steps, "step"));
            page.line(format_args!("{}  {prompts}, {steps}", page.paint(Role::Heading, name.trim_end())))?;
        }
        if record.event == "stop" && record.changes == Some(Counts::default()) {
            return Ok(());
        }
        let changes = changes(record.changes, page);
        let (id, time) = (page.paint(Role::Id, record.id.short()), page.time(record.time));
        let mut line = match record.event {
            "prompt" => {
                let number = record.prompt.filter(|number| *number > 1).map_or_else(String::new, |n| format!(" {n}"));
                let revision = page.paint(Role::Tag, format!("@{{prompt{number}}}")).to_string();
                with_text(format!("  {revision}  {id}  {time}  {changes}"), &record.text)
            }
            "step" => with_text(format!("    {id}  {}", safe(&record.tool)), &record.command) + "  " + &changes,
            "stop" => format!("    {id}  after the stop  {changes}"),
            event => format!("    {id}  {event} event  {changes}"),
        };
        if !record.subagent.is_empty() {
            line += &page.paint(Role::Dim, safe(&format!("  (subagent {})", record.subagent))).to_string();
        }
        if record.mixed {
            line += &page.paint(Role::Dim, "  (mixed)").to_string();
        }
        for alarm in &record.alarms {
            let text = safe(&format!("  ({}: {} of {} files)", alarm.kind, Count(alarm.count), Count(alarm.of)));
            line += &page.paint(Role::Warning, text).to_string();
        }
        page.line(line)
    }
}

/// Appends a command or a prompt, shortened to one line.
fn with_text(line: String, text: &str) -> String {
    match start(text.lines().next().unwrap_or_default(), SHORT) {
        "" => line,
        short if short.len() < text.len() => format!("{line}  {}…", safe(short)),
        short => format!("{line}  {}", safe(short)),
    }
}

/// The first characters of a text.
fn start(text: &str, length: usize) -> &str {
    text.char_indices().nth(length).map_or(text, |(end, _)| &text[..end])
}

/// `+3 ~1 -2`
fn changes(counts: Option<Counts>, page: &Page<'_>) -> String {
    let Some(counts) = counts else { return page.paint(Role::Dim, "(forgotten)").to_string() };
    format!(
        "{} {} {}",
        page.paint(Role::Added, format!("+{}", Count(counts.added))),
        page.paint(Role::Modified, format!("~{}", Count(counts.modified))),
        page.paint(Role::Removed, format!("-{}", Count(counts.deleted))),
    )
}
