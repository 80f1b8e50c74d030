//! Quotes bytes as one word of text, and parses such words.
//!
//! A word consists of the bytes unchanged. If that would be ambiguous, it is in double quotes with escapes as in C (`\n`, `\"`,
//! `\\`, `\377`), as git writes paths.

use std::borrow::Cow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Control characters that have their own escape, and its letter.
const LETTERS: [(u8, u8); 7] =
    [(7, b'a'), (8, b'b'), (b'\t', b't'), (b'\n', b'n'), (11, b'v'), (12, b'f'), (b'\r', b'r')];

/// Quotes bytes that contain control characters, `"`, `\` or invalid UTF-8.
pub fn quote(bytes: &[u8]) -> Cow<'_, str> {
    quote_also(bytes, |_| false)
}

/// Like [`quote`], and also quotes these characters.
pub fn quote_also(bytes: &[u8], is_unsafe: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_special = |letter: char| letter < ' ' || matches!(letter, '"' | '\\' | '\x7f') || is_unsafe(letter);
    let is_plain = |text: &&str| !text.chars().any(is_special);
    if let Some(text) = std::str::from_utf8(bytes).ok().filter(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut word = String::from('"');
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_ascii() || is_unsafe(letter) {
                letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| push(&mut word, byte));
            } else {
                word.push(letter);
            }
        }
        chunk.invalid().iter().for_each(|&byte| push(&mut word, byte));
    }
    word.push('"');
    Cow::Owned(word)
}

/// Whether a character is a control character (C0, DEL, C1), changes direction, breaks lines or is invisible.
pub fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}

/// A path in a sentence: unchanged, or a word that bash and zsh read back if it has bytes that a terminal cannot show.
pub fn visible(path: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(path) {
        Ok(text) if !text.contains(is_hidden) => Cow::Borrowed(text),
        _ => Cow::Owned(ansi_word(path)),
    }
}

/// The first line of a text that is not blank, without spaces around it, up to `limit` bytes; `…` ends a line that leaves out
/// something. Control characters become spaces.
pub fn one_line(text: &str, limit: usize) -> String {
    let text = text.trim();
    let line = text.lines().next().unwrap_or_default();
    let start = line[..line.floor_char_boundary(limit)].trim_end();
    let end = if start.len() < text.len() { "…" } else { "" };
    format!("{start}{end}").replace(char::is_control, " ")
}

/// Quotes bytes for a shell, in single quotes if needed. Bytes that a terminal cannot show need `$'…'`, which bash and zsh read.
pub fn shell_word(bytes: &[u8]) -> Cow<'_, str> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "%+,-./:=@_^~".contains(letter);
    match std::str::from_utf8(bytes) {
        Ok(text) if text.chars().any(|letter| is_hidden(letter) && letter != '\n') => Cow::Owned(ansi_word(bytes)),
        Ok(text) if !text.is_empty() && !text.starts_with('~') && text.chars().all(is_plain) => Cow::Borrowed(text),
        Ok(text) => Cow::Owned(format!("'{}'", text.replace('\'', r"'\''"))),
        Err(_) => Cow::Owned(ansi_word(bytes)),
    }
}

/// Quotes a path for a shell, like [`shell_word`].
pub fn shell_path(path: &Path) -> Cow<'_, str> {
    shell_word(path.as_os_str().as_bytes())
}

/// `$'…'` with escapes for `'`, `\`, hidden characters and invalid UTF-8.
pub fn ansi_word(bytes: &[u8]) -> String {
    let mut word = String::from("$'");
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\'' | '\\' => word.extend(['\\', letter]),
                letter if is_hidden(letter) => {
                    letter.to_string().bytes().for_each(|byte| word.push_str(&format!("\\{byte:03o}")));
                }
                letter => word.push(letter),
            }
        }
        chunk.invalid().iter().for_each(|byte| word.push_str(&format!("\\{byte:03o}")));
    }
    word.push('\'');
    word
}

