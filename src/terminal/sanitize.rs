//! Makes names and messages safe for a terminal: escapes control characters, characters that change the direction of
//! text, and bytes that are not UTF-8 (`\x1b`, `\xff`).

use std::fmt::Write;

/// A name, or any bytes, as one line of safe text.
pub fn name(bytes: &[u8]) -> String {
    escape(bytes, |_| false)
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

fn escape(bytes: &[u8], allowed: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if allowed(letter) || !is_deceptive(letter) {
                safe.push(letter);
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

/// Whether a character is a control character (C0, DEL, C1), changes direction, breaks lines or is invisible.
pub fn is_deceptive(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
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
    fn messages_keep_line_ends_and_content_keeps_tabs() {
        assert_eq!(text("one\ntwo\x07"), "one\ntwo\\x07");
        assert_eq!(content(b"a\tb\x1b"), "a\tb\\x1b");
    }
}
