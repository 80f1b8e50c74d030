//! The outcome of `verify`.

use std::io;

use crate::report::verify::{DamageRecord, SuperfluousRecord, VerifyTotals};
use crate::terminal::human::{Size, plural};
use crate::terminal::{Page, Print, Role, sanitize};
use crate::workspace::VerifyExtent;

impl Print for DamageRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let word = page.paint(Role::Error, "damaged");
        let message = sanitize::text(&self.message);
        let commit = page.short(self.commit);
        match (self.commit, self.paths.first()) {
            (Some(_), Some(path)) if !path.is_root() => {
                page.line(format_args!("{word} {} in {commit}: {message}", page.path(path)))
            }
            (Some(_), _) => page.line(format_args!("{word} commit {commit}: {message}")),
            _ => page.line(format_args!("{word} {}: {message}", self.what)),
        }
    }
}

impl Print for SuperfluousRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if !page.is_verbose() {
            return Ok(());
        }
        let path = page.paint(Role::Path, sanitize::text(&self.path));
        page.line(format_args!("unneeded: {path}  {}, {}", self.what, Size(self.bytes)))
    }
}

impl Print for VerifyTotals {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let outcome = &self.outcome;
        let counts =
            [plural(outcome.commits, "commit"), plural(outcome.objects, "object"), plural(outcome.packs, "pack")];
        let mut checked = counts.join(", ");
        match outcome.extent {
            VerifyExtent::Whole => checked += &format!(", {} read", Size(outcome.bytes)),
            VerifyExtent::Quick => checked += "; packs not read",
            VerifyExtent::Part(_) => {
                checked += &format!("; {} % of the stored bytes read ({})", outcome.percent, Size(outcome.read));
                match outcome.never_read {
                    0 => checked += ", all of them at least once",
                    never => checked += &format!(", {} not yet", Size(never)),
                }
            }
        }
        match outcome.damaged {
            0 => page.line(format_args!("{}: {checked}", page.paint(Role::Added, "no damage found")))?,
            damaged => {
                page.line(format_args!("{checked}; {} found", page.paint(Role::Error, plural(damaged, "problem"))))?;
            }
        }
        match outcome.followed {
            true => Ok(()),
            false => page.line("the time was too short to check that all objects exist"),
        }
    }
}
