//! The page on which text is printed, with or without colours, for people or for scripts.

use std::fmt::Display;
use std::io::{self, Write};

use crate::environment::Environment;
use crate::id::CommitId;
use crate::path::RepoPath;
use crate::quote::quote_also;
use crate::terminal::sanitize::Printable;
use crate::terminal::style::Painted;
use crate::terminal::table::Table;
use crate::terminal::{Palette, Role, human, sanitize};
use crate::time::Timestamp;

/// The text of a record. A record without one shows only in JSON.
pub trait Print {
    /// Writes the text.
    fn print(&self, _: &mut Page<'_>) -> io::Result<()> {
        Ok(())
    }
}

/// Where text goes.
pub struct Page<'a> {
    out: &'a mut dyn Write,
    palette: Palette,
    terminal: bool,
    nul: bool,
    verbose: bool,
    place: Place<'a>,
}

/// What the text of times and paths depends on.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Clock and time zone.
    pub environment: &'a Environment,
    /// The directory of the worktree that paths are relative to.
    pub directory: &'a RepoPath,
}

impl<'a> Page<'a> {
    /// A page on a writer. With `nul`, records end with NUL and paths are raw bytes.
    pub fn new(
        out: &'a mut dyn Write,
        palette: Palette,
        terminal: bool,
        nul: bool,
        verbose: bool,
        place: Place<'a>,
    ) -> Page<'a> {
        Page { out, palette, terminal, nul, verbose, place }
    }

    /// Whether `-v` was given.
    pub fn is_verbose(&self) -> bool {
        self.verbose
    }

    /// Whether `-z` was given: records end with NUL, and names are raw.
    pub fn is_raw(&self) -> bool {
        self.nul
    }

    /// Whether there are colours.
    pub fn has_colors(&self) -> bool {
        self.palette.is_on()
    }

    /// Whether the page is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Number of columns of the terminal. Where there is none, `COLUMNS` or 80.
    pub fn columns(&self) -> usize {
        const DEFAULT: usize = 80;
        let terminal = self.terminal.then(terminal_size::terminal_size).flatten();
        let columns = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        terminal.map(|(width, _)| usize::from(width.0)).or_else(columns).unwrap_or(DEFAULT)
    }

    /// Writes a line.
    pub fn line(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.out, "{}", Printable::line(&text))
    }

    /// Writes a part of a line.
    pub fn text(&mut self, text: impl Display) -> io::Result<()> {
        write!(self.out, "{}", Printable::line(&text))
    }

    /// Writes text of this program, which may have escape codes, as it is.
    pub fn help(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Writes a word and a path: on a line, or with `-z` each ended by NUL.
    pub fn record(&mut self, word: Option<&str>, path: &RepoPath) -> io::Result<()> {
        if !self.nul {
            let gap = if word.is_some() { "\t" } else { "" };
            return writeln!(self.out, "{}{gap}{}", word.unwrap_or_default(), self.path_text(path));
        }
        if let Some(word) = word {
            write!(self.out, "{word}\0")?;
        }
        self.out.write_all(&path.relative_to(self.place.directory))?;
        self.out.write_all(b"\0")
    }

    /// Writes a word and paths: on a line with TABs between them, or with `-z` each ended by NUL.
    pub fn records(&mut self, word: &str, paths: &[&RepoPath]) -> io::Result<()> {
        let [start, end] = if self.nul { ["", "\0"] } else { ["\t", ""] };
        write!(self.out, "{word}{end}")?;
        for path in paths {
            self.out.write_all(start.as_bytes())?;
            let relative = path.relative_to(self.place.directory);
            let name = if self.nul { relative.to_vec() } else { sanitize::path(&relative).into_bytes() };
            self.out.write_all(&name)?;
            self.out.write_all(end.as_bytes())?;
        }
        if self.nul { Ok(()) } else { writeln!(self.out) }
    }

    /// Writes a path and a suffix, and ends the record. Quotes a path that has spaces, except with `-z`.
    pub fn path_record(&mut self, path: &RepoPath, suffix: &[u8]) -> io::Result<()> {
        self.quoted_path(path, suffix)?;
        self.end()
    }

    /// Writes a path and a suffix. Quotes a path that has spaces, except with `-z`.
    pub fn quoted_path(&mut self, path: &RepoPath, suffix: &[u8]) -> io::Result<()> {
        let name = [&*path.relative_to(self.place.directory), suffix].concat();
        if self.nul {
            return self.out.write_all(&name);
        }
        let quoted = quote_also(&name, sanitize::is_deceptive);
        let is_bare = !quoted.starts_with('"') && quoted.contains(' ');
        if is_bare { write!(self.out, "\"{quoted}\"") } else { write!(self.out, "{quoted}") }
    }

    /// Writes a record for scripts: text, then names. A TAB precedes each name; with `-z` one TAB precedes the first name, and
    /// NUL ends each.
    pub fn entry(&mut self, text: impl Display, names: &[&[u8]]) -> io::Result<()> {
        self.text(text)?;
        for (n, name) in names.iter().enumerate() {
            let gap = if self.nul && n > 0 { "" } else { "\t" };
            self.out.write_all(gap.as_bytes())?;
            self.name(name)?;
            self.out.write_all(if self.nul { b"\0" } else { b"" })?;
        }
        if self.nul && !names.is_empty() { Ok(()) } else { self.end() }
    }

    /// Writes a name for scripts: raw with `-z`, otherwise quoted where necessary (`crate::quote`), also so that a
    /// terminal can show it.
    pub fn name(&mut self, name: &[u8]) -> io::Result<()> {
        if self.nul {
            self.out.write_all(name)
        } else {
            write!(self.out, "{}", quote_also(name, sanitize::is_deceptive))
        }
    }

    /// Writes raw bytes as a record.
    pub fn raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.end()
    }

    /// Writes a name as a record.
    pub fn name_record(&mut self, name: &[u8]) -> io::Result<()> {
        self.name(name)?;
        self.end()
    }

    /// Separates the names of a list: a TAB, or NUL with `-z`.
    pub fn separator(&mut self) -> io::Result<()> {
        self.out.write_all(if self.nul { b"\0" } else { b"\t" })
    }

    /// Ends a list of names: a new line, or with `-z` an empty name.
    pub fn end_list(&mut self) -> io::Result<()> {
        self.out.write_all(if self.nul { b"\0\0" } else { b"\n" })
    }

    /// Ends a record for scripts: NUL with `-z`, otherwise a new line.
    pub fn end(&mut self) -> io::Result<()> {
        self.out.write_all(if self.nul { b"\0" } else { b"\n" })
    }

    /// Writes file content: byte for byte, except that a terminal gets safe text.
    pub fn content(&mut self, role: Role, bytes: &[u8]) -> io::Result<()> {
        let (begin, end) = self.palette.codes(role);
        let safe = self.terminal.then(|| sanitize::content(bytes));
        let bytes = safe.as_ref().map_or(bytes, String::as_bytes);
        [begin.as_bytes(), bytes, end.as_bytes()].iter().try_for_each(|part| self.out.write_all(part))
    }

    /// Writes an aligned table.
    pub fn table(&mut self, table: &Table) -> io::Result<()> {
        table.lines().iter().try_for_each(|line| self.line(line))
    }

    /// An abbreviated commit id, or `(no commits)`.
    pub fn short(&self, id: Option<CommitId>) -> Painted<String> {
        self.paint(Role::Id, id.map_or_else(|| "(no commits)".to_owned(), CommitId::short))
    }

    /// A value in the colour of its role.
    pub fn paint<T: Display>(&self, role: Role, value: T) -> Painted<T> {
        self.palette.paint(role, value)
    }

    /// A path as safe text, relative to the current directory.
    pub fn path_text(&self, path: &RepoPath) -> String {
        sanitize::path(&path.relative_to(self.place.directory))
    }

    /// Like [`Page::path_text`], in the colour of paths.
    pub fn path(&self, path: &RepoPath) -> Painted<String> {
        self.paint(Role::Path, self.path_text(path))
    }

    /// Whether a time is later than now.
    pub fn is_future(&self, time: Timestamp) -> bool {
        time > self.place.environment.now()
    }

    /// The date of a time, without colour.
    pub fn local_date(&self, time: Timestamp) -> String {
        time.to_local(self.place.environment.time_zone())
    }

    /// The age of a time, without colour.
    pub fn age_text(&self, time: Timestamp) -> String {
        human::age(time, self.place.environment)
    }

    /// The date of a time, and its age.
    pub fn time(&self, time: Timestamp) -> Painted<String> {
        let date = time.to_local(self.place.environment.time_zone());
        self.paint(Role::Time, format!("{date} ({})", human::age(time, self.place.environment)))
    }

    /// The date of a time.
    pub fn date(&self, time: Timestamp) -> Painted<String> {
        self.paint(Role::Time, time.to_local(self.place.environment.time_zone()))
    }

    /// The age of a time: `3 minutes ago`.
    pub fn age(&self, time: Timestamp) -> Painted<String> {
        self.paint(Role::Time, human::age(time, self.place.environment))
    }
}

