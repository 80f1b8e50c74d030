//! Roles of text, and their colours. No line depends on colours alone.

use std::borrow::Cow;
use std::fmt;

use anstream::{AutoStream, ColorChoice, stream::RawStream};
use anstyle::{AnsiColor, Style};

use crate::terminal::When;

/// The role of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Whether a stream gets colours: as the command line says, else as `NO_COLOR`, `CLICOLOR_FORCE` and the capabilities of
/// the terminal say.
pub fn wanted(when: When, stream: &impl RawStream) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    }
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
        Painted { style: if self.on { role.style() } else { Style::new() }, value }
    }

    /// Text with escape codes, which are removed if colours are off.
    pub fn filter(self, ansi: &str) -> Cow<'_, str> {
        if self.on { Cow::Borrowed(ansi) } else { Cow::Owned(anstream::adapter::strip_str(ansi).to_string()) }
    }
}

/// A value in a style.
pub struct Painted<T> {
    style: Style,
    value: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.style.render(), self.value, self.style.render_reset())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_without_colours_has_no_escape_codes() {
        assert_eq!(Palette::new(false).paint(Role::Error, "x").to_string(), "x");
        assert_eq!(Palette::new(true).paint(Role::Added, "x").to_string(), "\x1b[32mx\x1b[0m");
        assert_eq!(Palette::new(true).paint(Role::Path, "x").to_string(), "x");
        assert_eq!(Palette::new(false).filter("\x1b[1mx\x1b[0m"), "x");
    }
}
