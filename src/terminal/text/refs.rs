//! Branches and tags, the current position, and settings.

use std::io;

use crate::report::End;
use crate::report::refs::{CurrentBranch, InitRecord, Overview, Position, RefChanged, RefRecord, SettingRecord};
use crate::terminal::sanitize::{self, line as safe};
use crate::terminal::table::{pad, width};
use crate::terminal::text::LastCopy;
use crate::terminal::{Page, Print, Role};

impl Print for End {}

impl Print for RefRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return page.name_record(self.name.as_bytes());
        }
        let mark = if self.current { "@" } else { " " };
        let role = if self.kind == "tag" { Role::Tag } else { Role::Branch };
        let name = page.paint(role, pad(&safe(&self.name), 20));
        let subject = self.message.lines().next().unwrap_or_default();
        let (id, time) = (page.paint(Role::Id, self.id.short()), page.time(self.time));
        page.line(format!("{mark} {name} {id}  {time}  {}", safe(subject)).trim_end())
    }
}

impl Print for CurrentBranch {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() { page.name_record(self.name.as_bytes()) } else { page.line(safe(&self.name)) }
    }
}

impl Print for RefChanged {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let id = page.paint(Role::Id, self.id.short());
        let preposition = if self.action == "moved" { "to" } else { "at" };
        page.line(format_args!("{} {} {} {preposition} {id}", self.action, self.kind, safe(&self.name)))
    }
}

impl Print for InitRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let what = if self.is_new { "created the repository" } else { "attached to the repository" };
        page.line(format_args!("{what} {}", sanitize::text(&self.repository)))?;
        if self.is_outside && self.is_new {
            page.line("the history is stored outside the directory, so it survives if the directory is deleted")?;
        }
        if self.is_secondary {
            page.line(format_args!("the directory is on its own branch `{}`", sanitize::text(&self.branch)))?;
        }
        if !self.is_given {
            return Ok(());
        }
        page.line(format_args!("the repository belongs to `{}`, like the directory", sanitize::text(&self.owner)))
    }
}

impl Print for Position {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let branch = page.paint(Role::Branch, safe(&self.branch));
        match &self.commit {
            None => page.line(format_args!("on {branch}, no commits yet")),
            Some((time, subject)) => {
                let (id, age) = (page.short(self.id), page.age(*time));
                page.line(format!("on {branch} at {id}, {age}  {}", safe(subject)).trim_end())
            }
        }
    }
}

impl Print for Overview {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if let Some(position) = &self.position {
            position.print(page)?;
        }
        LastCopy(&self.copies).print(page)?;
        page.line(&self.state)?;
        page.line("")?;
        let next: Vec<String> = self.next.iter().map(|command| sanitize::text(command)).collect();
        let column = next.iter().map(|command| width(command)).max().unwrap_or(0).max(34);
        for command in &next {
            page.line(format_args!("  {}  {}", pad(command, column), page.paint(Role::Dim, purpose(command))))?;
        }
        Ok(())
    }
}

fn purpose(command: &str) -> &'static str {
    match command.split(' ').nth(1).unwrap_or_default() {
        _ if command.ends_with(" --continue") => "finish the interrupted operation",
        _ if command.ends_with(" undo") => "undo it",
        "init" => "create a repository here",
        "commit" => "record the current state",
        "status" => "show changes",
        "diff" => "show changed content",
        "checkout" => "discard all changes (they are saved first)",
        "show" => "show the last commit",
        "log" => "list commits",
        _ => "list all commands",
    }
}

impl Print for SettingRecord {
    /// With `-z`, a list has the key, a new line and the value, as `git config -z --list`.
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            let key = if self.about.is_some() { format!("{}\n", self.key) } else { String::new() };
            return page.name_record(format!("{key}{}", self.value).as_bytes());
        }
        let value = sanitize::text(&self.value);
        let Some(about) = self.about else { return page.line(value) };
        let source = page.paint(Role::Dim, format!("({})", self.source));
        let key = page.paint(Role::Emphasis, safe(&self.key));
        page.line(if value.is_empty() { format!("{key} = {source}") } else { format!("{key} = {value} {source}") })?;
        page.line(format_args!("    {}", page.paint(Role::Dim, about)))
    }
}
