//! Words of a line: quotes, escapes and expansions.

use super::super::shells::Shell;
use super::super::word::{Letter, Word, quoted};
use super::{DEEPEST, Parser, Part, read};

impl Parser<'_> {
    pub(super) fn word(&mut self) -> Word {
        let mut word = Word::default();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | b';' | b'&' | b'|' | b')' => break,
                b'<' | b'>' if !self.starts(b"<(") && !self.starts(b">(") => break,
                b'<' | b'>' => self.substitution(2, &mut word),
                b'(' if self.starts(b"()") => break,
                b'(' => self.substitution(1, &mut word),
                b'\\' => {
                    let escaped = self.line.get(self.at + 1).copied();
                    self.at = (self.at + 2).min(self.line.len());
                    word.letters.extend(escaped.filter(|&byte| byte != b'\n').map(quoted));
                }
                b'\'' => self.single_quoted(&mut word),
                b'"' => self.double_quoted(&mut word),
                b'$' if self.starts(b"$'") => self.ansi_quoted(&mut word),
                b'$' => self.dollar(&mut word, false),
                b'`' if self.shell != Shell::Fish => self.backquoted(&mut word),
                _ => {
                    word.letters.push(Letter { byte, is_quoted: false });
                    self.at += 1;
                }
            }
        }
        word
    }

    fn substitution(&mut self, length: usize, word: &mut Word) {
        word.push_unknown();
        self.nested(length);
    }

    fn single_quoted(&mut self, word: &mut Word) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\'' => return,
                b'\\' if self.shell == Shell::Fish && matches!(self.peek(), Some(b'\\' | b'\'')) => {
                    word.letters.push(quoted(self.line[self.at]));
                    self.at += 1;
                }
                _ => word.letters.push(quoted(byte)),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut Word) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.at += 1;
                    return;
                }
                b'\\' => {
                    match self.line.get(self.at + 1).copied() {
                        Some(b'\n') => {}
                        Some(byte @ (b'"' | b'\\' | b'$' | b'`')) => word.letters.push(quoted(byte)),
                        other => word.letters.extend([Some(b'\\'), other].into_iter().flatten().map(quoted)),
                    }
                    self.at = (self.at + 2).min(self.line.len());
                }
                b'$' => self.dollar(word, true),
                b'`' if self.shell != Shell::Fish => self.backquoted(word),
                _ => {
                    word.letters.push(quoted(byte));
                    self.at += 1;
                }
            }
        }
    }

    /// `$'…'`: the escapes for quotes and common control characters; others make the word unknown.
    fn ansi_quoted(&mut self, word: &mut Word) {
        self.at += 2;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'\'' => return,
                b'\\' => {
                    let escaped = self.peek();
                    self.at = (self.at + 1).min(self.line.len());
                    match escaped {
                        Some(byte @ (b'\\' | b'\'' | b'"')) => word.letters.push(quoted(byte)),
                        Some(b'n') => word.letters.push(quoted(b'\n')),
                        Some(b't') => word.letters.push(quoted(b'\t')),
                        _ => word.push_unknown(),
                    }
                }
                _ => word.letters.push(quoted(byte)),
            }
        }
    }

    /// Reads `$(…)`, `$NAME` or `${NAME}`. Other expansions make the word unknown.
    pub(super) fn dollar(&mut self, word: &mut Word, is_quoted: bool) {
        let arithmetic = [(&b"$(("[..], 2), (b"$[", 1)].into_iter().find(|(opening, _)| self.starts(opening));
        if let Some((opening, closing)) = arithmetic
            && let Some(end) = self.arithmetic_end(opening.len())
        {
            word.push_unknown();
            return self.arithmetic(opening.len(), end, closing);
        }
        if self.starts(b"$(") {
            return self.substitution(2, word);
        }
        self.at += 1;
        let is_braced = self.peek() == Some(b'{');
        self.at += usize::from(is_braced);
        let rest = &self.line[self.at..];
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(rest.len());
        let name = String::from_utf8_lossy(&rest[..length]);
        self.at += length;
        let is_plain = !is_braced || self.peek() == Some(b'}');
        if is_braced {
            let rest = &self.line[self.at..];
            let end = rest.iter().position(|&byte| byte == b'}').map_or(rest.len(), |end| end + 1);
            self.at += end;
        } else if length == 0 {
            if matches!(self.peek(), None | Some(b' ' | b'"' | b'/' | b'\t' | b'\n')) {
                word.letters.push(Letter { byte: b'$', is_quoted });
                return;
            }
            // `$?`, `$@` and the like.
            self.at += usize::from(matches!(self.peek(), Some(b'?' | b'@' | b'*' | b'#' | b'!' | b'$' | b'-')));
        }
        let is_certain = is_plain && length > 0 && !self.assigned.iter().any(|assigned| *assigned == name.as_bytes());
        // The shell splits the value into words, and expands patterns in it.
        let is_split = |value: &Vec<u8>| {
            let is_special = |byte: &u8| byte.is_ascii_whitespace() || b"*?[".contains(byte);
            self.shell == Shell::Bash && !is_quoted && value.iter().any(is_special)
        };
        match (self.variables)(&name).filter(|value| is_certain && !is_split(value)) {
            Some(value) => word.letters.extend(value.into_iter().map(quoted)),
            None => word.push_unknown(),
        }
    }

    pub(super) fn backquoted(&mut self, word: &mut Word) {
        self.at += 1;
        let rest = &self.line[self.at..];
        let length = rest.iter().position(|&byte| byte == b'`').unwrap_or(rest.len());
        if self.depth < DEEPEST {
            self.parts.push(Part::Open);
            self.parts.extend(read(&rest[..length], self.shell, self.variables, self.depth + 1));
            self.parts.push(Part::Close);
        }
        self.at = (self.at + length + 1).min(self.line.len());
        word.push_unknown();
    }
}
