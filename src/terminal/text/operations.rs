//! Operations: the line of `op log`, and the fields of `op show`.

use std::io;

use serde::Serialize;

use crate::quote::shell_word;
use crate::report::operations::{BranchMove, CommitMove, OperationRecord};
use crate::terminal::human::{duration, plural};
use crate::terminal::page::short;
use crate::terminal::sanitize::line as safe;
use crate::terminal::{Page, Print, Role};

/// An operation in full, as `op show` prints it.
#[derive(Serialize)]
#[serde(transparent)]
pub struct OperationText(pub OperationRecord);

fn words(record: &OperationRecord) -> String {
    if record.verb == record.description {
        return safe(&record.verb);
    }
    safe(&format!("{}: {}", record.verb, record.description))
}

impl Print for OperationRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let mark = if self.current { "@" } else { " " };
        let (id, time) = (page.paint(Role::Id, self.id.short()), page.time(self.time));
        match self.taken_back {
            true => page.line(format_args!("{mark} {id}  {time}  {}  (undone)", page.paint(Role::Dim, words(self)))),
            false => page.line(format_args!("{mark} {id}  {time}  {}", words(self))),
        }
    }
}

impl Print for OperationText {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let record = &self.0;
        let back = if record.taken_back { "  (undone)" } else { "" };
        page.line(format_args!("operation {}{back}", page.paint(Role::Id, record.id.short())))?;
        let role = if record.taken_back { Role::Dim } else { Role::Path };
        page.line(format_args!("  {}", page.paint(role, words(record))))?;
        let who = safe(&format!("{}@{}", record.user, record.host));
        page.line(format_args!("  {}  {who}  {}", page.time(record.time), duration(record.duration)))?;
        let mut command = record.command.clone();
        command.iter_mut().take(1).for_each(|program| *program = program.rsplit('/').next().unwrap_or("").to_owned());
        let command: Vec<_> = command.iter().map(|word| shell_word(word.as_bytes())).collect();
        page.line(format_args!("  $ {}", safe(&command.join(" "))))?;
        for edit in &record.refs {
            let name = page.paint(Role::Branch, safe(&edit.name));
            let (old, new) = (short(edit.old), short(edit.new));
            page.line(format_args!("  {} {name}  {old} → {new}", edit.kind))?;
        }
        if let Some(BranchMove { before, after }) = &record.branch {
            page.line(format_args!("  current branch  {} → {}", safe(before), safe(after)))?;
        }
        for (word, commits) in [("forgotten", &record.forgotten), ("recalled", &record.recalled)] {
            match commits.as_slice() {
                [] => {}
                [id] => page.line(format_args!("  {word}  {}", id.short()))?,
                several => page.line(format_args!("  {word}  {}", plural(several.len() as u64, "commit")))?,
            }
        }
        if let Some(CommitMove { before, after }) = record.worktree {
            page.line(format_args!("  directory  {} → {}", short(before), after.short()))?;
        }
        Ok(())
    }
}
