//! Words of command lines.

/// A byte of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    pub byte: u8,
    /// Whether the byte is quoted, and so has no special meaning.
    pub is_quoted: bool,
}

/// A word of a command, without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    pub letters: Vec<Letter>,
    /// The letter before which, or at the end of the word, first stands something that only the shell knows. `None` if all is known.
    pub unknown_from: Option<usize>,
}

/// The words of a simple command, without redirections.
pub type Words = Vec<Word>;

impl Word {
    /// A word without quotes or unknown parts.
    pub fn known(letters: Vec<Letter>) -> Word {
        Word { letters, unknown_from: None }
    }

    /// Whether a part of the word is known only to the shell.
    pub fn is_unknown(&self) -> bool {
        self.unknown_from.is_some()
    }

    /// Adds a part that only the shell knows.
    pub fn push_unknown(&mut self) {
        self.unknown_from.get_or_insert(self.letters.len());
    }

    /// The text, with patterns as they were typed.
    pub fn text(&self) -> Vec<u8> {
        self.letters.iter().map(|letter| letter.byte).collect()
    }
}

pub(super) fn quoted(byte: u8) -> Letter {
    Letter { byte, is_quoted: true }
}

/// The last component of the path of a program, or the name in `=NAME`, which zsh replaces by the path.
pub(super) fn base_name(path: &[u8]) -> &[u8] {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
    name.strip_prefix(b"=").unwrap_or(name)
}

/// Whether a word is `NAME=VALUE`.
pub(super) fn is_assignment(word: &Word) -> bool {
    let text = word.text();
    let Some(length) = text.iter().position(|&byte| byte == b'=') else { return false };
    let name = &text[..length];
    !name.is_empty()
        && !name[0].is_ascii_digit()
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
