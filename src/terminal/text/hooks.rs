//! The hooks of coding agents.

use std::io;

use crate::report::hooks::{AgentRecord, EventRecord, SettingsChange, SettingsToAdd};
use crate::terminal::human::plural;
use crate::terminal::sanitize::{line as safe, text};
use crate::terminal::{Page, Print, Role};

impl Print for SettingsChange {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let path = text(&self.path);
        if self.diff.is_empty() {
            return page.line(match self.action {
                "added" => format!("{path} already has the hooks for {}", self.title),
                _ => format!("{path} has no undo hooks"),
            });
        }
        if self.dry_run {
            return self.diff.lines().try_for_each(|line| {
                let role = match line.as_bytes() {
                    [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Role::Heading,
                    [b'+', ..] => Role::Added,
                    [b'-', ..] => Role::Removed,
                    [b'@', ..] => Role::Hint,
                    _ => Role::Path,
                };
                let line = page.paint(role, text(line));
                page.line(line)
            });
        }
        let preposition = if self.action == "added" { "to" } else { "from" };
        page.line(format_args!("{} {} {preposition} {path}", self.action, plural(self.hooks, "hook")))?;
        match &self.copy {
            Some(copy) => page.line(format_args!("the previous settings are saved in {}", text(copy))),
            None => Ok(()),
        }
    }
}

impl Print for SettingsToAdd {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        self.text.lines().try_for_each(|line| page.line(text(line)))
    }
}

impl Print for AgentRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let title = page.paint(Role::Branch, self.title);
        let path = text(&self.path);
        match self.state {
            "installed" => page.line(format_args!("{title}  installed in {path}"))?,
            "incomplete" => page.line(format_args!("{title}  some hooks in {path} are missing or have changed"))?,
            "unreadable" => page.line(format_args!("{title}  unknown: {path} cannot be read"))?,
            _ => page.line(format_args!("{title}  not installed"))?,
        }
        for program in &self.programs {
            let state = if program.exists { "" } else { "  (does not exist)" };
            page.line(format_args!("  runs        {}{state}", text(&program.path)))?;
        }
        if let Some(trust) = self.trust {
            page.line(format_args!("  trust       {}", self.describe_trust(trust)))?;
        }
        match &self.last_event {
            Some(EventRecord { time, event, session, tool }) => {
                let tool = tool.as_ref().map_or_else(String::new, |tool| format!(" ({})", safe(tool)));
                let short = |session: &String| safe(&session.chars().take(8).collect::<String>()).to_string();
                let session =
                    session.as_ref().map_or_else(String::new, |session| format!(", session {}", short(session)));
                let age = page.age(*time);
                page.line(format_args!("  last event  {}{tool}, {age}{session}", safe(event)))
            }
            None if !self.programs.is_empty() => page.line("  last event  none in this directory"),
            None => Ok(()),
        }
    }
}

impl AgentRecord {
    fn describe_trust(&self, trust: &str) -> &'static str {
        match (self.agent, trust) {
            ("claude", "trusted") => "this directory is trusted",
            // Claude Code also runs hooks in sessions in which it does not ask.
            ("claude", _) if self.last_event.is_some() => "trusted: hooks have run in this directory",
            ("claude", "untrusted") => "this directory is not trusted yet: Claude Code asks when it starts here",
            ("codex", "trusted") => "the hooks are trusted",
            ("codex", "untrusted") => "the hooks are not trusted yet: to review them, start codex and type /hooks",
            ("codex", "disabled") => "a hook is turned off: to turn it on, start codex and type /hooks",
            ("codex", _) => "unknown: to check, start codex and type /hooks",
            _ => "unknown: Claude Code has not been started yet",
        }
    }
}
