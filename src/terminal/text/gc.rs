//! The outcome of `gc`.

use std::io;

use crate::report::gc::GcSummary;
use crate::terminal::human::{Size, plural};
use crate::terminal::{Page, Print};

impl Print for GcSummary {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let would = if self.dry_run { "would remove" } else { "removed" };
        match (self.commits, self.objects) {
            (0, 0) => page.line(format_args!("nothing new to remove"))?,
            (commits, objects) => page.line(format_args!(
                "{would} {}, {} ({})",
                plural(commits, "forgotten commit"),
                plural(objects, "object"),
                Size(self.bytes)
            ))?,
        }
        if self.purged {
            let gone = if self.dry_run { "would be removed" } else { "is removed" };
            page.line(format_args!("purged content {gone} for ever"))?;
        }
        if !self.dry_run && self.packs_removed > 0 {
            let packs = plural(self.packs_removed, "pack");
            page.line(format_args!("freed {}: {packs} rewritten or removed", Size(self.freed)))?;
        }
        if self.segments > 0 {
            page.line(format_args!("removed {} of the journal", plural(self.segments, "old segment")))?;
        }
        if self.waiting.commits > 0 {
            let commits = plural(self.waiting.commits, "forgotten commit");
            let until = self.waiting.until.map(|until| format!(" until {}", page.time(until))).unwrap_or_default();
            let verb = if self.waiting.commits == 1 { "waits" } else { "wait" };
            page.line(format_args!("{commits} ({}) {verb}{until}", Size(self.waiting.bytes)))?;
        }
        if !self.complete {
            page.line(format_args!("{} of waste left", Size(self.waste)))?;
        }
        Ok(())
    }
}
