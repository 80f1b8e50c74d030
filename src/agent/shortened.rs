//! Shortens the long strings of a JSON text while it is read, so that a payload with a whole file needs little memory.

use std::io::{self, BufRead, Read};

/// Bytes of each string that are kept: more than any command or path.
const KEPT: usize = 64 << 10;

/// JSON of which only the start of each string remains. All other bytes, and text that is not JSON, pass unchanged.
pub(super) struct Shortened<R> {
    inner: R,
    position: Position,
}

/// Where in the JSON the next byte lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Outside,
    /// In a string, with the number of bytes that were kept.
    String {
        kept: usize,
        escape: Escape,
    },
    /// In the rest of a string that was cut. Whether a backslash precedes.
    Rest {
        is_escaped: bool,
    },
}

/// Position in an escape sequence of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    /// After the backslash.
    Begun,
    /// With the number of hexadecimal digits that follow, and the value of those before.
    Digits(u8, u16),
    /// After `\uXXXX` that is the first half of a pair.
    HighSurrogate,
}

impl<R: BufRead> Shortened<R> {
    pub(super) fn new(inner: R) -> Shortened<R> {
        Shortened { inner, position: Position::Outside }
    }
}

impl<R: BufRead> Read for Shortened<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let from = self.inner.fill_buf()?;
            if from.is_empty() || to.is_empty() {
                return Ok(0);
            }
            let (used, written) = shorten(&mut self.position, from, to);
            self.inner.consume(used);
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

/// Copies what is kept of `from`. Returns the numbers of bytes read and written.
fn shorten(position: &mut Position, from: &[u8], to: &mut [u8]) -> (usize, usize) {
    let (mut used, mut written) = (0, 0);
    while used < from.len() && written < to.len() {
        if let Position::Rest { is_escaped: false } = position {
            let rest = &from[used..];
            used += rest.iter().position(|&byte| byte == b'"' || byte == b'\\').unwrap_or(rest.len());
        }
        let Some(&byte) = from.get(used) else { break };
        used += 1;
        let (next, is_kept) = position.after(byte);
        *position = next;
        if is_kept {
            to[written] = byte;
            written += 1;
        }
    }
    (used, written)
}

impl Position {
    /// The position after a byte, and whether the byte is kept.
    fn after(self, byte: u8) -> (Position, bool) {
        match self {
            Position::Outside if byte == b'"' => (Position::String { kept: 0, escape: Escape::None }, true),
            Position::Outside => (Position::Outside, true),
            Position::Rest { is_escaped: true } => (Position::Rest { is_escaped: false }, false),
            Position::Rest { .. } if byte == b'"' => (Position::Outside, true),
            Position::Rest { .. } => (Position::Rest { is_escaped: byte == b'\\' }, false),
            Position::String { escape: Escape::None | Escape::HighSurrogate, .. } if byte == b'"' => {
                (Position::Outside, true)
            }
            Position::String { kept, escape } if kept >= KEPT && escape.can_end_before(byte) => {
                (Position::Rest { is_escaped: byte == b'\\' }, false)
            }
            Position::String { kept, escape } => {
                (Position::String { kept: kept.saturating_add(1), escape: escape.after(byte) }, true)
            }
        }
    }
}

impl Escape {
    fn after(self, byte: u8) -> Escape {
        match self {
            Escape::None | Escape::HighSurrogate if byte == b'\\' => Escape::Begun,
            Escape::None | Escape::HighSurrogate => Escape::None,
            Escape::Begun if byte == b'u' => Escape::Digits(4, 0),
            Escape::Begun => Escape::None,
            Escape::Digits(left, before) => {
                let digit = char::from(byte).to_digit(16).unwrap_or(0) as u16;
                match (left, before << 4 | digit) {
                    (1, 0xd800..0xdc00) => Escape::HighSurrogate,
                    (1, _) => Escape::None,
                    (_, value) => Escape::Digits(left - 1, value),
                }
            }
        }
    }

    /// Whether a valid string can end before a byte: not in a character, an escape sequence or a pair of them.
    fn can_end_before(self, byte: u8) -> bool {
        let is_inside_character = byte & 0xc0 == 0x80;
        match self {
            Escape::None => !is_inside_character,
            Escape::HighSurrogate => byte != b'\\',
            Escape::Begun | Escape::Digits(..) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn shortened(text: &str, capacity: usize) -> String {
        let mut output = String::new();
        let input = BufReader::with_capacity(capacity, text.as_bytes());
        Shortened::new(input).read_to_string(&mut output).unwrap();
        output
    }

    #[test]
    fn short_strings_and_invalid_text_pass_unchanged() {
        for text in [r#"{"a":"b\"c\\","d":[1,"\u00e9\ud83d\ude00"]}"#, "no JSON", "", "{\"half", "\"\\"] {
            for capacity in [1, 3, 8192] {
                assert_eq!(shortened(text, capacity), text);
            }
        }
    }

    #[test]
    fn long_strings_are_cut_where_they_stay_valid() {
        for unit in ["a", "é", "😀", r"\n", r"\\", r#"\""#, r"\u4e2d", r"\u00e9x", r"\ud83d\ude00", "中\\n"] {
            for shift in 0..14 {
                let long = format!("{}{}", "x".repeat(shift), unit.repeat(2 * KEPT / unit.len() + 20));
                let text = format!(r#"{{"content":"{long}","path":"p"}}"#);
                let short = shortened(&text, 8192);
                assert!(short.len() < KEPT + 60 && short.len() > KEPT, "{unit}: {}", short.len());
                let value: serde_json::Value = serde_json::from_str(&short).unwrap();
                let whole: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(value["path"], "p");
                assert!(whole["content"].as_str().unwrap().starts_with(value["content"].as_str().unwrap()));
            }
        }
    }
}
