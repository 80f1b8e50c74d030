//! Roles of text, and their colours. No line depends on colours alone.

use std::borrow::Cow;
use std::fmt;
use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};

use crate::terminal::When;

/// The role of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Role {
    /// The id of a commit or another object.
    Id,
    /// A path.
    Path,
    /// Something new.
    Added,
    /// Something deleted.
    Removed,
    /// Something with other content.
    Modified,
    /// Something with other metadata.
    Metadata,
    /// A new word in a changed line.
    AddedWord,
    /// A deleted word in a changed line.
    RemovedWord,
    /// A branch.
    Branch,
    /// A tag.
    Tag,
    /// A point in time.
    Time,
    /// The word before a hint.
    Hint,
    /// The word before a warning.
    Warning,
    /// The word before an error.
    Error,
    /// A heading.
    Heading,
    /// Less important text.
    Dim,
    /// More important text.
    Emphasis,
}

impl Role {
    fn style(self) -> Style {
        let plain = Style::new();
        match self {
            Role::Id | Role::Modified => AnsiColor::Yellow.on_default(),
            Role::Path => plain,
            Role::Added => AnsiColor::Green.on_default(),
            Role::Removed => AnsiColor::Red.on_default(),
            Role::Metadata | Role::Hint | Role::Time => AnsiColor::Cyan.on_default(),
            Role::AddedWord => AnsiColor::Green.on_default().invert(),
            Role::RemovedWord => AnsiColor::Red.on_default().invert(),
            Role::Branch => AnsiColor::Green.on_default().bold(),
            Role::Tag => AnsiColor::Magenta.on_default().bold(),
            Role::Warning => AnsiColor::Yellow.on_default().bold(),
            Role::Error => AnsiColor::Red.on_default().bold(),
            Role::Heading | Role::Emphasis => plain.bold(),
            Role::Dim => plain.dimmed(),
        }
    }
}

/// The roles, in the order of their declaration.
const ROLES: [Role; 17] = [
    Role::Id,
    Role::Path,
    Role::Added,
    Role::Removed,
    Role::Modified,
    Role::Metadata,
    Role::AddedWord,
    Role::RemovedWord,
    Role::Branch,
    Role::Tag,
    Role::Time,
    Role::Hint,
    Role::Warning,
    Role::Error,
    Role::Heading,
    Role::Dim,
    Role::Emphasis,
];

/// Painted text has marks in place of escape codes until it is written ([`super::sanitize::Printable`]), so that text of the
/// user is never taken for an escape code. The marks are noncharacters of Unicode, which text does not contain.
const FIRST_MARK: char = '\u{fdd0}';

/// The mark at the end of painted text.
const END_MARK: char = '\u{fdef}';

/// Whether a character is a mark, or another one of the same range of noncharacters.
pub(super) fn is_mark(letter: char) -> bool {
    (FIRST_MARK..=END_MARK).contains(&letter)
}

/// The escape code of a mark.
pub(super) fn escape_code(mark: char) -> Option<String> {
    if mark == END_MARK {
        return Some(anstyle::Reset.render().to_string());
    }
    let role = ROLES.get((u32::from(mark) - u32::from(FIRST_MARK)) as usize)?;
    Some(role.style().render().to_string())
}

/// Whether a stream gets colours: as the command line says, otherwise as the environment says.
pub fn wanted(when: When, stream: &impl IsTerminal) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => wanted_by(|name| std::env::var(name).ok(), stream.is_terminal()),
    }
}

/// Evaluates `NO_COLOR` (no-color.org), then `FORCE_COLOR` and `CLICOLOR_FORCE` (force-color.org, bixense.com/clicolors),
/// then the terminal. An empty value counts as unset, and `0` does not force.
fn wanted_by(variable: impl Fn(&str) -> Option<String>, is_terminal: bool) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    let is_forced = |name: &str| set(name).is_some_and(|value| value != "0");
    is_forced("FORCE_COLOR")
        || is_forced("CLICOLOR_FORCE")
        || is_terminal
            && set("CLICOLOR").is_none_or(|value| value != "0")
            && set("TERM").is_some_and(|terminal| terminal != "dumb")
}

/// Adds the colours of roles to text, unless colours are off.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    on: bool,
}

impl Palette {
    /// A palette with or without colours.
    pub fn new(on: bool) -> Palette {
        Palette { on }
    }

    /// Whether there are colours.
    pub fn is_on(self) -> bool {
        self.on
    }

    /// A value in the colour of its role.
    pub fn paint<T: fmt::Display>(self, role: Role, value: T) -> Painted<T> {
        Painted { role: Some(role).filter(|role| self.on && role.style() != Style::new()), value }
    }

    /// The escape codes before and after text of a role.
    pub(super) fn codes(self, role: Role) -> (String, String) {
        let style = if self.on { role.style() } else { Style::new() };
        (style.render().to_string(), style.render_reset().to_string())
    }

    /// Text with escape codes, which are removed if colours are off.
    pub fn filter(self, ansi: &str) -> Cow<'_, str> {
        if self.on { Cow::Borrowed(ansi) } else { Cow::Owned(anstream::adapter::strip_str(ansi).to_string()) }
    }
}

/// A value in the colour of a role.
pub struct Painted<T> {
    /// `None` for no colour.
    role: Option<Role>,
    value: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(role) = self.role else { return self.value.fmt(f) };
        let mark = char::from_u32(u32::from(FIRST_MARK) + role as u32).unwrap_or(END_MARK);
        write!(f, "{mark}{}{END_MARK}", self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::sanitize::Printable;

    #[test]
    fn each_role_has_its_mark() {
        for (n, role) in ROLES.into_iter().enumerate() {
            assert_eq!(role as usize, n);
        }
    }

    #[test]
    fn environment_decides_about_colors() {
        for (variables, on_terminal, in_pipe) in [
            ("TERM=xterm", true, false),
            ("TERM=dumb", false, false),
            ("", false, false),
            ("TERM=xterm NO_COLOR=1 FORCE_COLOR=1", false, false),
            ("TERM=xterm NO_COLOR=", true, false),
            ("TERM=dumb FORCE_COLOR=1", true, true),
            ("TERM=dumb CLICOLOR_FORCE=yes", true, true),
            ("TERM=xterm CLICOLOR_FORCE=0 FORCE_COLOR=0", true, false),
            ("TERM=xterm CLICOLOR_FORCE=", true, false),
            ("TERM=xterm CLICOLOR=0", false, false),
        ] {
            let variable = |name: &str| {
                let found = variables.split(' ').find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
                found.map(str::to_owned)
            };
            assert_eq!(wanted_by(variable, true), on_terminal, "{variables}");
            assert_eq!(wanted_by(variable, false), in_pipe, "{variables}");
        }
    }

    #[test]
    fn text_without_colours_has_no_escape_codes() {
        let printed = |on, role| Printable::line(&Palette::new(on).paint(role, "x")).to_string();
        assert_eq!(printed(false, Role::Error), "x");
        assert_eq!(printed(true, Role::Added), "\x1b[32mx\x1b[0m");
        assert_eq!(printed(true, Role::Path), "x");
        assert_eq!(Palette::new(false).filter("\x1b[1mx\x1b[0m"), "x");
    }
}
