//! Plans and outcomes of checkouts, steps and exports.

use std::io;

use crate::id::CommitId;
use crate::report::checkouts::{CheckoutRecord, ExportRecord, PlanRecord, StepRecord, SteppedRecord};
use crate::terminal::human::{Count, Size, plural};
use crate::terminal::{Page, Print, Role, sanitize};
use crate::workspace::CheckoutOutcome;

impl Print for StepRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return page.record(Some(self.action), &self.path);
        }
        let role = match self.action {
            "create" => Role::Added,
            "remove" => Role::Removed,
            "touch" => Role::Metadata,
            _ => Role::Modified,
        };
        let word = page.paint(role, format!("{:<8}", self.action));
        let slash = if self.is_directory { "/" } else { "" };
        page.line(format_args!("  {word} {}{slash}", page.path(&self.path)))
    }
}

impl Print for PlanRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return Ok(());
        }
        if self.refs_only {
            return page.line("the directory would stay unchanged");
        }
        let first = if self.unsaved { "; unsaved changes would be recorded first" } else { "" };
        let unchanged = Count(self.unchanged);
        page.line(format_args!("{}, {unchanged} unchanged{first}", plural(self.actions, "change")))
    }
}

fn counts(outcome: &CheckoutOutcome) -> String {
    let (written, deleted, unchanged) = (Count(outcome.written), Count(outcome.deleted), Count(outcome.unchanged));
    format!("{written} written, {deleted} deleted, {unchanged} unchanged")
}

fn print_saved(page: &mut Page<'_>, saved: Option<CommitId>) -> io::Result<()> {
    match saved {
        Some(_) => page.line(format_args!("unsaved changes are saved in {}", page.short(saved))),
        None => Ok(()),
    }
}

impl Print for CheckoutRecord<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let outcome = self.outcome;
        let (to, counts) = (page.short(outcome.to), counts(outcome));
        if self.whole {
            let branch = page.paint(Role::Branch, sanitize::line(&outcome.branch));
            let from = match outcome.from == outcome.to {
                true => String::new(),
                false => format!("{} → ", page.short(outcome.from)),
            };
            match outcome.written + outcome.deleted + outcome.unchanged {
                0 => page.line(format_args!("{branch} {from}{to}  the directory is unchanged"))?,
                _ => page.line(format_args!("{branch} {from}{to}  {counts}"))?,
            }
        } else {
            page.line(format_args!("restored from {to}  {counts}"))?;
        }
        print_saved(page, outcome.saved)
    }
}

impl Print for SteppedRecord<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if !self.interrupted.is_empty() {
            page.line(format_args!("undid the interrupted {}", sanitize::line(&self.interrupted)))?;
        }
        for crossed in self.operations.iter().filter(|_| !self.action.is_empty()) {
            let id = page.paint(Role::Id, crossed.id.short());
            if crossed.is_event {
                let words = sanitize::line(&crossed.description);
                page.line(format_args!("{} the changes after `{words}` (operation {id})", self.action))?;
                continue;
            }
            let words = sanitize::line(&format!("{}: {}", crossed.verb, crossed.description));
            page.line(format_args!("{} {id}  {words}", self.action))?;
        }
        for passed in &self.passed {
            let words = sanitize::line(&format!("{}: {}", passed.verb, passed.description));
            let id = page.paint(Role::Id, passed.id.short());
            let why = match passed.verb.as_str() {
                "purge" => "still purged",
                "revive" => "a revival is not undone",
                _ => "the commits no longer exist",
            };
            page.line(format_args!("passed over {id}  {words}  ({why})"))?;
        }
        if self.skipped > 0 {
            let states = plural(self.skipped, "state");
            page.line(format_args!("passed over {states} with commits that no longer exist"))?;
        }
        if self.gone > 0 {
            page.line(format_args!("{} can no longer be recalled", plural(self.gone, "forgotten commit")))?;
        }
        let branch = page.paint(Role::Branch, sanitize::line(&self.checkout.outcome.branch));
        let at = page.short(self.id);
        if self.refs_only {
            return match self.id {
                Some(_) => page.line(format_args!("{branch} {at}  the directory is unchanged")),
                None => page.line(format_args!("{branch} has no commits now; the directory is unchanged")),
            };
        }
        page.line(format_args!("{branch} {at}  {}", counts(self.checkout.outcome)))?;
        print_saved(page, self.checkout.outcome.saved)
    }
}

impl Print for ExportRecord<'_> {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let id = page.short(Some(CommitId::from(self.id)));
        let (entries, size) = (plural(self.exported.entries, "entry"), Size(self.exported.bytes));
        page.line(format_args!("{id} → {}  {entries}, {size}", sanitize::text(&self.destination)))
    }
}
