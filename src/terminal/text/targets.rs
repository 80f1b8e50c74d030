//! Targets: what was pushed, pulled and cloned, and what a target has.

use std::io;

use crate::report::targets::{
    ClonedRecord, CollectedRecord, KeyChanged, KeyRecord, Pulled, Pushed, Rekeyed, RepairedTargetRecord, Rewritten,
    StreamRecord, TargetAdded, TargetDamage, TargetRecord, TargetRemoved, TargetState, TargetsEnd, VerifiedTarget,
};
use crate::terminal::human::{Size, plural};
use crate::terminal::sanitize::{line as safe, text};
use crate::terminal::table::pad;
use crate::terminal::text::behind;
use crate::terminal::{Page, Print, Role};

impl Print for TargetAdded {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let verb = if self.created { "created" } else { "added the existing" };
        page.line(format_args!("{verb} target {} at {}", page.paint(Role::Branch, safe(&self.name)), text(&self.url)))?;
        if let Some(words) = &self.recovery_words {
            print_recovery_words(page, words)?;
        }
        Ok(())
    }
}

fn print_recovery_words(page: &mut Page<'_>, words: &str) -> io::Result<()> {
    page.line("")?;
    page.line("Recovery words, shown only now. They open the target if the password is lost:")?;
    page.line("")?;
    page.line(format_args!("    {words}"))?;
    page.line("")
}

impl Print for KeyRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return page.name_record(self.id.as_bytes());
        }
        let (id, kind) = (page.paint(Role::Id, short(&self.id)), pad(self.kind, 14));
        match (&self.user, &self.host, self.time) {
            (Some(user), Some(host), Some(time)) => {
                let age = page.age_text(time);
                page.line(format_args!("{id}  {kind}  added {age} by {} on {}", safe(user), safe(host)))
            }
            _ => page.line(format_args!("{id}  {kind}  not in force")),
        }
    }
}

impl Print for KeyChanged {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (id, target) = (page.paint(Role::Id, short(&self.id)), page.paint(Role::Branch, safe(&self.target)));
        let preposition = if self.action == "removed" { "from" } else { "to" };
        page.line(format_args!("{} key {id} ({}) {preposition} target {target}", self.action, self.kind))?;
        if let Some(words) = &self.recovery_words {
            return print_recovery_words(page, words);
        }
        match self.action {
            "removed" => page.line("Who had this key may have kept what it opens, and is not locked out yet."),
            _ => Ok(()),
        }
    }
}

impl Print for Rekeyed {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let target = page.paint(Role::Branch, safe(&self.target));
        page.line(format_args!("replaced the keys of target {target}; other machines must enter the new password"))?;
        print_recovery_words(page, &self.recovery_words)
    }
}

impl Print for Rewritten {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (packs, target) = (plural(self.packs, "pack"), page.paint(Role::Branch, safe(&self.target)));
        if self.packs == 0 {
            return page.line(format_args!("{target} has no packs with older keys"));
        }
        page.line(format_args!("rewrote {packs} of {target} with the new keys: {} sent", Size(self.bytes)))
    }
}

fn short(id: &str) -> String {
    id.get(..8).unwrap_or_default().to_owned()
}

impl Print for TargetRemoved {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(format_args!("removed target {}; the copies at {} stay", safe(&self.name), text(&self.url)))
    }
}

impl Print for TargetRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return page.name_record(self.name.as_bytes());
        }
        let name = page.paint(Role::Branch, pad(&safe(&self.name), 12));
        let state = match self.state.pushed {
            None => "the whole history was never pushed".to_owned(),
            Some(time) => format!("{}, pushed {}", behind(&self.state), page.age_text(time)),
        };
        page.line(format_args!("{name} {}  {state}", text(&self.url)))
    }
}

impl Print for TargetsEnd {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return Ok(());
        }
        let TargetsEnd { copies, media, elsewhere, .. } = self;
        if self.sufficient {
            let numbers = format!("{}, {media} media, {elsewhere} elsewhere", plural(*copies, "copy"));
            return page.line(format_args!("3-2-1 rule met: {numbers}"));
        }
        let numbers = format!("{copies} of 3 copies, {media} of 2 media, {elsewhere} of 1 elsewhere");
        let uncounted: Vec<String> =
            self.uncounted.iter().map(|one| format!("; {} {}", safe(&one.target), one.reason)).collect();
        page.line(format_args!("3-2-1 rule not met: {numbers}{}", uncounted.concat()))
    }
}

