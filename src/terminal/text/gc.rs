//! The outcome of `gc`.

use std::io;

use crate::report::gc::GcSummary;
use crate::terminal::human::{Size, plural};
use crate::terminal::{Page, Print};

impl Print for GcSummary {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let would = if self.dry_run { "would remove" } else { "removed" };
        let counts = [(self.commits, "forgotten commit"), (self.objects, "object")];
        let counts: Vec<String> =
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| plural(count, what)).collect();
        let has_freed = !self.dry_run && (self.packs_removed > 0 || self.freed > 0);
        if !counts.is_empty() {
            page.line(format_args!("{would} {} ({})", counts.join(", "), Size(self.bytes)))?;
        } else if !has_freed && !self.destroyed {
            page.line("nothing to remove")?;
        }
        if self.destroyed {
            let verb = if self.dry_run { "would be" } else { "has been" };
            page.line(format_args!("purged content {verb} destroyed"))?;
        }
        if self.purged_left > 0 {
            page.line(format_args!("purged content is still on disk: {}", Size(self.purged_left)))?;
        }
        if self.purged_in_use > 0 {
            page.line(format_args!(
                "{} of purged content are still on disk until the commands that read it have ended",
                Size(self.purged_in_use)
            ))?;
        }
        if has_freed {
            let packs = match self.packs_removed {
                0 => String::new(),
                count => format!(": {} rewritten or removed", plural(count, "pack")),
            };
            page.line(format_args!("freed {}{packs}", Size(self.freed)))?;
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
