//! Stores outside their directories.

use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::report::stores::{RevivedRecord, StoreRecord, StoresEnd};
use crate::terminal::human::{Size, plural};
use crate::terminal::sanitize::{line as safe, text};
use crate::terminal::table::pad;
use crate::terminal::{Page, Print, Role};

/// Columns of the word before a directory.
const STATE: usize = 7;

impl Print for StoreRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        if page.is_raw() {
            return page.name_record(&self.path.0);
        }
        let name = Path::new(std::ffi::OsStr::from_bytes(&self.path.0)).file_name().unwrap_or_default();
        let name = page.paint(Role::Branch, safe(&name.to_string_lossy()));
        let (commits, size) = (plural(self.commits, "commit"), Size(self.size));
        let newest = self.time.map(|time| format!(", newest {}", page.age_text(time))).unwrap_or_default();
        page.line(format_args!("{name}  {commits}{newest}, {size}"))?;
        if !self.problem.is_empty() {
            let word = page.paint(Role::Error, pad(if self.is_damaged { "damaged" } else { "" }, STATE));
            page.line(format_args!("  {word}  {}", text(&self.problem)))?;
        }
        for directory in &self.directories {
            let word = pad(if directory.missing { "missing" } else { "" }, STATE);
            let word = page.paint(Role::Warning, word);
            let branch = match directory.branch.as_str() {
                "" => String::new(),
                branch => format!("  on branch {}", safe(branch)),
            };
            page.line(format_args!("  {word}  {}{branch}", safe(&String::from_utf8_lossy(&directory.path.0))))?;
        }
        Ok(())
    }
}

impl Print for StoresEnd {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        match self.count {
            0 if !page.is_raw() => page.line("no histories are stored outside their directories"),
            _ => Ok(()),
        }
    }
}

impl Print for RevivedRecord {
    fn print(&self, page: &mut Page<'_>) -> io::Result<()> {
        let (id, time) = (page.paint(Role::Id, self.id.short()), page.time(self.time));
        let verb = if self.continued { "finished reviving" } else { "revived" };
        let written = plural(self.written, "path");
        page.line(format_args!("{verb} {} as of {time}, {id}: {written} written", text(&self.directory)))
    }
}
