//! The outcomes of `forget` and `recall`.

use std::io;

use crate::report::retention::{ForgetSummary, ForgottenLine, JudgedRecord, Recalled};
use crate::terminal::human::{Count, Size, plural};
use crate::terminal::sanitize::line as safe;
use crate::terminal::{Page, Print, Role};

impl Print for JudgedRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (word, role) = if self.kept { ("keep", Role::Added) } else { ("forget", Role::Removed) };
        let word = page.paint(role, format!("{word:<6}"));
        let (id, time) = (page.short(Some(self.id)), page.time(self.time));
        let mut text = String::new();
        if !self.reasons.is_empty() {
            text += &format!("  {}", page.paint(Role::Heading, safe(&self.reasons.join(", "))));
        }
        if !self.message.is_empty() {
            text += &format!("  {}", safe(&self.message));
        }
        if self.automatic {
            text += &page.paint(Role::Dim, " (automatic)").to_string();
        }
        page.line(format_args!("{word}  {id}  {time}{text}"))
    }
}

impl Print for ForgetSummary {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let commits = plural(self.forgotten, "commit");
        let kept = if self.named { String::new() } else { format!(", {} kept", Count(self.kept)) };
        match (self.forgotten, self.dry_run) {
            (0, _) => page.line(format_args!("nothing to forget{kept}")),
            (_, true) => {
                page.line(format_args!("{commits} would be forgotten{kept}"))?;
                match self.bytes {
                    Some(bytes) => {
                        page.line(format_args!("frees 0 B now, {} with `undo gc` after the grace period", Size(bytes)))
                    }
                    None => Ok(()),
                }
            }
            (_, false) => page.line(format_args!("{commits} forgotten{kept}")),
        }
    }
}

impl Print for ForgottenLine {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (id, time) = (page.short(Some(self.id)), page.time(self.time));
        let message = if self.message.is_empty() { String::new() } else { format!("  {}", safe(&self.message)) };
        page.line(format_args!("{id}  {time}  forgotten {}{message}", page.age(self.forgotten)))
    }
}

impl Print for Recalled {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        match self.commits.as_slice() {
            [] => page.line("nothing to recall"),
            commits => {
                let ids: Vec<_> = commits.iter().take(10).map(|id| page.short(Some(*id)).to_string()).collect();
                let more = if commits.len() > ids.len() { " …" } else { "" };
                page.line(format_args!("{} recalled: {}{more}", plural(commits.len() as u64, "commit"), ids.join(" ")))
            }
        }
    }
}