fn push(word: &mut String, byte: u8) {
    if let Some((_, letter)) = LETTERS.iter().find(|(control, _)| *control == byte) {
        word.extend(['\\', char::from(*letter)]);
    } else if matches!(byte, b'"' | b'\\') {
        word.extend(['\\', char::from(byte)]);
    } else if matches!(byte, b' '..=b'~') {
        word.push(char::from(byte));
    } else {
        word.push_str(&format!("\\{byte:03o}"));
    }
}

/// Parses a word; `None` if its quotes or escapes are malformed.
pub fn unquote(word: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some(quoted) = word.strip_prefix(b"\"") else { return Some(Cow::Borrowed(word)) };
    let mut rest = quoted.strip_suffix(b"\"")?;
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => return None,
            b'\\' => bytes.push(escaped(&mut rest)?),
            _ => bytes.push(byte),
        }
    }
    Some(Cow::Owned(bytes))
}

/// Parses the escape after a `\`.
fn escaped(rest: &mut &[u8]) -> Option<u8> {
    let (&first, after) = rest.split_first()?;
    if matches!(first, b'0'..=b'7') {
        let (digits, after) = rest.split_at_checked(3)?;
        *rest = after;
        return u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok();
    }
    *rest = after;
    match first {
        b'"' | b'\\' => Some(first),
        _ => LETTERS.iter().find(|(_, letter)| *letter == first).map(|(control, _)| *control),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_in_git() {
        for (bytes, word) in [
            (&b"plain name-\xc3\xa9"[..], "plain name-é"),
            (b"", ""),
            (b"tab\there", "\"tab\\there\""),
            (b"a\nb\"c\\d", "\"a\\nb\\\"c\\\\d\""),
            (b"\xff\x01\x7f", "\"\\377\\001\\177\""),
            ("\u{85}".as_bytes(), "\u{85}"),
        ] {
            assert_eq!(quote(bytes), word);
        }
    }

    #[test]
    fn every_name_round_trips() {
        for first in 0..=255 {
            for second in [0, b'"', b'\\', b'1', b'n', 0xc3, 0xa9] {
                let bytes = [first, second];
                assert_eq!(unquote(quote(&bytes).as_bytes()).as_deref(), Some(&bytes[..]));
            }
        }
    }

    #[test]
    fn a_shell_reads_every_word_back() {
        for (bytes, word) in [
            (&b"plain-1.txt"[..], "plain-1.txt"),
            (b"", "''"),
            (b"it's", r"'it'\''s'"),
            (b"~x", "'~x'"),
            (b"a\n'\\\xff", r"$'a\012\'\\\377'"),
            ("\u{85}é".as_bytes(), r"$'\302\205é'"),
            ("\u{202e}x".as_bytes(), r"$'\342\200\256x'"),
        ] {
            assert_eq!(shell_word(bytes), word);
        }
    }

    #[test]
    fn texts_are_shortened_to_one_line() {
        for (text, limit, expected) in [
            ("", 9, ""),
            (" \n\t\n", 9, ""),
            ("abc", 3, "abc"),
            ("abcd", 3, "abc…"),
            ("ab  cd", 3, "ab…"),
            ("aé", 2, "a…"),
            ("aé", 3, "aé"),
            ("é", 1, "…"),
            ("\n\n  a b \r\n", 9, "a b"),
            ("a\n\nb", 9, "a…"),
            ("a\tb\x1bc", 9, "a b c"),
        ] {
            assert_eq!(one_line(text, limit), expected, "{text:?}");
        }
    }

    #[test]
    fn malformed_words_are_rejected() {
        for word in ["\"", "\"a", "\"a\"b\"", "\"\\\"", "\"\\x41\"", "\"\\47\"", "\"\\477\"", "\"\\0 1\""] {
            assert_eq!(unquote(word.as_bytes()), None, "{word}");
        }
    }
}