/// Whether the locale has UTF-8, and so box-drawing and block characters.
pub fn is_unicode_locale() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    set.is_some_and(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
}

/// An abbreviated commit id, or `nothing`.
pub fn short(id: Option<CommitId>) -> String {
    id.map_or_else(|| "nothing".to_owned(), CommitId::short)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(color: bool, terminal: bool, nul: bool, write: impl Fn(&mut Page<'_>) -> io::Result<()>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let environment = Environment::from_process();
        let mut page = Page::new(
            &mut bytes,
            Palette::new(color),
            terminal,
            nul,
            false,
            Place { environment: &environment, directory: RepoPath::root() },
        );
        write(&mut page).unwrap();
        bytes
    }

    #[test]
    fn paths_are_escaped_or_raw() {
        let path = RepoPath::new(b"a\xff\n").unwrap();
        assert_eq!(written(false, false, false, |page| page.record(Some("M"), path)), b"M\t$'a\\377\\012'\n");
        assert_eq!(written(false, false, true, |page| page.record(Some("M"), path)), b"M\0a\xff\n\0");
        assert_eq!(written(false, false, true, |page| page.record(None, path)), b"a\xff\n\0");
    }

    #[test]
    fn names_are_quoted_or_raw() {
        let names: &[&[u8]] = &[b"a\tb", b"to"];
        assert_eq!(written(true, true, false, |page| page.entry("x y", names)), b"x y\t\"a\\tb\"\tto\n");
        assert_eq!(written(true, true, true, |page| page.entry("x y", names)), b"x y\ta\tb\0to\0");
        assert_eq!(written(true, true, true, |page| page.entry("x y", &[])), b"x y\0");
    }

    #[test]
    fn content_is_exact_except_on_a_terminal() {
        assert_eq!(written(false, false, false, |page| page.content(Role::Added, b"\x1b\xff")), b"\x1b\xff");
        assert_eq!(written(true, false, false, |page| page.content(Role::Added, b"\xff")), b"\x1b[32m\xff\x1b[0m");
        assert_eq!(written(false, true, false, |page| page.content(Role::Added, b"\x1b\t")), b"\\x1b\t");
    }
}
