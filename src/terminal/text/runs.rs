//! The outcome of `run`.

use std::io;

use crate::effect::{Effect, Examples};
use crate::report::runs::{RollbackRecord, RunRecord};
use crate::terminal::human::{Count, Size, duration, plural};
use crate::terminal::sanitize;
use crate::terminal::text::changes::{and_ignored, and_renamed};
use crate::terminal::{Page, Print, Role};

impl Print for RunRecord<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let line = page.paint(Role::Heading, sanitize::line(&self.run.short));
        let exit = match self.run.exit {
            0 => "exit 0".to_owned(),
            exit => page.paint(Role::Warning, format!("exit {exit}")).to_string(),
        };
        let title = format!("{line}: {exit} after {}", duration(self.run.duration));
        if self.before == self.after {
            let id = page.paint(Role::Id, self.before.short());
            return page.line(match self.has_saved {
                true => format!("{title}; nothing changed; the unsaved changes before it are recorded in {id}"),
                false => format!("{title}; nothing changed, nothing recorded"),
            });
        }
        page.line(title)?;
        let id = page.paint(Role::Id, self.after.short());
        let Effect { before, after, counts, renamed, ignored, losses, emptied, retyped } = self.effect;
        let (added, modified, deleted) = (Count(counts.added), Count(counts.modified), Count(counts.deleted));
        let (before, after, ignored) = (Size(before.bytes), Size(after.bytes), and_ignored(*ignored));
        let renamed = and_renamed(*renamed);
        page.line(format_args!(
            "{id}  {added} added, {modified} modified, {deleted} deleted{renamed}{ignored}  ({before} → {after})"
        ))?;
        let deleted = page.paint(Role::Removed, "deleted").to_string();
        list(page, losses, "directory", |page, loss| {
            let path = page.path(&loss.path);
            let (paths, size) = (plural(loss.paths, "path"), Size(loss.bytes));
            match (loss.is_whole, loss.paths) {
                (true, 0) => format!("{deleted}  {path}  ({size})"),
                (true, _) => format!("{deleted}  {path}/ and {paths} in it  ({size})"),
                (false, _) if loss.path.is_root() => format!("{deleted}  {paths} at the top  ({size})"),
                (false, _) => format!("{deleted}  {paths} in {path}/  ({size})"),
            }
        })?;
        list(page, emptied, "file", |page, path| {
            format!("{}  {}", page.paint(Role::Modified, "emptied"), page.path(path))
        })?;
        list(page, retyped, "path", |page, one| {
            let (from, to) = (one.from.word(), one.to.word());
            format!("{}  {}  {from} → {to}", page.paint(Role::Modified, "type   "), page.path(&one.path))
        })
    }
}

/// A line for each item, and one for the omitted ones.
fn list<T>(
    page: &mut Page<'_>,
    examples: &Examples<T>,
    noun: &str,
    line: impl Fn(&Page<'_>, &T) -> String,
) -> io::Result<()> {
    for item in &examples.kept {
        page.line(format!("  {}", line(page, item)))?;
    }
    match examples.count - examples.kept.len() as u64 {
        0 => Ok(()),
        others => page.line(format_args!("           and in {} more", plural(others, noun))),
    }
}

impl Print for RollbackRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (written, deleted) = (Count(self.written), Count(self.deleted));
        let kept = page.paint(Role::Id, &self.kept);
        page.line(format_args!("rolled back: {written} written, {deleted} deleted; the changes are kept in {kept}"))
    }
}
