//! Makes names and messages safe for a terminal: escapes control characters, characters that change the direction of
//! text, and bytes that are not UTF-8 (`\x1b`, `\xff`).

use std::fmt::{self, Display, Write};

use crate::quote::{ansi_word, is_hidden};
use crate::terminal::style;

/// Text that is safe for a terminal: it has no control characters except colours of [`style`]. Only this module makes it, and
/// the terminal prints nothing else, except data that the user asked for as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printable(String);

impl Printable {
    /// One line. Tabs stay.
    pub fn line(text: &impl Display) -> Printable {
        Printable(escape_with(text.to_string().as_bytes(), |letter| letter == '\t', style::escape_code))
    }

    /// Several lines. Tabs stay.
    pub fn lines(text: &impl Display) -> Printable {
        let is_kept = |letter| letter == '\t' || letter == '\n';
        Printable(escape_with(text.to_string().as_bytes(), is_kept, style::escape_code))
    }
}

impl Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A name, or any bytes, as one line of safe text.
pub fn name(bytes: &[u8]) -> String {
    escape(bytes, |_| false)
}

/// A path as one line of safe text. What a terminal cannot show becomes a word that bash and zsh read back: `$'a\012'`.
pub fn path(bytes: &[u8]) -> String {
    let plain = name(bytes);
    if plain.as_bytes() == bytes { plain } else { name(ansi_word(bytes).as_bytes()) }
}

/// Text as one line of safe text.
pub fn line(text: &str) -> String {
    name(text.as_bytes())
}

/// A message as safe text. Line ends stay.
pub fn text(text: &str) -> String {
    escape(text.as_bytes(), |letter| letter == '\n')
}

/// A line of a file's content as safe text. Tabs stay.
pub fn content(bytes: &[u8]) -> String {
    escape(bytes, |letter| letter == '\t' || letter == '\n')
}

fn escape(bytes: &[u8], is_kept: impl Fn(char) -> bool) -> String {
    escape_with(bytes, is_kept, |_| None)
}

/// Escapes what is unsafe. `code` returns the escape code of a mark.
fn escape_with(bytes: &[u8], is_kept: impl Fn(char) -> bool, code: impl Fn(char) -> Option<String>) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if is_kept(letter) || !is_deceptive(letter) {
                safe.push(letter);
            } else if let Some(code) = Some(letter).filter(|&letter| style::is_mark(letter)).and_then(&code) {
                safe.push_str(&code);
            } else {
                push_escape(&mut safe, letter);
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(safe, "\\x{byte:02x}");
        }
    }
    safe
}

fn push_escape(safe: &mut String, letter: char) {
    let _ = match letter {
        '\n' => write!(safe, "\\n"),
        '\r' => write!(safe, "\\r"),
        '\t' => write!(safe, "\\t"),
        '\0'..='\x7f' => write!(safe, "\\x{:02x}", u32::from(letter)),
        _ => write!(safe, "\\u{{{:x}}}", u32::from(letter)),
    };
}

/// Whether a character is a control character (C0, DEL, C1) or a mark of [`style`], changes direction, breaks lines or is
/// invisible.
pub fn is_deceptive(letter: char) -> bool {
    is_hidden(letter) || style::is_mark(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_escape_only_unsafe_characters() {
        assert_eq!(name(b"plain name.txt"), "plain name.txt");
        assert_eq!(name("größe/表/👩‍🔬".as_bytes()), "größe/表/👩‍🔬");
        assert_eq!(name(b"red\x1b[31m\n\t\x7f"), "red\\x1b[31m\\n\\t\\x7f");
        assert_eq!(name(b"bad\xff\xfe end\xe2\x82"), "bad\\xff\\xfe end\\xe2\\x82");
        assert_eq!(name("gnp.\u{202e}exe\u{9b}".as_bytes()), "gnp.\\u{202e}exe\\u{9b}");
    }

    #[test]
    fn a_shell_reads_paths_back() {
        for (bytes, expected) in [
            (&b"plain name.txt"[..], "plain name.txt"),
            (b"a\n\xff'\x1b", r"$'a\012\377\'\033'"),
            ("gnp.\u{202e}exe".as_bytes(), r"$'gnp.\342\200\256exe'"),
        ] {
            assert_eq!(path(bytes), expected);
        }
    }

    #[test]
    fn messages_keep_line_ends_and_content_keeps_tabs() {
        assert_eq!(text("one\ntwo\x07"), "one\ntwo\\x07");
        assert_eq!(content(b"a\tb\x1b"), "a\tb\\x1b");
    }
    #[test]
    fn only_painted_text_has_colors() {
        let palette = style::Palette::new(true);
        let printed = Printable::line(&palette.paint(style::Role::Error, "\x1b[31m raw\x1b[0m")).to_string();
        assert_eq!(printed, "\x1b[1m\x1b[31m\\x1b[31m raw\\x1b[0m\x1b[0m");
        assert_eq!(Printable::line(&"a\nb\rc").to_string(), "a\\nb\\rc");
        assert_eq!(Printable::lines(&"a\nb").to_string(), "a\nb");
        // Text with the marks themselves is escaped like any data.
        assert_eq!(name("\u{fdd0}x\u{fdef}".as_bytes()), "\\u{fdd0}x\\u{fdef}");
    }
}
