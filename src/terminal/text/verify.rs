//! The outcomes of `verify` and `repair`.

use std::fmt::Display;
use std::io;

use crate::number::listed;
use crate::report::verify::{
    DamageFields, DamageRecord, RecoveredRecord, RepairTotals, SuperfluousRecord, VerifyTotals, WorktreeTotals,
};
use crate::terminal::human::{Size, plural};
use crate::terminal::{Page, Print, Role, sanitize};
use crate::workspace::VerifyExtent;

impl Print for DamageRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let word = page.paint(Role::Error, "damaged");
        print_damage(&self.damage, word, page)
    }
}

impl Print for RecoveredRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let word = page.paint(Role::Added, "recovered");
        print_damage(&self.damage, word, page)
    }
}

fn print_damage(damage: &DamageFields, word: impl Display, page: &mut Page<'_>) -> io::Result<()> {
    let message = sanitize::text(&damage.message);
    let commit = page.short(damage.commit);
    match (damage.commit, damage.paths.first()) {
        (Some(_), Some(path)) if !path.is_root() => {
            page.line(format_args!("{word} {} in {commit}: {message}", page.path(path)))
        }
        (Some(_), _) => page.line(format_args!("{word} commit {commit}: {message}")),
        _ => page.line(format_args!("{word} {}: {message}", damage.what)),
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
            0 if outcome.has_read_nothing() => page.line(format_args!("nothing was read in that time: {checked}"))?,
            0 => page.line(format_args!("{}: {checked}", page.paint(Role::Added, "no damage found")))?,
            damaged => {
                page.line(format_args!("{checked}; {} found", page.paint(Role::Error, plural(damaged, "problem"))))?;
            }
        }
        if outcome.purged > 0 {
            let contents = plural(outcome.purged, "content");
            page.line(format_args!("{contents} purged, which is not damage"))?;
        }
        if outcome.unnamed_commits > 0 {
            let commits = plural(outcome.unnamed_commits, "commit");
            page.line(format_args!(
                "{commits} in packs that the journal does not name: a killed command left them, or the journal was cut off"
            ))?;
        }
        match outcome.followed {
            true => Ok(()),
            false => page.line("the time was too short to check that all objects exist"),
        }
    }
}

impl Print for RepairTotals {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let sources = [
            (self.salvaged, "from damaged packs"),
            (self.copied, "from other copies"),
            (self.from_worktree, "from the directory"),
        ];
        let would = if self.is_dry_run { "would be " } else { "" };
        let objects = self.salvaged + self.copied + self.from_worktree;
        if objects > 0 {
            let (objects, sources) = (plural(objects, "object"), listed(&sources));
            page.line(format_args!("{objects} {would}recovered: {sources}"))?;
        }
        if self.packs_replaced > 0 {
            page.line(format_args!("{} {would}replaced", plural(self.packs_replaced, "damaged pack")))?;
        }
        if self.commits > 0 {
            page.line(format_args!("{} {would}restored", plural(self.commits, "commit")))?;
        }
        let files = [
            (self.journal, "journal: made writable again"),
            (self.mask, "mask: determined again"),
            (self.catalog, "catalog: written again"),
            (self.index, "index: removed"),
        ];
        for (is_damaged, action) in files {
            if is_damaged {
                page.line(if self.is_dry_run { action.replace(": ", ": would be ") } else { action.to_owned() })?;
            }
        }
        match self.damaged {
            0 if objects + self.packs_replaced + self.commits == 0
                && !files.iter().any(|(is_damaged, _)| *is_damaged) =>
            {
                page.line("no damage found: nothing to repair")
            }
            0 => page.line(format_args!("{}", page.paint(Role::Added, "nothing is lost"))),
            damaged => page.line(format_args!("{} left", page.paint(Role::Error, plural(damaged, "problem")))),
        }
    }
}

impl Print for WorktreeTotals {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let read = format!("{}, {} read", plural(self.files, "file"), Size(self.bytes_read));
        let changes = match self.changed {
            0 => String::new(),
            changed => format!("; {} since {}", plural(changed, "change"), page.short(Some(self.commit))),
        };
        match self.damaged {
            0 => page.line(format_args!("{}: {read}{changes}", page.paint(Role::Added, "no damage found"))),
            damaged => {
                let damaged = page.paint(Role::Error, format!("{} damaged", plural(damaged, "file")));
                page.line(format_args!("{read}{changes}; {damaged}"))
            }
        }
    }
}