impl Print for StreamRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let id = page.paint(Role::Id, short(&self.id));
        let directory = format!("{}:{}", safe(&self.host), safe(&self.path));
        let (commits, size) = (plural(self.commits, "commit"), Size(self.size));
        let (age, user) = (page.age_text(self.time), safe(&self.user));
        page.line(format_args!("{id}  {directory}  {commits}, files {size}, pushed {age} by {user}"))
    }
}

impl Print for TargetState {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (packs, size) = (plural(self.packs, "pack"), Size(self.bytes));
        page.line(format_args!("{} at {}", safe(&self.name), text(&self.url)))?;
        page.line(format_args!("{packs}, {size}; {}", plural(self.keys, "key")))?;
        page.line(format_args!("entry {} {}", self.entry, page.paint(Role::Id, self.hash.clone())))
    }
}

impl Print for Pushed {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let target = page.paint(Role::Branch, safe(&self.target));
        match self.commits {
            0 if self.entry.is_none() => page.line(format_args!("{target} is up to date")),
            0 => page.line(format_args!("updated {target}")),
            commits => {
                let (commits, requests) = (plural(commits, "commit"), plural(self.requests, "request"));
                page.line(format_args!("pushed {commits} to {target}: {} sent in {requests}", Size(self.bytes)))
            }
        }
    }
}

impl Print for Pulled {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let target = page.paint(Role::Branch, safe(&self.target));
        if self.commits == 0 && self.refs.is_empty() {
            return page.line(format_args!("nothing new in {target}"));
        }
        page.line(format_args!("pulled {} from {target}: {} read", plural(self.commits, "commit"), Size(self.bytes)))?;
        self.refs.iter().try_for_each(|name| page.line(format_args!("  {}", page.paint(Role::Branch, safe(name)))))
    }
}

impl Print for ClonedRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (commits, paths) = (plural(self.commits, "commit"), plural(self.written, "path"));
        page.line(format_args!("cloned {commits} to {}: {paths} written", text(&self.directory)))?;
        match (self.entry, &self.hash) {
            (Some(entry), Some(hash)) => page.line(format_args!(
                "entry {entry} {}; compare it with `undo target show` on another machine",
                page.paint(Role::Id, hash.get(..16).unwrap_or_default().to_owned())
            )),
            _ => Ok(()),
        }
    }
}

impl Print for CollectedRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let would = if self.dry_run { "would condemn" } else { "condemned" };
        let counts =
            [(self.dead, "unneeded pack"), (self.rewritten, "mostly unneeded pack"), (self.orphans, "orphaned file")];
        let counts: Vec<String> =
            counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| plural(count, what)).collect();
        match counts.is_empty() {
            true if self.deleted == 0 => page.line("nothing to remove")?,
            true => {}
            false => page.line(format_args!("{would} {} ({})", counts.join(", "), Size(self.condemned)))?,
        }
        if self.written > 0 {
            page.line(format_args!("wrote {} of what is needed again", Size(self.written)))?;
        }
        if self.deleted > 0 {
            page.line(format_args!("deleted {} ({})", plural(self.deleted, "file"), Size(self.freed)))?;
        }
        if self.waiting > 0 {
            let files = plural(self.waiting, "condemned file");
            page.line(format_args!("{files} ({}) will be deleted later", Size(self.waiting_bytes)))?;
        }
        Ok(())
    }
}

impl Print for TargetDamage {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        page.line(format_args!("{} {}", page.paint(Role::Error, "damaged"), safe(&self.message)))
    }
}

impl Print for VerifiedTarget {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let found = if self.clean { "no damage found".to_owned() } else { plural(self.damaged, "problem") };
        let (commits, objects, packs) =
            (plural(self.commits, "commit"), plural(self.objects, "object"), plural(self.packs, "pack"));
        let read = format!("{} read", Size(self.bytes_read));
        page.line(format_args!("{found}: {commits}, {objects}, {packs}, {read}, entry {}", self.entry))
    }
}

impl Print for RepairedTargetRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let found = plural(self.found, "problem");
        match (self.found, self.dry_run) {
            (0, _) => return page.line(format_args!("no damage found")),
            (_, true) => return page.line(format_args!("{found} to repair")),
            _ => {}
        }
        let (files, salvaged) = (plural(self.replaced, "file"), plural(self.salvaged, "object"));
        let sent = format!("{} sent again ({})", plural(self.sent, "object"), Size(self.bytes));
        page.line(format_args!("{found} found: {files} replaced, {salvaged} salvaged, {sent}"))?;
        match self.clean {
            true => page.line(format_args!("the target is complete again")),
            false => page.line(format_args!("{} left", plural(self.damaged, "problem"))),
        }
    }
}
