//! The outcome of `purge`.

use std::io;

use crate::report::purge::{FileRecord, PurgeSummary, Relation};
use crate::terminal::human::{Size, plural};
use crate::terminal::{Page, Print, Role};

impl Print for FileRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (word, role, note) = match self.relation {
            Relation::Selected => ("purge", Role::Removed, ""),
            Relation::Same => ("purge", Role::Removed, "  (same content)"),
            Relation::Sharing => {
                ("keep", Role::Added, "  (has some of the same data, which stays readable and on disk)")
            }
        };
        let word = page.paint(role, format!("{word:<5}"));
        let (path, id) = (page.path(&self.path), page.paint(Role::Id, self.id.short()));
        let commit = page.short(Some(self.commit));
        page.line(format_args!("{word}  {path}  {id}  {}  in {commit}{note}", Size(self.bytes)))
    }
}

impl Print for PurgeSummary {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let contents = plural(self.contents, "content");
        let size = Size(self.bytes);
        match (self.contents, self.dry_run) {
            (0, _) if self.purged_before > 0 => page.line("nothing to purge: purged before"),
            (0, _) => page.line("nothing to purge"),
            (_, true) => page.line(format_args!("{contents} would be purged, {size}")),
            (_, false) => page.line(format_args!("{contents} purged, {size}")),
        }
    }
}
