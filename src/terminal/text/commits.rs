//! Commits as text: in `show`, `log` and `log --oneline`, and the outcome of `commit`.

use std::io;

use crate::number::plural;
use crate::report::commits::{Amended, CommitRecord, Committed, ExpectedCommit};
use crate::report::messages::describe;
use crate::report::runs::CommandRecord;
use crate::terminal::human::{Count, Size, duration};
use crate::terminal::sanitize::line as safe;
use crate::terminal::text::changes::{self, and_ignored, and_renamed};
use crate::terminal::{Page, Print, Role};

/// The lines of a commit in `log`.
pub fn log_lines(commit: &CommitRecord, page: &Page<'_>) -> Vec<String> {
    let id = page.paint(Role::Id, commit.id.short());
    let mut lines =
        vec![format!("{id}{}  {}  {}", ref_names(commit, page), page.time(commit.time), safe(&commit.author))];
    let message = commit.message.trim_end();
    lines.extend(message.lines().map(|line| format!("  {}", safe(line)).trim_end().to_owned()));
    lines.extend(commit.run.iter().map(|run| format!("  {}", safe(&run_line(run, message)))));
    lines.push(format!("  {}", change_summary(commit, page)));
    lines
}

/// The line of a commit in `log --oneline`.
pub fn oneline(commit: &CommitRecord, page: &Page<'_>) -> String {
    let id = page.paint(Role::Id, commit.id.short());
    let subject = commit.message.lines().next().map(|subject| format!(" {}", safe(subject)));
    format!("{id}{}{}  {}", ref_names(commit, page), subject.unwrap_or_default(), change_summary(commit, page))
}

/// ` (main, v1)`: branches, then tags. Empty if there are none.
fn ref_names(commit: &CommitRecord, page: &Page<'_>) -> String {
    let paint = |role, name: &String| page.paint(role, safe(name)).to_string();
    let branches = commit.branches.iter().map(|name| paint(Role::Branch, name));
    let names: Vec<_> = branches.chain(commit.tags.iter().map(|name| paint(Role::Tag, name))).collect();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

/// `+3 ~1 -2, 1.1 MiB stored (automatic)`
fn change_summary(commit: &CommitRecord, page: &Page<'_>) -> String {
    let mut text = changes::change_counts(commit.changes, page);
    if let Some(bytes) = commit.bytes_stored {
        text += &format!(", {} stored", Size(bytes));
    }
    let unread = commit.uncovered.iter().filter(|uncovered| uncovered.reason.is_failure()).count();
    let incomplete = (unread + commit.torn.len()) as u64;
    if incomplete > 0 {
        let note = format!(" (incomplete: {})", plural(incomplete, "path"));
        text += &page.paint(Role::Warning, note).to_string();
    }
    if commit.suspicious {
        text += &page.paint(Role::Warning, " (suspicious)").to_string();
    }
    if commit.automatic {
        text += &page.paint(Role::Dim, " (automatic)").to_string();
    }
    text
}

/// `$ make clean: exit 2 after 3.4 s`. Omits the command if the message is that command.
fn run_line(run: &CommandRecord, message: &str) -> String {
    if message == run.short { exit_and_duration(run) } else { format!("$ {}: {}", run.short, exit_and_duration(run)) }
}

fn exit_and_duration(run: &CommandRecord) -> String {
    format!("exit {} after {}", run.exit, duration(run.duration))
}

impl Print for CommitRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let names = ref_names(self, page);
        page.line(format_args!("{} {}{names}", page.paint(Role::Heading, "commit"), page.paint(Role::Id, self.id)))?;
        for parent in &self.parents {
            page.line(format_args!("parent {}", page.paint(Role::Id, parent)))?;
        }
        if self.forgotten > 0 {
            page.line(format_args!("gap    {} forgotten", plural(self.forgotten, "commit")))?;
        }
        page.line(format_args!("author {} on {}", safe(&self.author), safe(&self.host)))?;
        page.line(format_args!("time   {}", page.time(self.time)))?;
        page.line(format_args!("holds  {}, {}", plural(self.files, "file"), Size(self.bytes)))?;
        page.line(format_args!("change {}", change_summary(self, page)))?;
        if let Some(run) = &self.run {
            page.line(format_args!("run    {}", safe(&format!("{}: {}", run.line, exit_and_duration(run)))))?;
        }
        for alarm in &self.alarms {
            let (count, of) = (Count(alarm.count), Count(alarm.of));
            page.line(format_args!("alarm  {}: {count} of {of} files", safe(&alarm.kind)))?;
        }
        for uncovered in &self.uncovered {
            let (path, reason) = (page.path_text(&uncovered.path), describe(uncovered.reason));
            page.line(format_args!("not covered: {path} ({reason})"))?;
        }
        for path in &self.torn {
            page.line(format_args!("torn: {}", page.path_text(path)))?;
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

impl Print for Amended {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (id, replaced) = (page.short(Some(self.id)), page.short(Some(self.replaced)));
        match self.id == self.replaced {
            true => page.line(format_args!("{id} has this message already")),
            false => page.line(format_args!("{replaced} is now {id}")),
        }
    }
}

impl Print for ExpectedCommit {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        match (page.is_raw(), self.tally.clean) {
            (true, _) => Ok(()),
            (false, true) => page.line("no changes"),
            (false, false) => {
                let changes = changes::describe(&self.tally.counts);
                page.line(format_args!("would record {changes}  ({} read)", Size(self.bytes_read)))
            }
        }
    }
}

impl Print for Committed {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let id = page.short(self.id);
        match (self.created, self.id) {
            (false, None) => page.line("nothing to record"),
            (false, Some(_)) => page.line(format_args!("no changes since {id}")),
            (true, _) => page.line(format_args!(
                "{}{} {id}  {} added, {} modified, {} deleted{}{}  ({} read, {} {})",
                if self.automatic { "beside " } else { "" },
                page.paint(Role::Branch, &self.branch),
                Count(self.changes.added),
                Count(self.changes.modified),
                Count(self.changes.deleted),
                and_renamed(self.renamed),
                and_ignored(self.ignored),
                Size(self.bytes_read),
                Size(self.disk_growth.unsigned_abs()),
                if self.disk_growth < 0 { "freed" } else { "stored" }
            )),
        }
    }
}
