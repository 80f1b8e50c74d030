//! Commits: the head of `show`, the entry and the line of `log`, and the outcome of `commit`.

use std::io;

use crate::number::plural;
use crate::object::commit::Uncovered;
use crate::report::commits::{CommitRecord, Committed};
use crate::report::messages::describe;
use crate::report::runs::CommandRecord;
use crate::terminal::human::{Count, Size, duration};
use crate::terminal::sanitize::{self, line as safe};
use crate::terminal::text::changes::and_ignored;
use crate::terminal::{Page, Print, Role};

/// The entry in the log, line by line.
pub fn lines(commit: &CommitRecord, page: &Page<'_>) -> Vec<String> {
    let id = page.paint(Role::Id, commit.id.short());
    let mut lines = vec![format!("{id}{}  {}  {}", names(commit, page), page.time(commit.time), safe(&commit.author))];
    let message = commit.message.trim_end();
    lines.extend(message.lines().map(|line| format!("  {}", safe(line)).trim_end().to_owned()));
    lines.extend(commit.run.iter().map(|run| format!("  {}", safe(&below(run, message)))));
    lines.push(format!("  {}", counts(commit, page)));
    lines
}

/// The line of `log --oneline`.
pub fn line(commit: &CommitRecord, page: &Page<'_>) -> String {
    let id = page.paint(Role::Id, commit.id.short());
    let subject = commit.message.lines().next().map(|subject| format!(" {}", safe(subject)));
    format!("{id}{}{}  {}", names(commit, page), subject.unwrap_or_default(), counts(commit, page))
}

fn names(commit: &CommitRecord, page: &Page<'_>) -> String {
    let paint = |role, name: &String| page.paint(role, safe(name)).to_string();
    let branches = commit.branches.iter().map(|name| paint(Role::Branch, name));
    let names: Vec<_> = branches.chain(commit.tags.iter().map(|name| paint(Role::Tag, name))).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

/// `+3 ~1 -2, 1.1 MiB stored (automatic)`
fn counts(commit: &CommitRecord, page: &Page<'_>) -> String {
    let mut text = format!(
        "{} {} {}",
        page.paint(Role::Added, format!("+{}", Count(commit.changes.added))),
        page.paint(Role::Modified, format!("~{}", Count(commit.changes.modified))),
        page.paint(Role::Removed, format!("-{}", Count(commit.changes.deleted))),
    );
    if let Some(bytes) = commit.bytes_stored {
        text += &format!(", {} stored", Size(bytes));
    }
    let failed = |one: &&Uncovered| one.reason.is_failure();
    let incomplete = (commit.uncovered.iter().filter(failed).count() + commit.torn.len()) as u64;
    let notes = [
        (incomplete > 0, Role::Warning, format!(" (incomplete: {})", plural(incomplete, "path"))),
        (commit.suspicious, Role::Warning, " (suspicious)".to_owned()),
        (commit.automatic, Role::Dim, " (automatic)".to_owned()),
    ];
    text.extend(notes.into_iter().filter(|note| note.0).map(|(_, role, note)| page.paint(role, note).to_string()));
    text
}

/// The command below a message that may repeat it: `$ make clean: exit 2 after 3.4 s`, or `exit 2 after 3.4 s`.
fn below(run: &CommandRecord, message: &str) -> String {
    if message == run.short { ended(run) } else { format!("$ {}: {}", run.short, ended(run)) }
}

fn ended(run: &CommandRecord) -> String {
    format!("exit {} after {}", run.exit, duration(run.duration))
}

impl Print for CommitRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let names = names(self, page);
        page.line(format_args!("{} {}{names}", page.paint(Role::Heading, "commit"), page.paint(Role::Id, self.id)))?;
        for parent in &self.parents {
            page.line(format_args!("parent {}", page.paint(Role::Id, parent)))?;
        }
        page.line(format_args!("author {} on {}", safe(&self.author), safe(&self.host)))?;
        page.line(format_args!("time   {}", page.time(self.time)))?;
        page.line(format_args!("holds  {}, {}", plural(self.files, "file"), Size(self.bytes)))?;
        page.line(format_args!("change {}", counts(self, page)))?;
        if let Some(run) = &self.run {
            page.line(format_args!("run    {}", safe(&format!("{}: {}", run.line, ended(run)))))?;
        }
        for alarm in &self.alarms {
            let (count, of) = (Count(alarm.count), Count(alarm.of));
            page.line(format_args!("alarm  {}: {count} of {of} files", safe(&alarm.kind)))?;
        }
        for one in &self.uncovered {
            page.line(format_args!("not covered: {} ({})", sanitize::path(&one.path), describe(one.reason)))?;
        }
        for path in &self.torn {
            page.line(format_args!("torn: {}", sanitize::path(path)))?;
        }
        if !self.message.is_empty() {
            page.line("")?;
            for line in self.message.trim_end().lines() {
                page.line(format!("    {}", safe(line)).trim_end())?;
            }
        }
        page.line("")
    }
}

impl Print for Committed {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let id = page.short(self.id);
        match (self.created, self.id) {
            (false, None) => page.line("nothing to record"),
            (false, Some(_)) => page.line(format_args!("no changes since {id}")),
            (true, _) => page.line(format_args!(
                "{} {id}  {} added, {} modified, {} deleted{}  ({} read, {} stored)",
                page.paint(Role::Branch, &self.branch),
                Count(self.changes.added),
                Count(self.changes.modified),
                Count(self.changes.deleted),
                and_ignored(self.ignored),
                Size(self.bytes_read),
                Size(self.bytes_stored)
            )),
        }
    }
}
